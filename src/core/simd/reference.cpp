// The scalar reference: sums in double, one dimension after the other, as a reader would write them.
#include "core/simd/distance.hpp"

#include <cmath>

namespace vectorizer::simd {
namespace {

unsigned nibble(const std::uint8_t *code, std::size_t i, std::size_t d)
{
	const std::size_t half = (d + 1) / 2;
	return i < half ? code[i] & 15U : code[i - half] >> 4;
}

float l2_squared(const float *a, const float *b, std::size_t d)
{
	double total = 0;
	for (std::size_t i = 0; i < d; i++) {
		const double diff = double{a[i]} - b[i];
		total += diff * diff;
	}
	return static_cast<float>(total);
}

float inner_product(const float *a, const float *b, std::size_t d)
{
	double total = 0;
	for (std::size_t i = 0; i < d; i++)
		total += double{a[i]} * b[i];
	return static_cast<float>(total);
}

float l1(const float *a, const float *b, std::size_t d)
{
	double total = 0;
	for (std::size_t i = 0; i < d; i++)
		total += std::fabs(double{a[i]} - b[i]);
	return static_cast<float>(total);
}

CosineParts cosine_parts(const float *a, const float *b, std::size_t d)
{
	return {inner_product(a, b, d), inner_product(a, a, d), inner_product(b, b, d)};
}

std::int32_t dot_s8_u8(const std::int8_t *query, const std::uint8_t *code, std::size_t d)
{
	std::int32_t total = 0;
	for (std::size_t i = 0; i < d; i++)
		total += query[i] * code[i];
	return total;
}

std::int32_t dot_s8_u4(const std::int8_t *query, const std::uint8_t *code, std::size_t d)
{
	std::int32_t total = 0;
	for (std::size_t i = 0; i < d; i++)
		total += query[i] * static_cast<std::int32_t>(nibble(code, i, d));
	return total;
}

float l1_u8(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d)
{
	double total = 0;
	for (std::size_t i = 0; i < d; i++)
		total += std::fabs(query[i] - (double{offset} + double{step} * code[i]));
	return static_cast<float>(total);
}

float l1_u4(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d)
{
	double total = 0;
	for (std::size_t i = 0; i < d; i++)
		total += std::fabs(query[i] - (double{offset} + double{step} * nibble(code, i, d)));
	return static_cast<float>(total);
}

constinit const Kernels kReferenceKernels = {
	"reference", l2_squared, inner_product, l1, cosine_parts, dot_s8_u8, dot_s8_u4, l1_u8, l1_u4,
};

}  // namespace

const Kernels &reference_kernels()
{
	return kReferenceKernels;
}

}  // namespace vectorizer::simd
