// Registers of 128 bits in SIMDe's vocabulary: what every processor of the architecture has (SSE2 on x86_64, NEON on
// aarch64, plain C elsewhere).
#include "core/simd/tables.hpp"

#include <simde/x86/fma.h>
#include <simde/x86/sse2.h>

namespace vectorizer::simd {
namespace {

using Floats = simde__m128;
using Ints = simde__m128i;
using Bytes = simde__m128i;
constexpr std::size_t kFloats = 4;
constexpr std::size_t kBytes = 16;

Floats zero_floats() { return simde_mm_setzero_ps(); }
Floats splat(float value) { return simde_mm_set1_ps(value); }
Floats load(const float *from) { return simde_mm_loadu_ps(from); }
void store(float *to, Floats a) { simde_mm_storeu_ps(to, a); }
Floats least(Floats a, Floats b) { return simde_mm_min_ps(a, b); }
Floats subtract(Floats a, Floats b) { return simde_mm_sub_ps(a, b); }
Floats add(Floats a, Floats b) { return simde_mm_add_ps(a, b); }
Floats multiply_add(Floats a, Floats b, Floats c) { return simde_mm_fmadd_ps(a, b, c); }
Floats absolute(Floats a) { return simde_mm_andnot_ps(simde_mm_set1_ps(-0.0F), a); }

float sum(Floats a)
{
	const Floats pairs = simde_mm_add_ps(a, simde_mm_movehl_ps(a, a));
	return simde_mm_cvtss_f32(simde_mm_add_ss(pairs, simde_mm_shuffle_ps(pairs, pairs, 1)));
}

Ints zero_ints() { return simde_mm_setzero_si128(); }
Bytes load_bytes(const void *from) { return simde_mm_loadu_si128(static_cast<const simde__m128i *>(from)); }
Bytes low_nibbles(Bytes a) { return simde_mm_and_si128(a, simde_mm_set1_epi8(15)); }
Bytes high_nibbles(Bytes a) { return low_nibbles(simde_mm_srli_epi16(a, 4)); }

template <int shift, int mask>
Bytes field(Bytes a) { return simde_mm_and_si128(simde_mm_srli_epi16(a, shift), simde_mm_set1_epi8(mask)); }
Ints int_field(Ints a, int shift, int mask)
{
	return simde_mm_and_si128(simde_mm_srl_epi32(a, simde_mm_cvtsi32_si128(shift)), simde_mm_set1_epi32(mask));
}

// SSE2 has no product of bytes: even and odd bytes become 16-bit integers, whose products are added in pairs at 32 bits.
Ints add_dot_u8(Ints total, Bytes code, Bytes query)
{
	const Bytes even_code = simde_mm_and_si128(code, simde_mm_set1_epi16(255));
	const Bytes odd_code = simde_mm_srli_epi16(code, 8);
	const Bytes even_query = simde_mm_srai_epi16(simde_mm_slli_epi16(query, 8), 8);
	const Bytes odd_query = simde_mm_srai_epi16(query, 8);
	total = simde_mm_add_epi32(total, simde_mm_madd_epi16(even_code, even_query));
	return simde_mm_add_epi32(total, simde_mm_madd_epi16(odd_code, odd_query));
}

Ints add_dot_u4(Ints total, Bytes low_code, Bytes low_query, Bytes high_code, Bytes high_query)
{
	return add_dot_u8(add_dot_u8(total, low_code, low_query), high_code, high_query);
}

std::int32_t sum_ints(Ints a)
{
	const Ints pairs = simde_mm_add_epi32(a, simde_mm_shuffle_epi32(a, 0x4e));
	return simde_mm_cvtsi128_si32(simde_mm_add_epi32(pairs, simde_mm_shuffle_epi32(pairs, 0xb1)));
}

Ints widen_u8(const std::uint8_t *from)
{
	std::int32_t four;
	__builtin_memcpy(&four, from, sizeof four);
	const Ints zero = zero_ints();
	return simde_mm_unpacklo_epi16(simde_mm_unpacklo_epi8(simde_mm_cvtsi32_si128(four), zero), zero);
}

Ints low_u4(const std::uint8_t *from) { return simde_mm_and_si128(widen_u8(from), simde_mm_set1_epi32(15)); }
Ints high_u4(const std::uint8_t *from) { return simde_mm_srli_epi32(widen_u8(from), 4); }
Floats to_floats(Ints a) { return simde_mm_cvtepi32_ps(a); }

// The last register of the array, with what came before i masked out; an array shorter than a register is copied.
Bytes load_tail_bytes(const void *base, std::size_t i, std::size_t d)
{
	alignas(16) static constexpr std::int8_t kLast[2 * kBytes] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
	const auto *bytes = static_cast<const std::uint8_t *>(base);
	if (i != 0)
		return simde_mm_and_si128(load_bytes(bytes + d - kBytes), load_bytes(kLast + (d - i)));
	std::uint8_t copy[kBytes] = {};
	__builtin_memcpy(copy, bytes, d);
	return load_bytes(copy);
}

Floats load_tail(const float *base, std::size_t i, std::size_t d)
{
	return simde_mm_castsi128_ps(load_tail_bytes(base, i * sizeof(float), d * sizeof(float)));
}

#include "core/simd/kernels.inl"

}  // namespace

constinit const Kernels kBaselineKernels = {
	"baseline", l2_squared, inner_product, l1, cosine_parts, dot_s8_u8, dot_s8_u4, dot_s8_u2, dot_s8_u1,
	l1_u8, l1_u4, l1_u2, l1_u1, columns_l2, columns_inner_product, columns_l1, nearest_column, sum_of_entries,
};

}  // namespace vectorizer::simd
