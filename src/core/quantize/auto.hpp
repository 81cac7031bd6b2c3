// The choice that `quantization = auto` makes: on a sample of the rows, the smallest code that finds their neighbours.
// Leaf code: throws.
#pragma once

#include "core/quantize/evaluate.hpp"

#include <cstddef>
#include <vector>

namespace vectorizer::quantize {

/// What a code must reach on a sample to be chosen. Rank shift is asked of 8 and 4 bits only.
inline constexpr double kLeastRecallAt10 = 0.95;
inline constexpr double kLeastRecallAt100 = 0.90;
inline constexpr double kMostRankShift = 2;
inline constexpr double kLeastBytesSaved = 0.5;

/// Fewer rows tell nothing of those to come.
inline constexpr std::size_t kFewestRows = 1000;

/// Whether rows are found: all gates but the one on bytes, which uncoded vectors do not meet.
bool finds_rows(const Shape &shape, const Evaluation &evaluation);
bool meets_gates(const Shape &shape, const Evaluation &evaluation);

/// The situation of an index.
struct Situation {
	Metric metric;
	std::uint32_t dimensions;
	std::uint64_t seed;
	bool out_of_line;             // vectors are fetched from outside their row: a deep rerank is dear
	std::size_t most_code_bytes;  // what a slot has room for
	std::size_t target_bytes;     // what the user wants a code to take at the most; 0: no wish
};

/// A choice and what it is founded on.
struct Chosen {
	Shape shape;
	std::vector<float> parameters;  // of a product code; empty for the others
	Evaluation evaluation;          // rows 0: nothing was measured
	bool meets_gates = false;
};

/// The data-free choice: 4 bits, or 8 where vectors are out of line, and less where a slot or the wish allows less.
/// REQUIRES, here and below: most_code_bytes is at least 1.
Shape default_shape(const Situation &situation);

/// Measures one code after the other, those preferred first, up to the first that meets the gates. If none does, the widest
/// that fits; with a wish, the one that finds most. default_shape() if there are too few rows. Raises kCancelled.
Chosen choose(const Situation &situation, Rows sample, Stop stop);

}  // namespace vectorizer::quantize
