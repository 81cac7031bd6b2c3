// The order of what two legs of a search found, by meaning and by words: ranks, and one score of both.
//
// Reciprocal rank fusion (Cormack, Clarke and Buettcher 2009), scaled so that first in both lists is 1. Their constant, 60, is
// for lists of a thousand: over a hundred candidates it puts the thirtieth of both lists before the first of one.
//
// Similarities of several spaces do not compare. There a row's place by meaning is that of the weight that its similarity promises:
// the least-squares line of weight on similarity through the rows of its space that both legs found (Si and Callan 2003),
// which neither turns their order nor goes far beyond the weights that there are (src/pg/collection/README.md).
//
// Leaf code without allocations: it works in the caller's memory and does not throw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vectorizer::txt {

enum class SearchMode { kHybrid, kVector, kText };

/// A row that at least one leg found.
struct FoundRow {
	std::int64_t id;
	std::uint32_t collection;  // its place among the names in order
	std::uint32_t space;       // rows of one space have similarities that compare
	bool has_similarity, has_weight;
	double similarity;         // greater is nearer
	double weight;             // BM25

	// What fuse() adds. A rank counts from 1; 0: that leg has not found it.
	double nearness;           // what ranks by meaning
	std::uint32_t vector_rank, text_rank;
	double score;
};

/// Ranks all rows, and writes the places in `rows` of the at most `k` best, best first, to `order`; returns their number. In mode
/// kVector rows without a similarity are left out, and the score is the similarity; in kText it is the weight. A NaN counts as greater than every
/// number, as the server sorts it. REQUIRES: `order` has room for all rows.
std::size_t fuse(std::span<FoundRow> rows, SearchMode mode, std::size_t k, const double *min_score, std::span<std::uint32_t> order) noexcept;

}  // namespace vectorizer::txt
