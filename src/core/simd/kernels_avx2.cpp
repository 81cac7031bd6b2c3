// Registers of 256 bits with FMA. Compiled with the flags of its instruction set, on x86_64 only; it uses the compiler's
// own intrinsics, which refuse to compile when a flag is missing where SIMDe would quietly emulate.
#include "core/simd/tables.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

namespace vectorizer::simd {
namespace {

using Floats = __m256;
using Ints = __m256i;
using Bytes = __m256i;
constexpr std::size_t kFloats = 8;
constexpr std::size_t kBytes = 32;

Floats zero_floats() { return _mm256_setzero_ps(); }
Floats splat(float value) { return _mm256_set1_ps(value); }
Floats load(const float *from) { return _mm256_loadu_ps(from); }
void store(float *to, Floats a) { _mm256_storeu_ps(to, a); }
Floats least(Floats a, Floats b) { return _mm256_min_ps(a, b); }
Floats subtract(Floats a, Floats b) { return _mm256_sub_ps(a, b); }
Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
Floats absolute(Floats a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a); }

float sum(Floats a)
{
	const __m128 half = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
	const __m128 pairs = _mm_add_ps(half, _mm_movehl_ps(half, half));
	return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehdup_ps(pairs)));
}

Ints zero_ints() { return _mm256_setzero_si256(); }
Bytes load_bytes(const void *from) { return _mm256_loadu_si256(static_cast<const __m256i *>(from)); }
Bytes low_nibbles(Bytes a) { return _mm256_and_si256(a, _mm256_set1_epi8(15)); }
Bytes high_nibbles(Bytes a) { return low_nibbles(_mm256_srli_epi16(a, 4)); }

template <int shift, int mask>
Bytes field(Bytes a) { return _mm256_and_si256(_mm256_srli_epi16(a, shift), _mm256_set1_epi8(mask)); }
Ints int_field(Ints a, int shift, int mask)
{
	return _mm256_and_si256(_mm256_srl_epi32(a, _mm_cvtsi32_si128(shift)), _mm256_set1_epi32(mask));
}

// maddubs would saturate at 16 bits (2 * 255 * 127): even and odd bytes are widened first.
Ints add_dot_u8(Ints total, Bytes code, Bytes query)
{
	const Bytes even_code = _mm256_and_si256(code, _mm256_set1_epi16(255));
	const Bytes odd_code = _mm256_srli_epi16(code, 8);
	const Bytes even_query = _mm256_srai_epi16(_mm256_slli_epi16(query, 8), 8);
	const Bytes odd_query = _mm256_srai_epi16(query, 8);
	total = _mm256_add_epi32(total, _mm256_madd_epi16(even_code, even_query));
	return _mm256_add_epi32(total, _mm256_madd_epi16(odd_code, odd_query));
}

// Four products of at most 15 * 128 fit 16 bits.
Ints add_dot_u4(Ints total, Bytes low_code, Bytes low_query, Bytes high_code, Bytes high_query)
{
	const Ints products =
		_mm256_add_epi16(_mm256_maddubs_epi16(low_code, low_query), _mm256_maddubs_epi16(high_code, high_query));
	return _mm256_add_epi32(total, _mm256_madd_epi16(products, _mm256_set1_epi16(1)));
}

std::int32_t sum_ints(Ints a)
{
	const __m128i half = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
	const __m128i pairs = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
	return _mm_cvtsi128_si32(_mm_add_epi32(pairs, _mm_shuffle_epi32(pairs, 0xb1)));
}

Ints widen_u8(const std::uint8_t *from)
{
	return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(from)));
}

Ints low_u4(const std::uint8_t *from) { return _mm256_and_si256(widen_u8(from), _mm256_set1_epi32(15)); }
Ints high_u4(const std::uint8_t *from) { return _mm256_srli_epi32(widen_u8(from), 4); }
Floats to_floats(Ints a) { return _mm256_cvtepi32_ps(a); }

// The last register of the array, with what came before i masked out; an array shorter than a register is copied.
Bytes load_tail_bytes(const void *base, std::size_t i, std::size_t d)
{
	alignas(32) static constexpr std::int8_t kLast[2 * kBytes] = {
		0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
		0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
		-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
	const auto *bytes = static_cast<const std::uint8_t *>(base);
	if (i != 0)
		return _mm256_and_si256(load_bytes(bytes + d - kBytes), load_bytes(kLast + (d - i)));
	std::uint8_t copy[kBytes] = {};
	__builtin_memcpy(copy, bytes, d);
	return load_bytes(copy);
}

Floats load_tail(const float *base, std::size_t i, std::size_t d)
{
	return _mm256_castsi256_ps(load_tail_bytes(base, i * sizeof(float), d * sizeof(float)));
}

#include "core/simd/kernels.inl"

}  // namespace

constinit const Kernels kAvx2Kernels = {
	"avx2", l2_squared, inner_product, l1, cosine_parts, dot_s8_u8, dot_s8_u4, dot_s8_u2, dot_s8_u1,
	l1_u8, l1_u4, l1_u2, l1_u1, columns_l2, columns_inner_product, columns_l1, nearest_column, sum_of_entries,
};

}  // namespace vectorizer::simd

#endif
