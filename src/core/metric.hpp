// The distances an index can order by, in the form that index code compares: smaller is nearer.
#pragma once

#include <cmath>
#include <cstdint>

namespace vectorizer {

/// Stored in the metapage: values never change their meaning.
enum class Metric : std::uint8_t {
	kL2 = 1,            // squared Euclidean distance: same order as `<->`, which takes the root
	kInnerProduct = 2,  // negative inner product, `<#>`
	kCosine = 3,        // 1 - cosine, `<=>`, clamped to [0, 2]; a zero vector has none (NaN)
	kL1 = 4,            // sum of absolute differences, `<+>`
};

/// The cosine distance from <a, b>, <a, a> and <b, b>: the one formula of the SQL operator, of rerank and of tests.
inline double cosine_distance(double dot, double norm_a_squared, double norm_b_squared)
{
	double similarity = dot / std::sqrt(norm_a_squared * norm_b_squared);
	if (similarity > 1)
		similarity = 1;
	else if (similarity < -1)
		similarity = -1;
	return 1 - similarity;
}

/// The one order of distances that all code uses: ascending, every NaN equal and after all numbers.
inline bool nearer(double a, double b)
{
	return a < b || (b != b && a == a);
}

}  // namespace vectorizer
