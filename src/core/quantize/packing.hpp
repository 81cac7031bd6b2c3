// Where a dimension's level stands in a code: in planes, as core/simd/distance.hpp reads them. With n bytes, byte i holds
// dimensions i, i + n, i + 2n, ... from its low bits up: one at 8 bits, two at 4, four at 2, eight at 1. What lies beyond
// the last dimension is 0.
#pragma once

#include <simde/x86/sse2.h>

#include <cstddef>
#include <cstdint>

namespace vectorizer::quantize {

inline std::size_t packed_bytes(std::size_t dimensions, unsigned bits)
{
	return (dimensions * bits + 7) / 8;
}

/// Dimensions that so many bytes have room for.
inline std::size_t packed_room(std::size_t bytes, unsigned bits)
{
	return bytes * 8 / bits;
}

/// Calls level(i), which gives dimension i's level, and writes the packed code.
template <typename Level>
void pack(std::uint8_t *code, std::size_t dimensions, unsigned bits, const Level &level)
{
	const std::size_t bytes = packed_bytes(dimensions, bits);
	for (std::size_t i = 0; i < bytes; i++) {
		unsigned byte = 0;
		for (std::size_t at = i, shift = 0; at < dimensions && shift < 8; at += bytes, shift += bits)
			byte |= level(at) << shift;
		code[i] = static_cast<std::uint8_t>(byte);
	}
}

/// Calls visit(i, level) for each dimension of a packed code.
template <typename Visit>
void unpack(const std::uint8_t *code, std::size_t dimensions, unsigned bits, const Visit &visit)
{
	const std::size_t bytes = packed_bytes(dimensions, bits);
	const unsigned mask = (1U << bits) - 1;
	for (std::size_t first = 0, shift = 0; first < dimensions; first += bytes, shift += bits) {
		const std::size_t count = dimensions - first < bytes ? dimensions - first : bytes;
		for (std::size_t i = 0; i < count; i++)
			visit(first + i, unsigned{code[i]} >> shift & mask);
	}
}

/// The meanings of a code of 4 bits, doubled to be integers: writes 2 * level - 15 for each dimension, and returns their sum. `out` has
/// room for packed_room(), and holds 0 from `dimensions` on.
inline std::int32_t unpack_doubled(const std::uint8_t *code, std::size_t dimensions, std::int8_t *out)
{
	constexpr int kMiddle = 15;
	const std::size_t bytes = packed_bytes(dimensions, 4);
	std::int8_t *high_out = out + bytes;
	const simde__m128i nibble = simde_mm_set1_epi8(15), zero = simde_mm_setzero_si128();
	simde__m128i sums = zero;
	std::size_t i = 0;
	for (; i + 16 <= bytes; i += 16) {
		const simde__m128i both = simde_mm_loadu_si128(reinterpret_cast<const simde__m128i *>(code + i));
		const simde__m128i low = simde_mm_and_si128(both, nibble);
		const simde__m128i high = simde_mm_and_si128(simde_mm_srli_epi16(both, 4), nibble);
		sums = simde_mm_add_epi64(sums, simde_mm_sad_epu8(simde_mm_add_epi8(low, high), zero));
		auto doubled = [&](simde__m128i levels) { return simde_mm_sub_epi8(simde_mm_add_epi8(levels, levels), nibble); };
		simde_mm_storeu_si128(reinterpret_cast<simde__m128i *>(out + i), doubled(low));
		simde_mm_storeu_si128(reinterpret_cast<simde__m128i *>(high_out + i), doubled(high));
	}
	std::int32_t levels = simde_mm_cvtsi128_si32(sums) + simde_mm_cvtsi128_si32(simde_mm_srli_si128(sums, 8));
	for (; i < bytes; i++) {
		const int low = code[i] & 15, high = code[i] >> 4;
		out[i] = static_cast<std::int8_t>(2 * low - kMiddle);
		high_out[i] = static_cast<std::int8_t>(2 * high - kMiddle);
		levels += low + high;
	}
	if (dimensions % 2 != 0)
		out[dimensions] = 0;
	return 2 * levels - kMiddle * static_cast<std::int32_t>(dimensions);
}

}  // namespace vectorizer::quantize
