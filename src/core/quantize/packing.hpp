// Where a dimension's level stands in a code: one byte each at 8 bits; at 4 bits byte i holds dimension i in its low half
// and dimension i + (d+1)/2 in its high half, as simd::Kernels::dot_s8_u4 reads them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vectorizer::quantize {

inline std::size_t packed_bytes(std::size_t dimensions, unsigned bits)
{
	return bits == 8 ? dimensions : (dimensions + 1) / 2;
}

/// Calls level(i), which gives dimension i's level, and writes the packed code.
template <typename Level>
void pack(std::uint8_t *code, std::size_t dimensions, unsigned bits, const Level &level)
{
	const std::size_t bytes = packed_bytes(dimensions, bits);
	for (std::size_t i = 0; i < bytes; i++) {
		unsigned byte = level(i);
		if (bits == 4 && i + bytes < dimensions)
			byte |= level(i + bytes) << 4;
		code[i] = static_cast<std::uint8_t>(byte);
	}
}

/// Calls visit(i, level) for each dimension of a packed code.
template <typename Visit>
void unpack(const std::uint8_t *code, std::size_t dimensions, unsigned bits, const Visit &visit)
{
	const std::size_t bytes = packed_bytes(dimensions, bits);
	for (std::size_t i = 0; i < bytes; i++) {
		if (bits == 8) {
			visit(i, unsigned{code[i]});
			continue;
		}
		visit(i, code[i] & 15U);
		if (i + bytes < dimensions)
			visit(i + bytes, unsigned{code[i]} >> 4);
	}
}

}  // namespace vectorizer::quantize
