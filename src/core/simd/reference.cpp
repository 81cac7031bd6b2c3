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

unsigned level_in_planes(const std::uint8_t *code, std::size_t i, std::size_t d, unsigned bits)
{
	const std::size_t planes = 8 / bits;
	const std::size_t n = (d + planes - 1) / planes;
	return code[i % n] >> (i / n * bits) & ((1U << bits) - 1);
}

std::int32_t dot_in_planes(const std::int8_t *query, const std::uint8_t *code, std::size_t d, unsigned bits)
{
	std::int32_t total = 0;
	for (std::size_t i = 0; i < d; i++)
		total += query[i] * static_cast<std::int32_t>(level_in_planes(code, i, d, bits));
	return total;
}

std::int32_t dot_s8_u2(const std::int8_t *query, const std::uint8_t *code, std::size_t d)
{
	return dot_in_planes(query, code, d, 2);
}

std::int32_t dot_s8_u1(const std::int8_t *query, const std::uint8_t *code, std::size_t d)
{
	return dot_in_planes(query, code, d, 1);
}

float l1_in_planes(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d, unsigned bits)
{
	double total = 0;
	for (std::size_t i = 0; i < d; i++)
		total += std::fabs(query[i] - (double{offset} + double{step} * level_in_planes(code, i, d, bits)));
	return static_cast<float>(total);
}

float l1_u2(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d)
{
	return l1_in_planes(query, code, offset, step, d, 2);
}

float l1_u1(const float *query, const std::uint8_t *code, float offset, float step, std::size_t d)
{
	return l1_in_planes(query, code, offset, step, d, 1);
}

template <typename Term>
void over_columns(const float *query, const float *table, std::size_t d, float *out, const Term &term)
{
	for (std::size_t c = 0; c < 256; c++) {
		double total = 0;
		for (std::size_t i = 0; i < d; i++)
			total += term(double{query[i]}, double{table[i * 256 + c]});
		out[c] = static_cast<float>(total);
	}
}

void columns_l2(const float *query, const float *table, std::size_t d, float *out)
{
	over_columns(query, table, d, out, [](double x, double y) { return (x - y) * (x - y); });
}

void columns_inner_product(const float *query, const float *table, std::size_t d, float *out)
{
	over_columns(query, table, d, out, [](double x, double y) { return x * y; });
}

void columns_l1(const float *query, const float *table, std::size_t d, float *out)
{
	over_columns(query, table, d, out, [](double x, double y) { return std::fabs(x - y); });
}

std::size_t nearest_column(const float *distances)
{
	std::size_t nearest = 0;
	for (std::size_t c = 1; c < 256; c++)
		nearest = distances[c] < distances[nearest] ? c : nearest;
	return nearest;
}

float sum_of_entries(const float *table, const std::uint8_t *code, std::size_t n)
{
	double total = 0;
	for (std::size_t i = 0; i < n; i++)
		total += table[256 * i + code[i]];
	return static_cast<float>(total);
}

constinit const Kernels kReferenceKernels = {
	"reference", l2_squared, inner_product, l1, cosine_parts, dot_s8_u8, dot_s8_u4, dot_s8_u2, dot_s8_u1,
	l1_u8, l1_u4, l1_u2, l1_u1, columns_l2, columns_inner_product, columns_l1, nearest_column, sum_of_entries,
};

}  // namespace

const Kernels &reference_kernels()
{
	return kReferenceKernels;
}

}  // namespace vectorizer::simd
