#include "core/text/fusion.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace vectorizer::txt {

namespace {

constexpr double kRankConstant = 10;

/// -1, 0 or 1: the greater first, a NaN before all, what is missing last.
int compare_descending(bool has_a, double a, bool has_b, double b)
{
	if (!has_a || !has_b)
		return static_cast<int>(has_b) - static_cast<int>(has_a);
	if (std::isnan(a) || std::isnan(b))
		return static_cast<int>(std::isnan(b)) - static_cast<int>(std::isnan(a));
	return a > b ? -1 : a < b ? 1 : 0;
}

bool by_name(const FoundRow &a, const FoundRow &b)
{
	return std::tie(a.collection, a.id) < std::tie(b.collection, b.id);
}

bool before_by_meaning(const FoundRow &a, const FoundRow &b)
{
	if (const int order = compare_descending(a.has_similarity, a.nearness, b.has_similarity, b.nearness); order != 0)
		return order < 0;
	const int order = compare_descending(a.has_similarity, a.similarity, b.has_similarity, b.similarity);
	return order != 0 ? order < 0 : by_name(a, b);
}

bool before_by_words(const FoundRow &a, const FoundRow &b)
{
	const int order = compare_descending(a.has_weight, a.weight, b.has_weight, b.weight);
	return order != 0 ? order < 0 : by_name(a, b);
}

/// A rank as a key to sort by: what has none comes last.
std::uint32_t rank_key(std::uint32_t rank)
{
	return rank - 1;
}

/// The weight that a similarity of one space promises.
struct Line {
	double most = 0;  // of the weights there
	double mean_similarity = 0, mean_weight = 0, slope = 0;
	bool known = false;

	double at(double similarity) const
	{
		const double promised = known ? mean_weight + slope * (similarity - mean_similarity) : 0;
		return std::max(0.0, std::min(2 * most, promised));
	}
};

Line line_of(std::span<const FoundRow> rows, std::uint32_t space)
{
	Line line;
	double count = 0;
	for (const FoundRow &row : rows) {
		if (row.space != space)
			continue;
		if (row.has_weight)
			line.most = std::max(line.most, row.weight);
		if (row.has_weight && row.has_similarity) {
			++count;
			line.mean_similarity += row.similarity;
			line.mean_weight += row.weight;
		}
	}
	if (count == 0)
		return line;
	line.known = true;
	line.mean_similarity /= count;
	line.mean_weight /= count;
	double squares = 0, products = 0;
	for (const FoundRow &row : rows)
		if (row.space == space && row.has_weight && row.has_similarity) {
			const double off = row.similarity - line.mean_similarity;
			squares += off * off;
			products += off * (row.weight - line.mean_weight);
		}
	line.slope = squares > 0 ? std::max(0.0, products / squares) : 0;
	return line;
}

/// REQUIRES: rows that are neighbours in `rows` are mostly of one space.
void set_nearness(std::span<FoundRow> rows)
{
	const bool one_space =
		std::all_of(rows.begin(), rows.end(), [&](const FoundRow &row) { return row.space == rows.front().space; });
	Line line;
	for (std::size_t i = 0; i < rows.size(); ++i) {
		FoundRow &row = rows[i];
		if (!one_space && (i == 0 || row.space != rows[i - 1].space))
			line = line_of(rows, row.space);
		row.nearness = one_space ? row.similarity : line.at(row.similarity);
	}
}

}  // namespace

std::size_t fuse(std::span<FoundRow> rows, SearchMode mode, std::size_t k, const double *min_score, std::span<std::uint32_t> order) noexcept
{
	if (rows.empty())
		return 0;
	set_nearness(rows);
	order = order.first(rows.size());
	std::iota(order.begin(), order.end(), 0U);
	std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return before_by_words(rows[a], rows[b]); });
	for (std::uint32_t i = 0; i < order.size(); ++i)
		rows[order[i]].text_rank = rows[order[i]].has_weight && mode != SearchMode::kVector ? i + 1 : 0;
	std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return before_by_meaning(rows[a], rows[b]); });
	for (std::uint32_t i = 0; i < order.size(); ++i)
		rows[order[i]].vector_rank = rows[order[i]].has_similarity ? i + 1 : 0;

	auto share = [](std::uint32_t rank) { return rank > 0 ? 1 / (kRankConstant + rank) : 0; };
	std::size_t n = 0;
	for (std::uint32_t i = 0; i < rows.size(); ++i) {
		FoundRow &row = rows[i];
		const bool has_score = mode == SearchMode::kVector ? row.has_similarity : mode == SearchMode::kText ? row.has_weight : true;
		row.score = mode == SearchMode::kVector ? row.similarity
					: mode == SearchMode::kText ? row.weight
												: (kRankConstant + 1) / 2 * (share(row.vector_rank) + share(row.text_rank));
		if (has_score && (min_score == nullptr || compare_descending(true, row.score, true, *min_score) <= 0))
			order[n++] = i;
	}
	order = order.first(n);
	const std::size_t best = std::min(n, k);
	std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(best), order.end(), [&](std::uint32_t x, std::uint32_t y) {
		const FoundRow &a = rows[x], &b = rows[y];
		if (mode == SearchMode::kVector && a.vector_rank != b.vector_rank)
			return rank_key(a.vector_rank) < rank_key(b.vector_rank);
		if (const int scores = compare_descending(true, a.score, true, b.score); scores != 0)
			return scores < 0;
		// Rows that one leg alone found tie in pairs: meaning first, the better of the two.
		const auto ranks = [](const FoundRow &row) { return std::tuple(rank_key(row.vector_rank), rank_key(row.text_rank)); };
		return ranks(a) != ranks(b) ? ranks(a) < ranks(b) : by_name(a, b);
	});
	return best;
}

}  // namespace vectorizer::txt
