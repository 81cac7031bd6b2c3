// A random rotation of d dimensions into d dimensions, for any d, in O(d log d): codes are never padded to a power of two.
//
// Each of kRounds rounds multiplies by random signs, applies an orthonormal Walsh-Hadamard transform to p coordinates, the
// first p in even rounds and the last p in odd ones, p the largest power of two <= d, and, where p < d, rotates each
// coordinate of the first half against its partner in the second by 45 degrees (without that, halves that overlap little,
// d = 2p - 1 at worst, would hardly exchange energy). Signs come from splitmix64(seed): bit j of its n-th output is the
// sign of coordinate 64 n + j of all rounds laid end to end, 1 for minus.
//
// The result is a function of (dimensions, seed, vector): the same float operations in the same order on every processor.
#pragma once

#include "core/arena.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace vectorizer::quantize {

class Rotation {
public:
	static constexpr std::size_t kRounds = 6;

	/// Takes kRounds * dimensions bits from the arena. REQUIRES: dimensions >= 1.
	Rotation(std::uint32_t dimensions, std::uint64_t seed, const Arena &arena);

	/// Rotates in place. Norms and inner products are kept up to rounding.
	void apply(float *vector) const;

	/// The inverse, up to rounding.
	void undo(float *vector) const;

private:
	void flip(float *vector, std::size_t round) const;
	void mix(float *vector, std::size_t round) const;
	void turn(float *vector) const;

	std::size_t dimensions_;
	std::size_t block_;              // p
	std::span<const std::uint64_t> signs_;
};

}  // namespace vectorizer::quantize
