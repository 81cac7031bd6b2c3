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

	// Sum of |query[i] - (offset + step * code[i])|, for codes of either packing.
	float (*l1_u8)(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d);
	float (*l1_u4)(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d);
};

/// The kernels of the best instruction set that this processor has.
const Kernels &kernels();

/// The kernels of one instruction set by name, or null if the build or the processor lacks it (for tests and bench/).
const Kernels *kernels_for(const char *isa);

/// The scalar reference that the others are tested against.
const Kernels &reference_kernels();

}  // namespace vectorizer::simd
