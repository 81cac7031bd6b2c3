// The levels of a scalar code and the choice of the step between them.
//
// At 4, 2 and 1 bits level u means u - 7.5, u - 1.5 and u - 0.5. At 8 bits level u in 1..255 means u - 128: level 0 is left out, so that a level
// is a signed byte and two codes can be multiplied exactly.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vectorizer::quantize {

struct Levels {
	double middle;  // the level that would mean 0
	float shift;    // levels mean integers + shift
	float limit;    // the largest meaning

	// Steps worth a look: so many, from one that just holds the largest coordinate down to this part of it. From 65
	// dimensions on the tangent is then within 8% (8 bits) and 0.5% (4 bits) of the best step's, 3% and 0.2% at 300.
	int looks;
	float smallest_part;
};

inline constexpr Levels kLevels8 = {128, 0, 127, 8, 0.93F};
inline constexpr Levels kLevels4 = {7.5, 0.5F, 7.5F, 12, 0.45F};

inline constexpr Levels kLevels2 = {1.5, 0.5F, 1.5F, 16, 0.32F};
inline constexpr Levels kLevels1 = {0.5, 0.5F, 0.5F, 1, 1};

constexpr const Levels &levels_of(unsigned bits)
{
	return bits == 8 ? kLevels8 : bits == 4 ? kLevels4 : bits == 2 ? kLevels2 : kLevels1;
}

/// What the code with meanings v says of a vector y.
struct Fit {
	double dot;           // <v, y>
	double norm_squared;  // <v, v>
};

/// Of a few steps, the one whose code is nearest in angle to the vector; `largest` is its largest magnitude, > 0.
float best_step(const float *vector, std::size_t dimensions, float largest, const Levels &levels);

/// What coordinate / step is rounded to.
float meaning(float coordinate_in_steps, const Levels &levels);

}  // namespace vectorizer::quantize
