// Training: what a quantizer learns from rows. Leaf code: it takes its memory from the heap and throws.
#pragma once

#include "core/quantize/quantizer.hpp"
#include "core/stop.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace vectorizer::quantize {

/// Rows as the user stored them, one after the other.
struct Rows {
	const float *values;
	std::size_t count;
	std::uint32_t dimensions;

	const float *operator[](std::size_t row) const { return values + row * dimensions; }
	Rows first(std::size_t n) const { return {values, n < count ? n : count, dimensions}; }
};

/// Rows that training looks at, of those it is given: forty for each point of a codebook.
inline constexpr std::size_t kMostTrainingRows = 40 * 256;

/// Whether training gives this kind anything. Kinds without parameters stand as they are.
bool trainable(const Shape &shape);

/// The parameters that fit the rows best, the same for the same rows. Raises kInvalidInput without rows, and kCancelled.
/// REQUIRES: trainable(shape).
std::vector<float> train(const Shape &shape, Rows rows, Stop stop);

}  // namespace vectorizer::quantize
