// Kind scalar under L1, which no rotation keeps: each vector's range is cut into 2^bits - 1 equal steps.
//
// A level u means norm + scale * u, so Factors.norm is the smallest coordinate and Factors.scale the step. The query stays
// in floats. A level is off by up to half a step, uniformly: over d dimensions one sigma is step * sqrt(d / 12).
#include "core/quantize/magnitude.hpp"
#include "core/quantize/method.hpp"
#include "core/quantize/packing.hpp"
#include "core/simd/distance.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vectorizer::quantize {
namespace {

std::size_t code_size(const Shape &shape)
{
	return packed_bytes(shape.dimensions, shape.bits);
}

std::size_t computer_size(const Shape &shape)
{
	return shape.dimensions * sizeof(float);
}

Factors encode(const Tools &tools, const float *vector, std::uint8_t *code)
{
	const std::size_t d = tools.shape.dimensions;
	const auto [smallest, largest] = std::minmax_element(vector, vector + d);
	const double offset = *smallest;
	const int top = (1 << tools.shape.bits) - 1;
	const float step = finite_float((*largest - offset) / top);
	// A range of a few denormals has no inverse step that is finite in float: divide in double.
	const double per_step = step > 0 ? 1 / double{step} : 0;
	pack(code, d, tools.shape.bits, [&](std::size_t i) {
		const auto level = static_cast<int>((vector[i] - offset) * per_step + 0.5);
		return static_cast<unsigned>(std::clamp(level, 0, top));
	});
	return {step, *smallest};
}

double error(const Computer &computer, Factors factors, double)
{
	return std::hypot(computer.unit_error * factors.scale, computer.query_error);
}

// Rounding lengthens: around a difference of zero the error counts in full whichever way it goes, so that over d
// differences of density f(0) at zero the sum grows by f(0) sigma^2. For Gaussian differences f(0) = d / (pi * sum).
double without_bias(double sum, double variance, double dimensions)
{
	return sum > 0 ? std::max(0.0, sum - dimensions * variance / (std::numbers::pi * sum)) : 0;
}

double distance(const Computer &computer, const std::uint8_t *code, Factors factors)
{
	const auto *query = static_cast<const float *>(computer.query);
	const double sum = computer.kernel.steps(query, code, factors.norm, factors.scale, computer.dimensions);
	const double of_code = computer.unit_error * factors.scale;
	const double variance = of_code * of_code + computer.query_error * computer.query_error;
	return ordered(without_bias(sum, variance, static_cast<double>(computer.dimensions)));
}

Computer computer_over(const Shape &shape, const void *query)
{
	Computer computer;
	computer.distance_ = distance;
	computer.error_ = error;
	computer.kernel.steps = shape.bits == 8 ? simd::kernels().l1_u8 : simd::kernels().l1_u4;
	computer.query = query;
	computer.dimensions = shape.dimensions;
	computer.unit_error = std::sqrt(shape.dimensions / 12.0);
	return computer;
}

Computer query(const Tools &tools, const float *vector, const Arena &arena)
{
	const std::span<float> copy = arena.array<float>(tools.shape.dimensions);
	std::copy_n(vector, copy.size(), copy.data());
	return computer_over(tools.shape, copy.data());
}

Computer query_code(const Shape &shape, const std::uint8_t *code, Factors factors, std::span<std::uint8_t> space)
{
	auto *values = reinterpret_cast<float *>(space.data());
	unpack(code, shape.dimensions, shape.bits, [&](std::size_t i, unsigned level) {
		values[i] = finite_float(factors.norm + double{factors.scale} * level);
	});
	Computer computer = computer_over(shape, values);
	computer.query_error = computer.unit_error * factors.scale;
	return computer;
}

}  // namespace

constinit const Method kScalarL1Method = {
	.rotates = false,
	.code_bytes = code_size,
	.computer_bytes = computer_size,
	.encode = encode,
	.query = query,
	.query_code = query_code,
};

}  // namespace vectorizer::quantize
