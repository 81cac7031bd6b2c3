// Kinds scalar and binary under L1, which no rotation keeps: each vector's range is cut into 2^bits - 1 equal steps.
//
// A level u means norm + scale * u, so Factors.norm is the meaning of level 0 and Factors.scale the step. From 8 and 4 bits
// the range is the vector's own; at 2 bits it is narrowed to where most coordinates are, at 1 bit to the means of those above
// and below the middle one. The query stays in floats. A level is off by some part of a step: over d dimensions one sigma is
// step * part * sqrt(d), part being 1 / sqrt(12) where errors are uniform.
//
// The stand-in of an untrained product code too small for one bit a dimension holds means of so many parts as it has bytes,
// at 8 bits. Their differences, times the root of what a mean was taken of, are the distance if dimensions are independent.
#include "core/quantize/format.hpp"
#include "core/quantize/magnitude.hpp"
#include "core/quantize/method.hpp"
#include "core/simd/distance.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vectorizer::quantize {
namespace {

/// What is coded: the vector, or means of parts of it.
struct Parts {
	unsigned bits;
	std::size_t count;   // of coded values
	double length;       // of a part: 1, the values are the coordinates
};

Parts parts_of(const Shape &shape)
{
	const Format format = format_of(shape);
	if (format.coded == shape.dimensions || shape.kind != Kind::kProduct)
		return {format.bits, format.coded, 1};
	return {8, shape.subspaces, static_cast<double>(shape.dimensions) / shape.subspaces};
}

std::size_t code_size(const Shape &shape)
{
	return shape.kind == Kind::kProduct ? shape.subspaces : packed_bytes(shape.dimensions, shape.bits);
}

std::size_t computer_size(const Shape &shape)
{
	return parts_of(shape).count * sizeof(float);
}

// Writes the coded values of a vector; may be in place.
void take_parts(const Parts &parts, const Shape &shape, const float *vector, float *out)
{
	if (parts.length == 1) {
		std::copy_n(vector, parts.count, out);
		return;
	}
	for (std::size_t part = 0; part < parts.count; part++) {
		const std::size_t first = part * shape.dimensions / parts.count;
		const std::size_t last = (part + 1) * shape.dimensions / parts.count;
		double total = 0;
		for (std::size_t i = first; i < last; i++)
			total += vector[i];
		out[part] = static_cast<float>(total / static_cast<double>(last - first));
	}
}

struct Range {
	double smallest, step;
};

double mean(const float *values, std::size_t count)
{
	double total = 0;
	for (std::size_t i = 0; i < count; i++)
		total += values[i];
	return total / static_cast<double>(count);
}

// Levels at the means of the values above and below the mean.
Range range_of_halves(const float *values, std::size_t count)
{
	const double middle = mean(values, count);
	double below = 0, above = 0, n_below = 0, n_above = 0;
	for (std::size_t i = 0; i < count; i++) {
		(values[i] < middle ? below : above) += values[i];
		(values[i] < middle ? n_below : n_above) += 1;
	}
	if (n_below == 0 || n_above == 0)
		return {middle, 0};
	return {below / n_below, above / n_above - below / n_below};
}

// For four levels the best step of Gaussian values is their standard deviation, to within half a percent.
Range range_of_quarters(const float *values, std::size_t count)
{
	const double middle = mean(values, count);
	double squares = 0;
	for (std::size_t i = 0; i < count; i++)
		squares += (values[i] - middle) * (values[i] - middle);
	const double step = std::sqrt(squares / static_cast<double>(count));
	return {middle - 1.5 * step, step};
}

Range range_of(const float *values, const Parts &parts)
{
	if (parts.bits == 1)
		return range_of_halves(values, parts.count);
	if (parts.bits == 2)
		return range_of_quarters(values, parts.count);
	const auto [smallest, largest] = std::minmax_element(values, values + parts.count);
	return {*smallest, (double{*largest} - *smallest) / ((1 << parts.bits) - 1)};
}

Factors encode(const Tools &tools, const float *vector, std::uint8_t *code)
{
	const Parts parts = parts_of(tools.shape);
	const float *values = tools.scratch;
	take_parts(parts, tools.shape, vector, tools.scratch);
	const Range range = range_of(values, parts);
	const float offset = finite_float(range.smallest), step = finite_float(range.step);
	const int top = (1 << parts.bits) - 1;
	// A range of a few denormals has no inverse step that is finite in float: divide in double.
	const double per_step = step > 0 ? 1 / double{step} : 0;
	std::fill_n(code, code_size(tools.shape), std::uint8_t{0});
	pack(code, parts.count, parts.bits, [&](std::size_t i) {
		const double level = std::clamp((values[i] - double{offset}) * per_step + 0.5, 0.0, double(top));
		return static_cast<unsigned>(level);
	});
	return {step, offset};
}

void decode(const Tools &tools, const std::uint8_t *code, Factors factors, float *vector)
{
	const Parts parts = parts_of(tools.shape);
	unpack(code, parts.count, parts.bits, [&](std::size_t part, unsigned level) {
		const std::size_t d = tools.shape.dimensions;
		std::fill(vector + part * d / parts.count, vector + (part + 1) * d / parts.count,
		          finite_float(factors.norm + double{factors.scale} * level));
	});
}

// Around a difference of zero an error counts in full whichever way it goes, so that over d differences of density f(0) at
// zero the sum is off by f(0) sigma^2. For Gaussian differences f(0) = d / (pi * sum). Levels that errors are independent of
// (many, evenly spaced) make sums too long by that; levels that are the means of what they stand for, too short.
double bias(double sum, double variance, double dimensions)
{
	return sum > 0 ? dimensions * variance / (std::numbers::pi * sum) : 0;
}

double variance_of(const Computer &computer, Factors factors)
{
	const double of_code = computer.unit_error * factors.scale;
	return of_code * of_code + computer.query_error * computer.query_error;
}

double error(const Computer &computer, Factors factors, double)
{
	return std::sqrt(variance_of(computer, factors));
}

// At two and four levels there is no telling whose differences are Gaussian: the correction may be wrong altogether.
double error_of_few_levels(const Computer &computer, Factors factors, double estimate)
{
	const double variance = variance_of(computer, factors);
	const double sum = estimate == estimate ? estimate : computer.dimensions * factors.scale;
	const double correction = std::min(bias(sum, variance, computer.dimensions), std::sqrt(variance * computer.dimensions));
	return std::hypot(std::sqrt(variance), correction);
}

// Of means there is no telling but for independent dimensions: the spread of a sum of that many absolute values.
double error_of_parts(const Computer &computer, Factors factors, double estimate)
{
	const double spread = std::sqrt((std::numbers::pi / 2 - 1) / static_cast<double>(computer.length));
	const double sum = estimate == estimate ? estimate : computer.dimensions * factors.scale;
	return std::hypot(error(computer, factors, estimate), spread * sum);
}

template <bool few_levels>
double distance(const Computer &computer, const std::uint8_t *code, Factors factors)
{
	const auto *query = static_cast<const float *>(computer.query);
	const double sum = computer.slope * computer.kernel.steps(query, code, factors.norm, factors.scale, computer.length);
	const double by = bias(sum, variance_of(computer, factors), static_cast<double>(computer.length));
	return ordered(few_levels ? sum + std::min(by, sum) : std::max(0.0, sum - by));
}

Computer computer_over(const Shape &shape, const void *query)
{
	const Parts parts = parts_of(shape);
	const simd::Kernels &kernels = simd::kernels();
	Computer computer;
	computer.distance_ = parts.bits < 4 ? distance<true> : distance<false>;
	computer.error_ = parts.length > 1 ? error_of_parts : parts.bits < 4 ? error_of_few_levels : error;
	computer.kernel.steps = parts.bits == 8   ? kernels.l1_u8
	                        : parts.bits == 4 ? kernels.l1_u4
	                        : parts.bits == 2 ? kernels.l1_u2
	                                          : kernels.l1_u1;
	computer.query = query;
	computer.length = parts.count;
	computer.dimensions = shape.dimensions;
	computer.slope = parts.length * std::sqrt(parts.length);
	// Root mean square errors in steps: uniform, or of Gaussian values at four and at two levels.
	const double part_of_step = parts.bits >= 4 ? 1 / std::sqrt(12.0) : parts.bits == 2 ? 0.345 : 0.378;
	computer.unit_error = computer.slope * part_of_step * std::sqrt(static_cast<double>(parts.count));
	return computer;
}

Computer query(const Tools &tools, const float *vector, const Arena &arena)
{
	const Parts parts = parts_of(tools.shape);
	const std::span<float> values = arena.array<float>(parts.count);
	take_parts(parts, tools.shape, vector, values.data());
	return computer_over(tools.shape, values.data());
}

Computer query_code(const Tools &tools, const std::uint8_t *code, Factors factors, std::span<std::uint8_t> space)
{
	const Parts parts = parts_of(tools.shape);
	auto *values = reinterpret_cast<float *>(space.data());
	unpack(code, parts.count, parts.bits, [&](std::size_t i, unsigned level) {
		values[i] = finite_float(factors.norm + double{factors.scale} * level);
	});
	Computer computer = computer_over(tools.shape, values);
	computer.query_error = computer.unit_error * factors.scale;
	return computer;
}

}  // namespace

constinit const Method kScalarL1Method = {
	.rotates = false,
	.code_bytes = code_size,
	.computer_bytes = computer_size,
	.encode = encode,
	.decode = decode,
	.query = query,
	.query_code = query_code,
};

}  // namespace vectorizer::quantize
