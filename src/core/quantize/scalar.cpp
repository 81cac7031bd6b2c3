// Kind scalar under L2, inner product and cosine: the rotated vector rounded to 2^bits levels of one step a vector, and an
// unbiased estimate of inner products from it (README.md names the papers).
//
// With x' the rotated vector, v the meanings of its levels: Factors.scale = |x|^2 / <v, x'>, Factors.norm = |x|; under
// cosine x is first brought to unit length. Then <x, q> is estimated by scale * <v, q'>: exact along x, and off by
// |x| |q| tan(x', v) / sqrt(d) at random across it. The query is rounded to signed bytes of one scale.
// Everything after the integer product is in double.
#include "core/quantize/levels.hpp"
#include "core/quantize/magnitude.hpp"
#include "core/quantize/method.hpp"
#include "core/quantize/packing.hpp"
#include "core/simd/distance.hpp"

#include <algorithm>
#include <cmath>

namespace vectorizer::quantize {
namespace {

constexpr double kByteLimit = 127;

std::size_t code_size(const Shape &shape)
{
	return packed_bytes(shape.dimensions, shape.bits);
}

// Room for one signed byte a dimension.
std::size_t computer_size(const Shape &shape)
{
	return shape.dimensions;
}

/// A vector rotated, within the range where floats are safe.
struct Rotated {
	double factor;  // the vector is this times what was written
	double norm;    // of what was written
};

Rotated rotate(const Tools &tools, const float *vector, float *out)
{
	const std::size_t d = tools.shape.dimensions;
	Rotated rotated;
	rotated.factor = bring_to_unit_range(vector, out, d);
	rotated.norm = norm(out, d);
	tools.rotation->apply(out);
	if (tools.shape.metric == Metric::kCosine)
		rotated.factor = rotated.norm > 0 ? 1 / rotated.norm : 0;
	return rotated;
}

Factors encode(const Tools &tools, const float *vector, std::uint8_t *code)
{
	const std::size_t d = tools.shape.dimensions;
	const float *y = tools.scratch;
	const Rotated rotated = rotate(tools, vector, tools.scratch);
	const float largest = largest_magnitude(y, d);
	const Levels &levels = levels_of(tools.shape.bits);
	const float per_step = largest > 0 ? 1 / best_step(y, d, largest, levels) : 0;
	double dot = 0;
	pack(code, d, tools.shape.bits, [&](std::size_t i) {
		const float v = meaning(y[i] * per_step, levels);
		dot += double{v} * y[i];
		return static_cast<unsigned>(v + levels.middle);
	});
	if (!(dot > 0))
		return {0, 0};
	return {finite_float(rotated.norm * rotated.norm / dot * rotated.factor), finite_float(rotated.norm * rotated.factor)};
}

template <Metric metric>
double to_inner_product(double distance, double norm_x, double norm_q)
{
	if constexpr (metric == Metric::kL2)
		return (norm_x * norm_x + norm_q * norm_q - distance) / 2;
	if constexpr (metric == Metric::kCosine)
		return 1 - distance;
	return -distance;
}

// constant + slope * <x, q>, and |x|^2 more under L2; a NaN of damaged factors stays one.
template <Metric metric>
double distance(const Computer &computer, const std::uint8_t *code, Factors factors)
{
	const auto *query = static_cast<const std::int8_t *>(computer.query);
	const double dot = computer.kernel.dot(query, code, computer.dimensions) - computer.middle;
	double found = computer.constant + computer.slope * dot * factors.scale;
	if constexpr (metric == Metric::kL2)
		found += double{factors.norm} * factors.norm;
	if constexpr (metric != Metric::kInnerProduct)
		found = found < 0 ? 0 : found;
	if constexpr (metric == Metric::kCosine)
		found = found > 2 ? 2 : found;
	return found;
}

template <Metric metric>
double error(const Computer &computer, Factors factors, double estimate)
{
	const double norms = factors.norm * computer.norm;
	double across = 1;  // the query's part across the vector, squared, relative to that of a query at random
	if (estimate == estimate && norms > 0 && computer.dimensions > 1) {
		const double cosine = to_inner_product<metric>(estimate, factors.norm, computer.norm) / norms;
		const double at_random = 1 - 1.0 / computer.dimensions;
		across = std::max(0.0, 1 - cosine * cosine) / at_random;
	}
	const double of_code = norms * computer.unit_error;
	const double of_query = factors.norm * computer.query_error;
	const double of_product = std::sqrt(of_code * of_code * across + of_query * of_query);
	return metric == Metric::kL2 ? 2 * of_product : of_product;
}

// The code's error for unit vectors in random directions: tan(x', v) / sqrt(d). The tangent is fitted to the root mean
// square over encoded Gaussian vectors, d from 1 to 16,000 (within 30% at d < 8, 12% above): the step follows the largest
// coordinate, which grows with sqrt(ln d), until clipping pays more than following it. README.md has the table.
double code_error(const Shape &shape)
{
	const double d = shape.dimensions;
	const double growth = std::sqrt(std::log(d));
	const double tangent = shape.bits == 8 ? 0.0029 * growth : std::min(0.107, 0.045 * growth);
	return tangent / std::sqrt(d);
}

// `scale` is that of the query's integers, `sum` their sum.
template <Metric metric>
void set_metric(Computer &computer, double scale, double sum)
{
	computer.distance_ = distance<metric>;
	computer.error_ = error<metric>;
	computer.middle *= sum;
	computer.slope = metric == Metric::kL2 ? -2 * scale : -scale;
	computer.constant = metric == Metric::kL2 ? computer.norm * computer.norm : metric == Metric::kCosine ? 1 : 0;
}

Computer computer_over(const Shape &shape, const std::int8_t *query, double norm, double scale, double sum)
{
	Computer computer;
	computer.query = query;
	computer.dimensions = shape.dimensions;
	computer.kernel.dot = shape.bits == 8 ? simd::kernels().dot_s8_u8 : simd::kernels().dot_s8_u4;
	computer.middle = levels_of(shape.bits).middle;
	computer.norm = norm;
	computer.unit_error = code_error(shape);
	if (shape.metric == Metric::kL2)
		set_metric<Metric::kL2>(computer, scale, sum);
	else if (shape.metric == Metric::kCosine)
		set_metric<Metric::kCosine>(computer, scale, sum);
	else
		set_metric<Metric::kInnerProduct>(computer, scale, sum);
	return computer;
}

Computer query(const Tools &tools, const float *vector, const Arena &arena)
{
	const std::size_t d = tools.shape.dimensions;
	const std::span<float> y = arena.array<float>(d);
	const std::span<std::int8_t> bytes = arena.array<std::int8_t>(d);
	const Rotated rotated = rotate(tools, vector, y.data());
	const double step = largest_magnitude(y.data(), d) / kByteLimit;
	const auto per_step = static_cast<float>(step > 0 ? 1 / step : 0);
	std::int32_t sum = 0;
	for (std::size_t i = 0; i < d; i++) {
		bytes[i] = static_cast<std::int8_t>(std::lrint(y[i] * per_step));
		sum += bytes[i];
	}
	const double scale = step * rotated.factor;
	Computer computer = computer_over(tools.shape, bytes.data(), rotated.norm * rotated.factor, scale, sum);
	computer.query_error = scale / std::sqrt(12.0);
	return computer;
}

// The meanings themselves are the query, doubled at 4 bits to be integers: the estimate is scale * scale * <v, w>, the same
// from both sides.
Computer query_code(const Shape &shape, const std::uint8_t *code, Factors factors, std::span<std::uint8_t> space)
{
	const std::size_t d = shape.dimensions;
	auto *bytes = reinterpret_cast<std::int8_t *>(space.data());
	std::int32_t sum = 0;
	const int unit = shape.bits == 8 ? 1 : 2;
	const int middle = shape.bits == 8 ? 128 : 15;
	unpack(code, d, shape.bits, [&](std::size_t i, unsigned level) {
		bytes[i] = static_cast<std::int8_t>(unit * static_cast<int>(level) - middle);
		sum += bytes[i];
	});
	Computer computer = computer_over(shape, bytes, factors.norm, double{factors.scale} / unit, sum);
	computer.unit_error *= std::sqrt(2.0);
	return computer;
}

}  // namespace

constinit const Method kScalarMethod = {
	.rotates = true,
	.code_bytes = code_size,
	.computer_bytes = computer_size,
	.encode = encode,
	.query = query,
	.query_code = query_code,
};

}  // namespace vectorizer::quantize
