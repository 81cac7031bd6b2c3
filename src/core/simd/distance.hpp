// Distance kernels over float vectors and over quantized codes, chosen once for the processor at hand.
//
// All lengths are counts of dimensions, d >= 0; pointers need no alignment. Float kernels accumulate in float (so sums
// can overflow to infinity, and inf - inf gives NaN, as client contracts expect); integer kernels are exact for
// d <= 16,000. Every instruction set gives the same integers; floats may differ in the last bits.
// Thread rules: pure functions; kernels() may be called at any time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vectorizer::simd {

struct CosineParts {
	float dot;      // <a, b>
	float norm_a;   // <a, a>
	float norm_b;   // <b, b>
};

struct Kernels {
	const char *isa;  // "baseline", "avx2", "avx512"

	float (*l2_squared)(const float *a, const float *b, std::size_t d);
	float (*inner_product)(const float *a, const float *b, std::size_t d);
	float (*l1)(const float *a, const float *b, std::size_t d);
	CosineParts (*cosine_parts)(const float *a, const float *b, std::size_t d);

	// Codes of one unsigned byte a dimension: sum of query[i] * code[i].
	std::int32_t (*dot_s8_u8)(const std::int8_t *query, const std::uint8_t *code, std::size_t d);
	// Codes of four bits a dimension, packed so: byte i holds dimension i in its low and dimension i + (d+1)/2 in its
	// high half (the high half of the last byte is 0 when d is odd). (d+1)/2 bytes.
	std::int32_t (*dot_s8_u4)(const std::int8_t *query, const std::uint8_t *code, std::size_t d);

	// Codes of two and of one bit a dimension, in planes: with n = (d+3)/4 or (d+7)/8 bytes, byte i holds dimensions i,
	// i + n, i + 2n, ... from its low bits up. The query holds 4n or 8n bytes, 0 from d on.
	std::int32_t (*dot_s8_u2)(const std::int8_t *query, const std::uint8_t *code, std::size_t d);
	std::int32_t (*dot_s8_u1)(const std::int8_t *query, const std::uint8_t *code, std::size_t d);

	// Sum of |query[i] - (offset + step * code[i])|, for codes of each packing; the query holds d floats.
	float (*l1_u8)(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d);
	float (*l1_u4)(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d);
	float (*l1_u2)(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d);
	float (*l1_u1)(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d);

	// Distances from a vector of d floats to the 256 columns of a table of d rows; inner products without a sign.
	void (*columns_l2)(const float *query, const float *table, std::size_t d, float *out);
	void (*columns_inner_product)(const float *query, const float *table, std::size_t d, float *out);
	void (*columns_l1)(const float *query, const float *table, std::size_t d, float *out);
	// The first of the least of 256 distances, none of them NaN.
	std::size_t (*nearest_column)(const float *distances);
	// Sum of table[256 * i + code[i]] over n bytes of code.
	float (*sum_of_entries)(const float *table, const std::uint8_t *code, std::size_t n);
};

/// The kernels of the best instruction set that this processor has.
const Kernels &kernels();

/// The kernels of one instruction set by name, or null if the build or the processor lacks it (for tests and bench/).
const Kernels *kernels_for(const char *isa);

/// The scalar reference that the others are tested against.
const Kernels &reference_kernels();

}  // namespace vectorizer::simd
