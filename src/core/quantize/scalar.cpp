// Kinds scalar and binary under L2, inner product and cosine: the rotated vector rounded to 2^bits levels of one step a
// vector (at 1 bit, to its signs), and an unbiased estimate of inner products from it (README.md names the papers). Also the
// stand-in of an untrained product code: the same of as many of the rotated coordinates as its bytes hold.
//
// With x' the rotated vector, v the meanings of its levels: Factors.scale = |x|^2 / <v, x'>, Factors.norm = |x|; under
// cosine x is first brought to unit length. The query is rounded to signed bytes of one scale. Everything after the integer
// product is in double.
#include "core/quantize/estimate.hpp"
#include "core/quantize/format.hpp"
#include "core/quantize/levels.hpp"
#include "core/quantize/magnitude.hpp"
#include "core/quantize/method.hpp"
#include "core/simd/distance.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vectorizer::quantize {
namespace {

constexpr double kByteLimit = 127;
constexpr double kRestSteps = 2 * kByteLimit;  // of the rest, to a step of the query: rounding leaves half a step at the most

std::size_t code_size(const Shape &shape)
{
	return shape.kind == Kind::kProduct ? shape.subspaces : packed_bytes(shape.dimensions, shape.bits);
}

// Signed bytes of a query: one a coded dimension, and as many more as the planes of a code have.
std::size_t query_bytes(const Format &format)
{
	return packed_room(packed_bytes(format.coded, format.bits), format.bits);
}

std::size_t computer_size(const Shape &shape)
{
	return query_bytes(format_of(shape));
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

// Of the rotated vector `y`.
Factors encode_rotated(const Tools &tools, const float *y, const Rotated &rotated, std::uint8_t *code)
{
	const Format format = format_of(tools.shape);
	const float largest = largest_magnitude(y, format.coded);
	const Levels &levels = levels_of(format.bits);
	const float per_step = largest > 0 ? 1 / best_step(y, format.coded, largest, levels) : 0;
	double dot = 0;
	std::fill_n(code, code_size(tools.shape), std::uint8_t{0});
	pack(code, format.coded, format.bits, [&](std::size_t i) {
		const float v = meaning(y[i] * per_step, levels);
		dot += double{v} * y[i];
		return static_cast<unsigned>(v + levels.middle);
	});
	if (!(dot > 0))
		return {0, 0};
	return {finite_float(rotated.norm * rotated.norm / dot * rotated.factor), finite_float(rotated.norm * rotated.factor)};
}

Factors encode(const Tools &tools, const float *vector, std::uint8_t *code)
{
	const Rotated rotated = rotate(tools, vector, tools.scratch);
	return encode_rotated(tools, tools.scratch, rotated, code);
}

// The nearest to x along v: v <v, x'> / |v|^2, <v, x'> being norm^2 / scale.
void decode(const Tools &tools, const std::uint8_t *code, Factors factors, float *vector)
{
	const Format format = format_of(tools.shape);
	const double middle = levels_of(format.bits).middle;
	double squares = 0;
	std::fill_n(vector, tools.shape.dimensions, 0.0F);
	unpack(code, format.coded, format.bits, [&](std::size_t i, unsigned level) {
		vector[i] = static_cast<float>(level - middle);
		squares += double{vector[i]} * vector[i];
	});
	tools.rotation->undo(vector);
	const double factor = factors.scale > 0 ? double{factors.norm} / factors.scale * factors.norm / squares : 0;
	for (std::size_t i = 0; i < tools.shape.dimensions; i++)
		vector[i] = finite_float(vector[i] * factor);
}

template <Metric metric>
double distance(const Computer &computer, const std::uint8_t *code, Factors factors)
{
	const auto *query = static_cast<const std::int8_t *>(computer.query);
	const double dot = computer.kernel.dot(query, code, computer.length) - computer.middle;
	return from_inner_product<metric>(computer, dot, factors);
}

template <Metric metric>
double finer_distance(const Computer &computer, const std::uint8_t *code, Factors factors)
{
	const auto *query = static_cast<const std::int8_t *>(computer.query);
	const auto *rest = static_cast<const std::int8_t *>(computer.rest);
	const double dot = computer.kernel.dot(query, code, computer.length) - computer.middle;
	const double more = computer.kernel.dot(rest, code, computer.length) - computer.rest_middle;
	return from_inner_product<metric>(computer, dot + more / kRestSteps, factors);
}

template <Metric metric>
double error(const Computer &computer, Factors factors, double estimate)
{
	return error_of_inner_product<metric>(computer, factors, estimate, computer.unit_error);
}

// The tangent of the angle between x' and v, fitted to the root mean square over encoded Gaussian vectors, d from 1 to
// 16,000 (README.md has the table). At 8 and 4 bits the step follows the largest coordinate, which grows with sqrt(ln d),
// until clipping pays more than following it; at 2 and 1 it is the Gaussian's own, less by luck in few dimensions.
double tangent(unsigned bits, double d)
{
	const double growth = std::sqrt(std::log(d));
	switch (bits) {
	case 8:
		return 0.0029 * growth;
	case 4:
		return std::min(0.107, 0.045 * growth);
	case 2:
		return std::min(0.366, 0.19 * growth);
	default:
		return std::sqrt((std::numbers::pi / 2 - 1) * (1 - 1 / d));
	}
}

// The code's error for unit vectors in random directions: tan(x', v) / sqrt(d).
double code_error(const Shape &shape)
{
	const Format format = format_of(shape);
	const double d = shape.dimensions, coded = static_cast<double>(format.coded);
	const double of_coded = tangent(format.bits, coded);
	return std::sqrt(((1 + of_coded * of_coded) * d / coded - 1) / d);
}

decltype(simd::Kernels::dot_s8_u8) kernel_of(unsigned bits)
{
	const simd::Kernels &kernels = simd::kernels();
	return bits == 8   ? kernels.dot_s8_u8
	       : bits == 4 ? kernels.dot_s8_u4
	       : bits == 2 ? kernels.dot_s8_u2
	                   : kernels.dot_s8_u1;
}

template <Metric metric>
void set_metric(Computer &computer, double scale)
{
	computer.distance_ = distance<metric>;
	computer.error_ = error<metric>;
	set_constants<metric>(computer, scale);
}

// `scale` is that of the query's integers, `sum` their sum.
Computer computer_over(const Shape &shape, const std::int8_t *query, double norm, double scale, double sum)
{
	const Format format = format_of(shape);
	Computer computer;
	computer.query = query;
	computer.length = format.coded;
	computer.dimensions = shape.dimensions;
	computer.kernel.dot = kernel_of(format.bits);
	computer.middle = levels_of(format.bits).middle * sum;
	computer.norm = norm;
	computer.unit_error = code_error(shape);
	if (shape.metric == Metric::kL2)
		set_metric<Metric::kL2>(computer, scale);
	else if (shape.metric == Metric::kCosine)
		set_metric<Metric::kCosine>(computer, scale);
	else
		set_metric<Metric::kInnerProduct>(computer, scale);
	return computer;
}

/// Fills what finer() takes: the rest that rounding the rotated query `y` to `computer`'s bytes left.
void add_rest(const Shape &shape, Computer &computer, std::span<const float> y, float per_step, const Arena &arena)
{
	const Format format = format_of(shape);
	const auto *bytes = static_cast<const std::int8_t *>(computer.query);
	const std::span<std::int8_t> rest = arena.array<std::int8_t>(query_bytes(format));
	std::fill(rest.begin(), rest.end(), std::int8_t{0});
	std::int32_t sum = 0;
	for (std::size_t i = 0; i < format.coded; i++) {
		const float left = y[i] * per_step - static_cast<float>(bytes[i]);
		rest[i] = static_cast<std::int8_t>(std::lrint(left * static_cast<float>(kRestSteps)));
		sum += rest[i];
	}
	computer.rest = rest.data();
	computer.rest_middle = levels_of(format.bits).middle * sum;
	computer.finer_query_error = computer.query_error / kRestSteps;
	computer.finer_ = shape.metric == Metric::kL2       ? finer_distance<Metric::kL2>
	                  : shape.metric == Metric::kCosine ? finer_distance<Metric::kCosine>
	                                                    : finer_distance<Metric::kInnerProduct>;
}

// Of the rotated vector `y`; with what finer() takes, if wanted.
Computer query_rotated(const Tools &tools, std::span<const float> y, const Rotated &rotated, const Arena &arena, bool finer)
{
	const Format format = format_of(tools.shape);
	const std::span<std::int8_t> bytes = arena.array<std::int8_t>(query_bytes(format));
	const double step = largest_magnitude(y.data(), format.coded) / kByteLimit;
	const auto per_step = static_cast<float>(step > 0 ? 1 / step : 0);
	std::int32_t sum = 0;
	for (std::size_t i = 0; i < format.coded; i++) {
		bytes[i] = static_cast<std::int8_t>(std::lrint(y[i] * per_step));
		sum += bytes[i];
	}
	std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(format.coded), bytes.end(), std::int8_t{0});
	const double scale = step * rotated.factor;
	Computer computer = computer_over(tools.shape, bytes.data(), rotated.norm * rotated.factor, scale, sum);
	computer.query_error = scale / std::sqrt(12.0);
	if (finer && format.bits == 8)
		add_rest(tools.shape, computer, y, per_step, arena);
	return computer;
}

Computer query(const Tools &tools, const float *vector, const Arena &arena)
{
	const std::span<float> y = arena.array<float>(tools.shape.dimensions);
	const Rotated rotated = rotate(tools, vector, y.data());
	return query_rotated(tools, y, rotated, arena, true);
}

Factors encode_and_query(const Tools &tools, const float *vector, std::uint8_t *code, const Arena &arena, Computer *computer)
{
	const std::span<const float> y(tools.scratch, tools.shape.dimensions);
	const Rotated rotated = rotate(tools, vector, tools.scratch);
	*computer = query_rotated(tools, y, rotated, arena, false);
	return encode_rotated(tools, y.data(), rotated, code);
}

// The meanings themselves are the query, doubled below 8 bits to be integers: the estimate is scale * scale * <v, w>, the
// same from both sides.
Computer query_code(const Tools &tools, const std::uint8_t *code, Factors factors, std::span<std::uint8_t> space)
{
	const Format format = format_of(tools.shape);
	auto *bytes = reinterpret_cast<std::int8_t *>(space.data());
	std::int32_t sum = 0;
	const int unit = format.bits == 8 ? 1 : 2;
	if (format.bits == 4) {
		sum = unpack_doubled(code, format.coded, bytes);
	}
	else {
		std::fill(bytes, bytes + query_bytes(format), std::int8_t{0});
		const int middle = format.bits == 8 ? 128 : (1 << format.bits) - 1;
		unpack(code, format.coded, format.bits, [&](std::size_t i, unsigned level) {
			bytes[i] = static_cast<std::int8_t>(unit * static_cast<int>(level) - middle);
			sum += bytes[i];
		});
	}
	Computer computer = computer_over(tools.shape, bytes, factors.norm, double{factors.scale} / unit, sum);
	computer.unit_error *= std::sqrt(2.0);
	return computer;
}

}  // namespace

constinit const Method kScalarMethod = {
	.rotates = true,
	.code_bytes = code_size,
	.computer_bytes = computer_size,
	.encode = encode,
	.decode = decode,
	.query = query,
	.encode_and_query = encode_and_query,
	.query_code = query_code,
};

}  // namespace vectorizer::quantize
