// How a product code cuts d dimensions into subspaces, and what its parameters are.
#pragma once

#include "core/quantize/magnitude.hpp"
#include "core/quantize/quantizer.hpp"

#include <cstddef>
#include <cstdint>

namespace vectorizer::quantize {

inline constexpr std::size_t kColumns = 256;  // points of a subspace

/// First dimension of a subspace; of `subspaces`, the number of dimensions. Their widths differ by one at the most.
inline std::size_t first_dimension(std::size_t subspace, std::size_t dimensions, std::size_t subspaces)
{
	return subspace * dimensions / subspaces;
}

/// The parameters of kProduct: a header, then a table of d rows with the 256 points' coordinates. Rows first + j of a
/// subspace hold coordinate j of its points, in columns: one pass along the rows gives the distances to all of them.
struct Codebook {
	static constexpr std::size_t kHeader = 4;

	/// What vectors are divided by, a power of two: it brought the training's vectors into the unit range.
	static double unit(Parameters parameters) { return parameters[0]; }
	/// One sigma of an estimate in proportion to |x - v| and, where that matters, to the distance's root (product.cpp), among
	/// the nearest by code.
	static double unit_error(Parameters parameters) { return parameters[1]; }
	/// What sums of entries are too large by, from a vector to codes and between codes, among the nearest by code.
	static double bias(Parameters parameters) { return parameters[2]; }
	static double bias_between(Parameters parameters) { return parameters[3]; }
	static const float *table(Parameters parameters) { return parameters.data() + kHeader; }
	static std::size_t floats(std::size_t dimensions) { return kHeader + dimensions * kColumns; }
};

/// Writes the vector as the codebook sees it: in its unit, of unit length under cosine. An outlier this far from all that
/// training saw keeps a distance, of whatever worth.
inline void to_units(const Shape &shape, double unit, const float *vector, float *out)
{
	constexpr double kFarthest = 1e15;
	const std::size_t d = shape.dimensions;
	double factor = 1 / unit;
	if (shape.metric == Metric::kCosine) {
		bring_to_unit_range(vector, out, d);
		const double length = norm(out, d);
		factor = length > 0 ? factor / length : 0;
		vector = out;
	}
	for (std::size_t i = 0; i < d; i++) {
		const double value = vector[i] * factor;
		out[i] = static_cast<float>(value > kFarthest ? kFarthest : value < -kFarthest ? -kFarthest : value);
	}
}

/// What a sum of a query's table entries is multiplied by to be a distance.
inline double distance_per_entry(Metric metric, double unit)
{
	switch (metric) {
	case Metric::kL2:
		return unit * unit;
	case Metric::kCosine:
		return 0.5 * unit * unit;
	case Metric::kInnerProduct:
		return -unit * unit;
	case Metric::kL1:
		break;
	}
	return unit;
}

}  // namespace vectorizer::quantize
