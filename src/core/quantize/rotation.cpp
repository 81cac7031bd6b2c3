#include "core/quantize/rotation.hpp"

#include <simde/x86/sse2.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace vectorizer::quantize {
namespace {

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
std::uint64_t splitmix64(std::uint64_t &state)
{
	std::uint64_t z = state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

// (a, b) -> (a + b, a - b), coordinate by coordinate.
void butterfly(float *a, float *b, std::size_t count)
{
	std::size_t i = 0;
	for (; i + 4 <= count; i += 4) {
		const simde__m128 x = simde_mm_loadu_ps(a + i);
		const simde__m128 y = simde_mm_loadu_ps(b + i);
		simde_mm_storeu_ps(a + i, simde_mm_add_ps(x, y));
		simde_mm_storeu_ps(b + i, simde_mm_sub_ps(x, y));
	}
	for (; i < count; i++) {
		const float x = a[i], y = b[i];
		a[i] = x + y;
		b[i] = x - y;
	}
}

void multiply(float *vector, float factor, std::size_t count)
{
	const simde__m128 factors = simde_mm_set1_ps(factor);
	std::size_t i = 0;
	for (; i + 4 <= count; i += 4)
		simde_mm_storeu_ps(vector + i, simde_mm_mul_ps(simde_mm_loadu_ps(vector + i), factors));
	for (; i < count; i++)
		vector[i] *= factor;
}

// Bits `at` to `at` + 63 of these, of which at least one lies within them. One more word follows the last.
std::uint64_t bits_from(const std::uint64_t *words, std::size_t at)
{
	const std::uint64_t *word = words + at / 64;
	const unsigned skipped = at % 64;
	return skipped == 0 ? word[0] : word[0] >> skipped | word[1] << (64 - skipped);
}

// Changes the sign of each coordinate whose bit is 1.
void change_signs(float *vector, std::uint64_t bits, std::size_t count)
{
	const simde__m128i places = simde_mm_set_epi32(8, 4, 2, 1);
	const simde__m128i minus = simde_mm_set1_epi32(INT32_MIN);
	std::size_t i = 0;
	for (; i + 4 <= count; i += 4, bits >>= 4) {
		const simde__m128i four = simde_mm_and_si128(simde_mm_set1_epi32(static_cast<int>(bits & 15)), places);
		const simde__m128i mask = simde_mm_and_si128(simde_mm_cmpeq_epi32(four, places), minus);
		simde_mm_storeu_ps(vector + i, simde_mm_xor_ps(simde_mm_loadu_ps(vector + i), simde_mm_castsi128_ps(mask)));
	}
	for (; i < count; i++, bits >>= 1)
		if ((bits & 1) != 0)
			vector[i] = -vector[i];
}

// Orthonormal. REQUIRES: n is a power of two.
void hadamard(float *vector, std::size_t n)
{
	std::size_t width = 1;
	if (n >= 4) {
		// Widths 1 and 2 within one group of four: x + y and x - y are y + x and y + -x.
		const simde__m128 second = simde_mm_set_ps(-0.0F, 0.0F, -0.0F, 0.0F), second_pair = simde_mm_set_ps(-0.0F, -0.0F, 0.0F, 0.0F);
		for (float *v = vector; v != vector + n; v += 4) {
			simde__m128 x = simde_mm_loadu_ps(v);
			x = simde_mm_add_ps(simde_mm_shuffle_ps(x, x, 0xb1), simde_mm_xor_ps(x, second));
			x = simde_mm_add_ps(simde_mm_shuffle_ps(x, x, 0x4e), simde_mm_xor_ps(x, second_pair));
			simde_mm_storeu_ps(v, x);
		}
		width = 4;
	}
	for (; width < n; width *= 2)
		for (std::size_t start = 0; start < n; start += 2 * width)
			butterfly(vector + start, vector + start + width, width);
	multiply(vector, static_cast<float>(1 / std::sqrt(static_cast<double>(n))), n);
}

}  // namespace

Rotation::Rotation(std::uint32_t dimensions, std::uint64_t seed, const Arena &arena)
	: dimensions_(dimensions), block_(std::bit_floor(dimensions))
{
	const std::span<std::uint64_t> signs = arena.array<std::uint64_t>((kRounds * dimensions_ + 63) / 64 + 1);
	std::uint64_t state = seed;
	for (std::uint64_t &word : signs)
		word = splitmix64(state);
	signs_ = signs;
}

// Each of the three steps of a round is its own inverse.
void Rotation::flip(float *vector, std::size_t round) const
{
	for (std::size_t i = 0; i < dimensions_; i += 64)
		change_signs(vector + i, bits_from(signs_.data(), round * dimensions_ + i), std::min<std::size_t>(64, dimensions_ - i));
}

void Rotation::mix(float *vector, std::size_t round) const
{
	hadamard(round % 2 == 0 ? vector : vector + (dimensions_ - block_), block_);
}

void Rotation::turn(float *vector) const
{
	constexpr float kHalfRoot = 0.70710678F;
	if (block_ == dimensions_)
		return;
	const std::size_t half = dimensions_ / 2;
	float *second = vector + (dimensions_ - half);
	butterfly(vector, second, half);
	multiply(vector, kHalfRoot, half);
	multiply(second, kHalfRoot, half);
}

void Rotation::apply(float *vector) const
{
	for (std::size_t round = 0; round < kRounds; round++) {
		flip(vector, round);
		mix(vector, round);
		turn(vector);
	}
}

void Rotation::undo(float *vector) const
{
	for (std::size_t round = kRounds; round-- > 0;) {
		turn(vector);
		mix(vector, round);
		flip(vector, round);
	}
}

}  // namespace vectorizer::quantize
