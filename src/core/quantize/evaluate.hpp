// What a way of coding is worth on given rows: neighbours found by codes against those found by exact distances, without
// any graph. Leaf code: it takes its memory from the heap (four bytes for each pair of a query and a row) and throws.
#pragma once

#include "core/quantize/train.hpp"

#include <cstddef>
#include <vector>

namespace vectorizer::quantize {

/// Ties count as found: what is no farther than the true k-th is as good.
struct Evaluation {
	double recall_at_10 = 0;     // of the true ten, found among the best forty by code
	double recall_at_100 = 0;    // of the true hundred, found among the best hundred by code
	double mean_rank_shift = 0;  // of the true ten: how many that are farther the codes place before it
	double time_ratio = 0;       // time of scanning the codes over that of scanning the vectors
	double bytes_saved = 0;      // part of a vector's bytes that its code does not take, factors aside
	std::size_t code_bytes = 0;
	std::size_t rows = 0;        // that were searched; 0: nothing was measured
	std::size_t queries = 0;
};

class Evaluator {
public:
	static constexpr std::size_t kMostRows = 20000;
	static constexpr std::size_t kMostQueries = 200;

	/// The sample's last rows, up to 200 and a twentieth of it, become queries and are not searched. Raises kCancelled.
	/// The sample must outlive this. REQUIRES: at least two rows, none of them without a distance (zero under cosine).
	Evaluator(Metric metric, Rows sample, Stop stop);

	/// Of the rows that are searched: what a training may see, so that queries stay unseen.
	Rows rows() const { return rows_; }

	/// Raises kCancelled. REQUIRES: metric and dimensions of the shape are the sample's.
	Evaluation evaluate(const Shape &shape, Parameters parameters) const;

private:
	const float *exact(std::size_t query) const { return distances_.data() + query * rows_.count; }

	Metric metric_;
	Rows rows_;
	Rows queries_;
	Stop stop_;
	std::vector<float> distances_;         // of each query to each row
	std::vector<std::uint32_t> nearest_;   // of each query: the true hundred, nearest first
	double exact_seconds_;
};

}  // namespace vectorizer::quantize
