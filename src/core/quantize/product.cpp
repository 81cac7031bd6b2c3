// Kind product, trained: a vector is cut into subspaces, and the code names the nearest of 256 points in each (Jegou, Douze
// and Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI 2011).
//
// A query is a table of its distances to every point (under inner product, of its products with them); the estimate is the
// sum of the entries that a code names: the distance to the vector v that the points make up. Estimates corrected to be
// exact at x, as those of scalar codes, or by the residual's length, rank coarse codes worse: they trade bias, which
// neighbours share, for variance; what training saw the nearest share is taken off. Under cosine vectors are brought to unit
// length, and the distance is half of L2's, which ranks better than 1 - <v, q>. Dimensions are not rotated: that helps where
// variance lies in few of them (sentences300 at 16 subspaces: .84 of the true ten among forty, not .82) and harms more where
// neighbouring ones go together, as pixels do. Factors.scale = |x - v|, under L1 its sum of magnitudes; Factors.norm = |x|,
// 1 under cosine.
// What points mean is in subspaces.hpp.
//
// Until it is trained its place is taken by scalar.cpp's and scalar_l1.cpp's.
#include "core/quantize/magnitude.hpp"
#include "core/quantize/method.hpp"
#include "core/quantize/subspaces.hpp"
#include "core/simd/distance.hpp"

#include <algorithm>
#include <cmath>

