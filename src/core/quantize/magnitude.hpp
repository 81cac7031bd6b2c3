// Vectors of any finite magnitude brought to where float arithmetic neither overflows nor loses small coordinates.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace vectorizer::quantize {

/// The largest absolute coordinate of a finite vector.
inline float largest_magnitude(const float *vector, std::size_t dimensions)
{
	// Magnitudes of finite floats are ordered as their bits are, and an integer maximum is the faster one.
	std::uint32_t largest = 0;
	for (std::size_t i = 0; i < dimensions; i++) {
		std::uint32_t bits;
		std::memcpy(&bits, vector + i, sizeof bits);
		bits &= 0x7fffffff;
		largest = bits > largest ? bits : largest;
	}
	float value;
	std::memcpy(&value, &largest, sizeof value);
	return value;
}

/// Writes vector / s with s a power of two such that the largest magnitude is in [0.5, 1), and returns s; a zero vector
/// is copied and gives 1.
inline double bring_to_unit_range(const float *vector, float *out, std::size_t dimensions)
{
	int exponent = 0;
	std::frexp(largest_magnitude(vector, dimensions), &exponent);
	const double factor = std::ldexp(1.0, -exponent);
	for (std::size_t i = 0; i < dimensions; i++)
		out[i] = static_cast<float>(vector[i] * factor);
	return std::ldexp(1.0, exponent);
}

/// Euclidean norm, summed in double.
inline double norm(const float *vector, std::size_t dimensions)
{
	double sums[4] = {};
	std::size_t i = 0;
	for (; i + 4 <= dimensions; i += 4)
		for (std::size_t lane = 0; lane < 4; lane++)
			sums[lane] += double{vector[i + lane]} * vector[i + lane];
	for (; i < dimensions; i++)
		sums[0] += double{vector[i]} * vector[i];
	return std::sqrt((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/// The nearest float that is finite.
inline float finite_float(double value)
{
	constexpr double kLargest = std::numeric_limits<float>::max();
	return static_cast<float>(std::fmin(std::fmax(value, -kLargest), kLargest));
}

/// The distance as a Computer gives it: infinity, which sorts last, in the place of a NaN.
inline double ordered(double distance)
{
	return distance == distance ? distance : std::numeric_limits<double>::infinity();
}

}  // namespace vectorizer::quantize
