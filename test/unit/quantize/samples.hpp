// Seeded vectors for the tests of the quantizers.
#pragma once

#include "core/quantize/heap.hpp"
#include "core/quantize/quantizer.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <vector>

namespace vectorizer::quantize::test {

using Vector = std::vector<float>;

inline Vector gaussian(std::mt19937_64 &random, std::size_t dimensions)
{
	std::normal_distribution<float> normal;
	Vector vector(dimensions);
	for (float &x : vector)
		x = normal(random);
	return vector;
}

/// Points around `clusters` centres that share a direction, as embeddings do; spread is that of a point around its centre.
inline std::vector<Vector> clustered(std::uint64_t seed, std::size_t count, std::size_t dimensions, std::size_t clusters,
                                     float spread)
{
	std::mt19937_64 random(seed);
	const Vector common = gaussian(random, dimensions);
	std::vector<Vector> centres;
	for (std::size_t i = 0; i < clusters; i++)
		centres.push_back(gaussian(random, dimensions));
	std::vector<Vector> points;
	for (std::size_t i = 0; i < count; i++) {
		Vector point = gaussian(random, dimensions);
		const Vector &centre = centres[random() % clusters];
		for (std::size_t j = 0; j < dimensions; j++)
			point[j] = common[j] + centre[j] + spread * point[j];
		points.push_back(point);
	}
	return points;
}

struct Encoded {
	std::vector<std::uint8_t> code;
	Factors factors;
};

inline Encoded encode(const Quantizer &quantizer, const Vector &vector)
{
	Encoded encoded{std::vector<std::uint8_t>(quantizer.code_bytes()), {}};
	encoded.factors = quantizer.encode(vector.data(), encoded.code.data());
	return encoded;
}

inline Shape shape_of(Metric metric, unsigned bits, std::size_t dimensions)
{
	const Kind kind = bits == 32 ? Kind::kNone : bits == 1 ? Kind::kBinary : Kind::kScalar;
	return {kind, static_cast<std::uint8_t>(bits), metric, static_cast<std::uint32_t>(dimensions), 42};
}

inline Shape product_of(Metric metric, std::size_t dimensions, std::size_t subspaces)
{
	return {Kind::kProduct, 8, metric, static_cast<std::uint32_t>(dimensions), 42, static_cast<std::uint16_t>(subspaces)};
}

/// Rows one after the other, as training and evaluation take them.
inline Vector joined(const std::vector<Vector> &vectors)
{
	Vector all;
	for (const Vector &vector : vectors)
		all.insert(all.end(), vector.begin(), vector.end());
	return all;
}

inline constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kL1};
inline constexpr unsigned kWidths[] = {32, 8, 4, 2, 1};

}  // namespace vectorizer::quantize::test
