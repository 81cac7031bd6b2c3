// Where a dimension's level stands in a code: in planes, as core/simd/distance.hpp reads them. With n bytes, byte i holds
// dimensions i, i + n, i + 2n, ... from its low bits up: one at 8 bits, two at 4, four at 2, eight at 1. What lies beyond
// the last dimension is 0.
#pragma once

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

}  // namespace vectorizer::quantize
