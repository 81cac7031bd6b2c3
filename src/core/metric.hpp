// The distances an index can order by, in the form that index code compares: smaller is nearer.
#pragma once

#include <cstdint>

namespace vectorizer {

/// Stored in the metapage: values never change their meaning.
enum class Metric : std::uint8_t {
	kL2 = 1,            // squared Euclidean distance: same order as `<->`, which takes the root
	kInnerProduct = 2,  // negative inner product, `<#>`
	kCosine = 3,        // 1 - cosine, `<=>`, clamped to [0, 2]; a zero vector has none (NaN)
	kL1 = 4,            // sum of absolute differences, `<+>`
};

/// The one order of distances that all code uses: ascending, every NaN equal and after all numbers.
inline bool nearer(double a, double b)
{
	return a < b || (b != b && a == a);
}

}  // namespace vectorizer
