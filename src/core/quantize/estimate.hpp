// From an estimate of <x, q> to the distance and its error, for kinds that estimate inner products.
//
// With Factors.scale = |x|^2 / <v, x> and Factors.norm = |x|, v being what the code stands for, <x, q> is estimated by
// scale * <v, q>: exact along x whatever v is, and off by |x| |q| sin(x, q) tan(v, x) / sqrt(d) where what is left of v
// lies at random across x.
#pragma once

#include "core/quantize/quantizer.hpp"

#include <algorithm>
#include <cmath>

namespace vectorizer::quantize {

/// The distance from factors.scale * `dot`, dot being <v, q> over Computer::slope's unit. A NaN of damaged factors stays one.
template <Metric metric>
double from_inner_product(const Computer &computer, double dot, Factors factors)
{
	double found = computer.constant + computer.slope * dot * factors.scale;
	if constexpr (metric == Metric::kL2)
		found += double{factors.norm} * factors.norm;
	if constexpr (metric != Metric::kInnerProduct)
		found = found < 0 ? 0 : found;
	if constexpr (metric == Metric::kCosine)
		found = found > 2 ? 2 : found;
	return found;
}

/// `scale` is what the query's numbers are to be multiplied by. REQUIRES: computer.norm is set.
template <Metric metric>
void set_constants(Computer &computer, double scale)
{
	computer.slope = metric == Metric::kL2 ? -2 * scale : -scale;
	computer.constant = metric == Metric::kL2 ? computer.norm * computer.norm : metric == Metric::kCosine ? 1 : 0;
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

/// One sigma of the distance, `unit_error` being that of <x, q> for orthogonal x and q of unit length.
template <Metric metric>
double error_of_inner_product(const Computer &computer, Factors factors, double estimate, double unit_error)
{
	const double norms = factors.norm * computer.norm;
	double across = 1;  // the query's part across the vector, squared, relative to that of a query at random
	if (estimate == estimate && norms > 0 && computer.dimensions > 1) {
		const double cosine = to_inner_product<metric>(estimate, factors.norm, computer.norm) / norms;
		const double at_random = 1 - 1 / computer.dimensions;
		// The cosine is an estimate itself: where it says 1, s^2 = 2 (1 - cosine) with an error of unit_error * s is 4 unit_error^2.
		across = std::min(1.0, (std::max(0.0, 1 - cosine * cosine) + 4 * unit_error * unit_error) / at_random);
	}
	const double of_code = norms * unit_error;
	const double of_query = factors.norm * computer.query_error;
	const double of_product = std::sqrt(of_code * of_code * across + of_query * of_query);
	return metric == Metric::kL2 ? 2 * of_product : of_product;
}

}  // namespace vectorizer::quantize
