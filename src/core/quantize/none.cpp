// Kind none: the code is the vector itself, as floats in the machine's byte order; of unit length under cosine.
//
// Factors: scale is 1, norm is the Euclidean norm of the vector that was given. Distances are those of exact_distance(),
// to the last bit except under cosine, where the code's rounding shows.
#include "core/quantize/magnitude.hpp"
#include "core/quantize/method.hpp"
#include "core/simd/distance.hpp"

#include <algorithm>
#include <cstring>

namespace vectorizer::quantize {
namespace {

std::size_t vector_bytes(const Shape &shape)
{
	return shape.dimensions * sizeof(float);
}

// Returns the norm of the vector as given.
double to_unit_length(const float *vector, float *out, std::size_t dimensions)
{
	const double factor = bring_to_unit_range(vector, out, dimensions);
	const double length = norm(out, dimensions);
	if (length > 0)
		for (std::size_t i = 0; i < dimensions; i++)
			out[i] = static_cast<float>(out[i] / length);
	return length * factor;
}

template <Metric metric>
double distance(const Computer &computer, const std::uint8_t *code, Factors)
{
	const auto *query = static_cast<const float *>(computer.query);
	const double found = computer.kernel.floats(query, reinterpret_cast<const float *>(code), computer.length);
	if constexpr (metric == Metric::kCosine)
		return std::clamp(1 - found, 0.0, 2.0);
	return ordered(metric == Metric::kInnerProduct ? -found : found);
}

double error(const Computer &computer, Factors, double)
{
	return computer.unit_error;
}

Computer computer_over(const Shape &shape, const void *query)
{
	Computer computer;
	computer.query = query;
	computer.length = shape.dimensions;
	computer.error_ = error;
	switch (shape.metric) {
	case Metric::kL2:
		computer.kernel.floats = simd::kernels().l2_squared;
		computer.distance_ = distance<Metric::kL2>;
		break;
	case Metric::kInnerProduct:
		computer.kernel.floats = simd::kernels().inner_product;
		computer.distance_ = distance<Metric::kInnerProduct>;
		break;
	case Metric::kCosine:
		computer.kernel.floats = simd::kernels().inner_product;
		computer.distance_ = distance<Metric::kCosine>;
		computer.unit_error = 1e-7;
		break;
	case Metric::kL1:
		computer.kernel.floats = simd::kernels().l1;
		computer.distance_ = distance<Metric::kL1>;
		break;
	}
	return computer;
}

Factors encode(const Tools &tools, const float *vector, std::uint8_t *code)
{
	const std::size_t d = tools.shape.dimensions;
	double length;
	if (tools.shape.metric == Metric::kCosine) {
		length = to_unit_length(vector, tools.scratch, d);
		std::memcpy(code, tools.scratch, vector_bytes(tools.shape));
	} else {
		length = bring_to_unit_range(vector, tools.scratch, d);
		length *= norm(tools.scratch, d);
		std::memcpy(code, vector, vector_bytes(tools.shape));
	}
	return {1, finite_float(length)};
}

void decode(const Tools &tools, const std::uint8_t *code, Factors, float *vector)
{
	std::memcpy(vector, code, vector_bytes(tools.shape));
}

Computer query(const Tools &tools, const float *vector, const Arena &arena)
{
	const std::span<float> copy = arena.array<float>(tools.shape.dimensions);
	if (tools.shape.metric == Metric::kCosine)
		to_unit_length(vector, copy.data(), copy.size());
	else
		std::memcpy(copy.data(), vector, vector_bytes(tools.shape));
	return computer_over(tools.shape, copy.data());
}

Computer query_code(const Tools &tools, const std::uint8_t *code, Factors, std::span<std::uint8_t> space)
{
	std::memcpy(space.data(), code, vector_bytes(tools.shape));
	return computer_over(tools.shape, space.data());
}

}  // namespace

constinit const Method kNoneMethod = {
	.rotates = false,
	.code_bytes = vector_bytes,
	.computer_bytes = vector_bytes,
	.encode = encode,
	.decode = decode,
	.query = query,
	.query_code = query_code,
};

}  // namespace vectorizer::quantize
