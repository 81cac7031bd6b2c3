// A heap arena for the tests of the graph, and seeded vectors.
#pragma once

#include "core/arena.hpp"
#include "core/quantize/quantizer.hpp"

#include <cstddef>
#include <memory>
#include <random>
#include <vector>

namespace vectorizer::graph::test {

/// Gives every allocation a block of exactly its size, filled with garbage, so that what reads it unwritten shows.
class HeapArena {
public:
	Arena arena()
	{
		return {[](void *context, std::size_t bytes) -> void * {
			        auto &self = *static_cast<HeapArena *>(context);
			        self.blocks_.push_back(std::make_unique<std::byte[]>(bytes));
			        std::fill_n(self.blocks_.back().get(), bytes, std::byte{0xA5});
			        return self.blocks_.back().get();
		        },
		        this};
	}
	void clear() { blocks_.clear(); }

private:
	std::vector<std::unique_ptr<std::byte[]>> blocks_;
};

using Vector = std::vector<float>;

/// A mixture of Gaussians: `n` vectors around `clusters` centres.
inline std::vector<Vector> mixture(std::mt19937_64 &random, std::size_t n, std::size_t dimensions, std::size_t clusters)
{
	std::normal_distribution<float> normal;
	std::vector<Vector> centres(clusters, Vector(dimensions));
	for (Vector &centre : centres)
		for (float &x : centre)
			x = 2 * normal(random);
	std::vector<Vector> vectors(n, Vector(dimensions));
	for (Vector &vector : vectors) {
		const Vector &centre = centres[random() % clusters];
		for (std::size_t i = 0; i < dimensions; ++i)
			vector[i] = centre[i] + normal(random);
	}
	return vectors;
}

}  // namespace vectorizer::graph::test
