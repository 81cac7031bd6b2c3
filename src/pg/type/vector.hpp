// The vector type: a row of 1 to 16,000 finite float4 numbers. Its layout on disk, and what every user of it shares.
//
// A Vector reached through vector_from_datum() is whole: untoasted, aligned, and as long as its dimensions say. Every
// number in it is finite: input, casts and arithmetic refuse NaN and infinity.
//
// The check_* functions raise the error that clients know by its text and SQLSTATE. Given an error context (soft errors
// of an input function, PostgreSQL 16 and newer) they report there and return false; without one they do not return.
#pragma once

#include "pg/compat.hpp"

struct Node;

namespace vectorizer::pg {

inline constexpr int kMaxDimensions = 16000;

/// On disk and in memory. Native byte order; the binary protocol is big-endian (vector_io.cpp).
struct Vector {
	int32 vl_len_;  // varlena header: read it with VARSIZE, write it with SET_VARSIZE
	int16 dim;      // 1 to kMaxDimensions
	int16 unused;   // 0; another value is from a format that we do not know
	float x[];      // dim numbers
};

static_assert(offsetof(Vector, dim) == 4 && offsetof(Vector, unused) == 6 && offsetof(Vector, x) == 8);
static_assert(sizeof(Vector) == 8 && sizeof(float) == 4);
static_assert(kMaxDimensions <= PG_INT16_MAX);

/// Bytes of a vector with `dim` dimensions, header included.
constexpr Size vector_size(int dim)
{
	return sizeof(Vector) + static_cast<Size>(dim) * sizeof(float);
}

/// A new vector in the current memory context, its numbers not yet set. REQUIRES: 1 <= dim <= kMaxDimensions.
Vector *make_vector(int dim);

/// The vector of a datum that is not null: the datum itself, or a palloc'd copy where it was toasted, compressed or had
/// a short header. Raises XX001 where the datum's length contradicts its dimensions.
Vector *vector_from_datum(Datum datum);

/// Frees what vector_from_datum(datum) copied, for callers that run many times in one memory context.
void free_if_copy(const Vector *vector, Datum datum);

inline Datum vector_to_datum(const Vector *vector)
{
	return PointerGetDatum(vector);
}

/// 22000 below 1, 54000 above kMaxDimensions.
bool check_dimensions(int dim, Node *escontext = nullptr);

/// 22000 where a type modifier is set (not -1) and names other dimensions.
bool check_typmod(int32 typmod, int dim, Node *escontext = nullptr);

/// 22000 where the number is NaN or infinite.
bool check_element(float value, Node *escontext = nullptr);

/// 22000 where the two vectors differ in dimensions.
void check_same_dimensions(const Vector *a, const Vector *b);

}  // namespace vectorizer::pg
