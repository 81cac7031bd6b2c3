// Registers of 512 bits with masked loads and VNNI's byte products. Compiled with the flags of its instruction set, on
// x86_64 only, with the compiler's own intrinsics (see kernels_avx2.cpp).
#include "core/simd/tables.hpp"

#if defined(__x86_64__)

// GCC 12 warns of its own header's deliberately undefined registers.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

namespace vectorizer::simd {
namespace {

using Floats = __m512;
using Ints = __m512i;
using Bytes = __m512i;
constexpr std::size_t kFloats = 16;
constexpr std::size_t kBytes = 64;

Floats zero_floats() { return _mm512_setzero_ps(); }
Floats splat(float value) { return _mm512_set1_ps(value); }
Floats load(const float *from) { return _mm512_loadu_ps(from); }
void store(float *to, Floats a) { _mm512_storeu_ps(to, a); }
Floats least(Floats a, Floats b) { return _mm512_min_ps(a, b); }
Floats subtract(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
Floats absolute(Floats a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0F), a); }

float sum(Floats a)
{
	const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
	const __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
	const __m128 pairs = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
	return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehdup_ps(pairs)));
}

Ints zero_ints() { return _mm512_setzero_si512(); }
Bytes load_bytes(const void *from) { return _mm512_loadu_si512(from); }
Bytes low_nibbles(Bytes a) { return _mm512_and_si512(a, _mm512_set1_epi8(15)); }
Bytes high_nibbles(Bytes a) { return low_nibbles(_mm512_srli_epi16(a, 4)); }

template <int shift, int mask>
Bytes field(Bytes a) { return _mm512_and_si512(_mm512_srli_epi16(a, shift), _mm512_set1_epi8(mask)); }
Ints int_field(Ints a, int shift, int mask)
{
	return _mm512_and_si512(_mm512_srl_epi32(a, _mm_cvtsi32_si128(shift)), _mm512_set1_epi32(mask));
}

// dpbusd multiplies unsigned (code) by signed (query) bytes and does not saturate.
Ints add_dot_u8(Ints total, Bytes code, Bytes query) { return _mm512_dpbusd_epi32(total, code, query); }

Ints add_dot_u4(Ints total, Bytes low_code, Bytes low_query, Bytes high_code, Bytes high_query)
{
	return _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(total, low_code, low_query), high_code, high_query);
}

std::int32_t sum_ints(Ints a)
{
	const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
	const __m128i quarter = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
	const __m128i pairs = _mm_add_epi32(quarter, _mm_shuffle_epi32(quarter, 0x4e));
	return _mm_cvtsi128_si32(_mm_add_epi32(pairs, _mm_shuffle_epi32(pairs, 0xb1)));
}

Ints widen_u8(const std::uint8_t *from)
{
	return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from)));
}

Ints low_u4(const std::uint8_t *from) { return _mm512_and_si512(widen_u8(from), _mm512_set1_epi32(15)); }
Ints high_u4(const std::uint8_t *from) { return _mm512_srli_epi32(widen_u8(from), 4); }
Floats to_floats(Ints a) { return _mm512_cvtepi32_ps(a); }

Bytes load_tail_bytes(const void *base, std::size_t i, std::size_t d)
{
	const __mmask64 rest = (std::uint64_t{1} << (d - i)) - 1;
	return _mm512_maskz_loadu_epi8(rest, static_cast<const std::uint8_t *>(base) + i);
}

Floats load_tail(const float *base, std::size_t i, std::size_t d)
{
	const auto rest = static_cast<__mmask16>((1U << (d - i)) - 1);
	return _mm512_maskz_loadu_ps(rest, base + i);
}

#include "core/simd/kernels.inl"

}  // namespace

constinit const Kernels kAvx512Kernels = {
	"avx512", l2_squared, inner_product, l1, cosine_parts, dot_s8_u8, dot_s8_u4, dot_s8_u2, dot_s8_u1,
	l1_u8, l1_u4, l1_u2, l1_u1, columns_l2, columns_inner_product, columns_l1, nearest_column, sum_of_entries,
};

}  // namespace vectorizer::simd

#endif
