#include "core/quantize/levels.hpp"

#include <simde/x86/sse2.h>

#include <algorithm>
#include <cmath>

namespace vectorizer::quantize {
namespace {

// The cosine of the code's angle to the vector, times the vector's norm.
double cosine_of(const Fit &fit)
{
	return fit.norm_squared > 0 ? fit.dot / std::sqrt(fit.norm_squared) : 0;
}

double sum(simde__m128 a)
{
	float lanes[4];
	simde_mm_storeu_ps(lanes, a);
	return (double{lanes[0]} + lanes[1]) + (double{lanes[2]} + lanes[3]);
}

Fit fit(const float *vector, std::size_t dimensions, float per_step, const Levels &levels)
{
	const simde__m128 factor = simde_mm_set1_ps(per_step);
	const simde__m128 shift = simde_mm_set1_ps(levels.shift);
	const simde__m128 top = simde_mm_set1_ps(levels.limit);
	const simde__m128 bottom = simde_mm_set1_ps(-levels.limit);
	simde__m128 dots = simde_mm_setzero_ps(), squares = dots;
	std::size_t i = 0;
	for (; i + 4 <= dimensions; i += 4) {
		const simde__m128 y = simde_mm_loadu_ps(vector + i);
		const simde__m128 wanted = simde_mm_min_ps(simde_mm_max_ps(simde_mm_mul_ps(y, factor), bottom), top);
		const simde__m128i rounded = simde_mm_cvtps_epi32(simde_mm_sub_ps(wanted, shift));
		const simde__m128 v = simde_mm_add_ps(simde_mm_cvtepi32_ps(rounded), shift);
		dots = simde_mm_add_ps(dots, simde_mm_mul_ps(v, y));
		squares = simde_mm_add_ps(squares, simde_mm_mul_ps(v, v));
	}
	Fit result = {sum(dots), sum(squares)};
	for (; i < dimensions; i++) {
		const double v = meaning(vector[i] * per_step, levels);
		result.dot += v * vector[i];
		result.norm_squared += v * v;
	}
	return result;
}

}  // namespace

float meaning(float coordinate_in_steps, const Levels &levels)
{
	const float wanted = std::clamp(coordinate_in_steps, -levels.limit, levels.limit);
	return static_cast<float>(std::lrint(wanted - levels.shift)) + levels.shift;
}

float best_step(const float *vector, std::size_t dimensions, float largest, const Levels &levels)
{
	// From the step that just holds the largest coordinate downwards: clipping the few largest pays where many others gain.
	// The more dimensions, the flatter the optimum and the dearer a look; the fewer, the more luck there is to be had.
	const int looks = levels.looks > 1 && dimensions <= 64 ? 48 : levels.looks;
	float best = 0;
	double best_cosine = -1;
	for (int look = 0; look < looks; look++) {
		const float part = 1 - (1 - levels.smallest_part) * static_cast<float>(look) / static_cast<float>(looks);
		const float step = largest * part / levels.limit;
		const double cosine = cosine_of(fit(vector, dimensions, 1 / step, levels));
		if (cosine > best_cosine) {
			best_cosine = cosine;
			best = step;
		}
	}
	return best;
}

}  // namespace vectorizer::quantize
