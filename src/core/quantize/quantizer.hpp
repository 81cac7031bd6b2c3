// The quantizer concept: what every way of storing a vector in an index offers.
//
//   train(sample, stop) -> parameters     (data-free kinds have none)
//   encode(vector)      -> code + factors (fixed size, stored in the slot)
//   query(vector)       -> Computer       (estimates distances from that vector to codes, and their error)
//
// A Quantizer is a small value built from a Shape; its memory comes from the arena given to it. It and its Computers are
// trivially destructible and never throw: walking code holds them. One kind is one file: none.cpp, scalar.cpp and
// product.cpp (and scalar_l1.cpp, for the one metric that no rotation keeps); README.md has their algebra.
//
// Distances come in the form of core/metric.hpp. Vectors are given as the user stored them: a quantizer normalises,
// centres and rotates by itself. Defined for every finite input: a zero vector, all coordinates equal, 1e38.
#pragma once

#include "core/arena.hpp"
#include "core/metric.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace vectorizer::quantize {

/// Stored in the metapage: values never change their meaning.
enum class Kind : std::uint8_t {
	kNone = 1,     // the vector itself, fp32 (of unit length under cosine)
	kScalar = 2,   // 8, 4 or 2 bits a dimension, rotated, one scale a vector
	kProduct = 3,  // one byte a subspace: the nearest of 256 points that training found; data-free until then
	kBinary = 4,   // 1 bit a dimension, rotated, one scale a vector
};

/// Everything that fixes the code's format. Equal shapes (and equal parameters) read each other's codes.
struct Shape {
	Kind kind;
	std::uint8_t bits;          // 32 for kNone; 8, 4 or 2 for kScalar; 8 (a subspace) for kProduct; 1 for kBinary
	Metric metric;
	std::uint32_t dimensions;   // 1 to 16,000
	std::uint64_t seed;         // of the rotation
	std::uint16_t subspaces = 0;  // 1 to dimensions for kProduct; 0 for the others

	friend bool operator==(const Shape &, const Shape &) = default;
};

/// Two per-vector numbers beside the code; what they mean is the kind's affair.
struct Factors {
	float scale;
	float norm;
};

/// What training found: numbers whose meaning is the kind's affair (its file tells it). Empty: the data-free code.
using Parameters = std::span<const float>;

/// Bytes of one code.
std::size_t code_bytes(const Shape &shape);

/// A query made ready: estimates the distance to a code. Cheap to copy; valid as long as its arena.
class Computer {
public:
	/// Estimated distance: one call, which calls the kernel that was chosen when the query was made ready. Never NaN for
	/// what encode() wrote; whatever factors are given, it returns.
	double distance(const std::uint8_t *code, Factors factors) const { return distance_(*this, code, factors); }

	/// One standard deviation of that estimate's error, for a vector in a random direction. 0 for exact codes.
	double error(Factors factors) const { return error_(*this, factors, std::numeric_limits<double>::quiet_NaN()); }

	/// The same, given the estimate itself: the code's error shrinks with the angle between the two vectors, so this is
	/// the one to stop a rerank by. REQUIRES: `estimate` is distance(code, factors) of the code with these factors.
	/// Dearer than it looks (roots and divisions): for candidates to be fetched, not for every evaluation.
	double error(Factors factors, double estimate) const { return error_(*this, factors, estimate); }

	/// The same query, rounded a hundred times more finely, at twice the cost: for the few candidates whose order matters.
	/// Itself where rounding the query is not what estimates are off by: below 8 bits. At 8 bits nothing was seen to be off by
	/// six sigmas; below, clustered data are, now and then.
	Computer finer() const
	{
		Computer result = *this;
		if (finer_ != nullptr) {
			result.distance_ = finer_;
			result.query_error = finer_query_error;
		}
		return result;
	}

	// Filled by the kinds' query(); read by their functions. First what distance() reads.
	double (*distance_)(const Computer &, const std::uint8_t *code, Factors) = nullptr;
	union {
		std::int32_t (*dot)(const std::int8_t *query, const std::uint8_t *code, std::size_t d);
		float (*floats)(const float *query, const float *code, std::size_t d);
		float (*entries)(const float *table, const std::uint8_t *code, std::size_t n);
		float (*steps)(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d);
	} kernel = {nullptr};
	const void *query = nullptr;    // float[] or int8[]
	std::size_t length = 0;         // of the query, as the kernel counts it
	double middle = 0;              // what the kernel returns for the vector 0
	double slope = 0;               // distance by product: -2 or -1 times the quantized query's scale
	double constant = 0;            // distance to the vector 0

	// What error() reads besides.
	double dimensions = 0;
	double (*error_)(const Computer &, Factors, double estimate) = nullptr;
	double norm = 0;                // of the query, Euclidean (1 under cosine)
	double unit_error = 0;          // the kind's error for unit vectors that are orthogonal
	double query_error = 0;         // of the query's own quantization, for a unit vector

	// What finer() takes besides.
	double (*finer_)(const Computer &, const std::uint8_t *code, Factors) = nullptr;
	const void *rest = nullptr;     // int8[]: what rounding left of the query
	double rest_middle = 0;
	double finer_query_error = 0;
};

struct Method;
class Rotation;

class Quantizer {
public:
	/// Rotation tables and scratch come from the arena; the parameters must outlive it. REQUIRES: a valid shape;
	/// parameters are those of an equal shape, or none.
	Quantizer(const Shape &shape, const Arena &arena, Parameters parameters = {});

	const Shape &shape() const { return shape_; }
	bool trained() const { return !parameters_.empty(); }
	std::size_t code_bytes() const { return code_bytes_; }

	/// Writes code_bytes() bytes. Uses scratch of its own: not for two callers at once.
	Factors encode(const float *vector, std::uint8_t *code) const;

	/// The vector that a code stands for, as nearly as the code tells (of unit length under cosine).
	void decode(const std::uint8_t *code, Factors factors, float *vector) const;

	/// A computer from a vector as the user stored it. Its memory comes from `arena`: about dimensions * 5 bytes, and
	/// subspaces * 1 kB for a trained kProduct.
	Computer query(const float *vector, const Arena &arena) const;

	/// Both for one vector, at less than the cost of both: this computer has no finer() one.
	Factors encode_and_query(const float *vector, std::uint8_t *code, const Arena &arena, Computer *computer) const;

	/// A computer from a code, for distances between two stored codes. `space` holds computer_bytes(), is aligned to 4
	/// bytes and is reused from call to call by the caller; the code itself is not needed afterwards. Distances are
	/// symmetrical up to rounding.
	Computer query_code(const std::uint8_t *code, Factors factors, std::span<std::uint8_t> space) const;
	std::size_t computer_bytes() const;

private:
	Shape shape_;
	Parameters parameters_;
	std::size_t code_bytes_;
	const Method *method_;        // the kind's functions (method.hpp)
	const Rotation *rotation_;    // null where the kind or metric does not rotate
	float *scratch_;              // dimensions floats
};

/// The exact distance of two vectors as the user stored them, from the same kernels that the SQL operators use: the
/// order of these values is the order of the operators'.
double exact_distance(Metric metric, const float *a, const float *b, std::size_t dimensions);

}  // namespace vectorizer::quantize