namespace vectorizer::quantize {
namespace {

std::size_t code_size(const Shape &shape)
{
	return shape.subspaces;
}

// A table, and the decoded vector that it is made from.
std::size_t computer_size(const Shape &shape)
{
	return (shape.subspaces * kColumns + shape.dimensions) * sizeof(float);
}

template <typename Visit>
void for_each_subspace(const Tools &tools, const Visit &visit)
{
	const std::size_t d = tools.shape.dimensions, m = tools.shape.subspaces;
	for (std::size_t s = 0; s < m; s++) {
		const std::size_t first = first_dimension(s, d, m);
		visit(s, first, first_dimension(s + 1, d, m) - first);
	}
}

void look_up(const Tools &tools, const std::uint8_t *code, float *out)
{
	const float *table = Codebook::table(tools.parameters);
	for_each_subspace(tools, [&](std::size_t s, std::size_t first, std::size_t width) {
		for (std::size_t i = first; i < first + width; i++)
			out[i] = table[i * kColumns + code[s]];
	});
}

Factors encode(const Tools &tools, const float *vector, std::uint8_t *code)
{
	const simd::Kernels &kernels = simd::kernels();
	const float *table = Codebook::table(tools.parameters);
	const float *x = tools.scratch;
	const double unit = Codebook::unit(tools.parameters);
	to_units(tools.shape, unit, vector, tools.scratch);
	double residual = 0, magnitudes = 0, squares = 0;
	float distances[kColumns];
	for_each_subspace(tools, [&](std::size_t s, std::size_t first, std::size_t width) {
		kernels.columns_l2(x + first, table + first * kColumns, width, distances);
		const std::size_t nearest = kernels.nearest_column(distances);
		code[s] = static_cast<std::uint8_t>(nearest);
		for (std::size_t i = first; i < first + width; i++) {
			const double off = double{table[i * kColumns + nearest]} - x[i];
			residual += off * off;
			magnitudes += std::fabs(off);
			squares += double{x[i]} * x[i];
		}
	});
	const double off = tools.shape.metric == Metric::kL1 ? magnitudes : std::sqrt(residual);
	return {finite_float(off * unit), finite_float(std::sqrt(squares) * unit)};
}

void decode(const Tools &tools, const std::uint8_t *code, Factors, float *vector)
{
	look_up(tools, code, vector);
	for (std::size_t i = 0; i < tools.shape.dimensions; i++)
		vector[i] = finite_float(vector[i] * Codebook::unit(tools.parameters));
}

template <Metric metric>
double distance(const Computer &computer, const std::uint8_t *code, Factors)
{
	const auto *table = static_cast<const float *>(computer.query);
	const double found = computer.slope * (computer.kernel.entries(table, code, computer.length) - computer.middle);
	if constexpr (metric == Metric::kInnerProduct)
		return found;
	if constexpr (metric == Metric::kCosine)
		return std::clamp(found, 0.0, 2.0);
	return found < 0 ? 0 : found;
}

// What training found, in proportion: of <x - v, q - v> to both lengths; under L1 to the residual's.
template <Metric metric>
double error(const Computer &computer, Factors factors, double estimate)
{
	double other = metric == Metric::kL1 ? 1 : computer.norm;  // under L2 and cosine the distance to v
	if ((metric == Metric::kL2 || metric == Metric::kCosine) && estimate == estimate)
		other = std::sqrt(estimate + computer.middle * computer.slope);
	return std::hypot(computer.unit_error * factors.scale * other, computer.query_error * other);
}

template <Metric metric>
void set_metric(Computer &computer, double unit)
{
	computer.distance_ = distance<metric>;
	computer.error_ = error<metric>;
	computer.slope = distance_per_entry(metric, unit);
}

/// Over a vector in units of that length, whose table goes to `table`.
Computer computer_over(const Tools &tools, const float *vector, double length, float *table)
{
	const simd::Kernels &kernels = simd::kernels();
	const double unit = Codebook::unit(tools.parameters);
	Computer computer;
	computer.kernel.entries = kernels.sum_of_entries;
	computer.query = table;
	computer.length = tools.shape.subspaces;
	computer.dimensions = tools.shape.dimensions;
	computer.unit_error = Codebook::unit_error(tools.parameters);
	computer.norm = length * unit;
	computer.middle = Codebook::bias(tools.parameters);
	auto columns = kernels.columns_l2;
	switch (tools.shape.metric) {
	case Metric::kL2:
		set_metric<Metric::kL2>(computer, unit);
		break;
	case Metric::kInnerProduct:
		columns = kernels.columns_inner_product;
		set_metric<Metric::kInnerProduct>(computer, unit);
		break;
	case Metric::kCosine:
		set_metric<Metric::kCosine>(computer, unit);
		break;
	case Metric::kL1:
		columns = kernels.columns_l1;
		set_metric<Metric::kL1>(computer, unit);
		break;
	}
	for_each_subspace(tools, [&](std::size_t s, std::size_t first, std::size_t width) {
		const float *points = Codebook::table(tools.parameters) + first * kColumns;
		columns(vector + first, points, width, table + s * kColumns);
	});
	return computer;
}

Computer query(const Tools &tools, const float *vector, const Arena &arena)
{
	const std::span<float> units = arena.array<float>(tools.shape.dimensions);
	const std::span<float> table = arena.array<float>(tools.shape.subspaces * kColumns);
	to_units(tools.shape, Codebook::unit(tools.parameters), vector, units.data());
	return computer_over(tools, units.data(), norm(units.data(), units.size()), table.data());
}

// From one decoded vector to the other.
Computer query_code(const Tools &tools, const std::uint8_t *code, Factors factors, std::span<std::uint8_t> space)
{
	auto *table = reinterpret_cast<float *>(space.data());
	float *vector = table + tools.shape.subspaces * kColumns;
	look_up(tools, code, vector);
	Computer computer = computer_over(tools, vector, norm(vector, tools.shape.dimensions), table);
	computer.query_error = computer.unit_error * factors.scale;
	computer.middle = Codebook::bias_between(tools.parameters);
	return computer;
}

}  // namespace

constinit const Method kProductMethod = {
	.rotates = false,
	.code_bytes = code_size,
	.computer_bytes = computer_size,
	.encode = encode,
	.decode = decode,
	.query = query,
	.query_code = query_code,
};

}  // namespace vectorizer::quantize
