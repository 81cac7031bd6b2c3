// What of a vector a scalar code holds: all dimensions, or, as the stand-in of a product code that has not been trained,
// what fits into its bytes.
#pragma once

#include "core/quantize/packing.hpp"
#include "core/quantize/quantizer.hpp"

namespace vectorizer::quantize {

struct Format {
	unsigned bits;
	std::size_t coded;  // leading coordinates (under L1: parts, see scalar_l1.cpp) that have a level
};

inline Format format_of(const Shape &shape)
{
	if (shape.kind != Kind::kProduct)
		return {shape.bits, shape.dimensions};
	for (unsigned bits : {8U, 4U, 2U, 1U})
		if (packed_bytes(shape.dimensions, bits) <= shape.subspaces)
			return {bits, shape.dimensions};
	return {1, std::size_t{8} * shape.subspaces};
}

}  // namespace vectorizer::quantize
