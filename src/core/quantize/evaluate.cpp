#include "core/quantize/evaluate.hpp"

#include "core/error.hpp"
#include "core/quantize/heap.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace vectorizer::quantize {
namespace {

constexpr std::size_t kWide = 100;     // of recall_at_100
constexpr std::size_t kNarrow = 10;    // of recall_at_10 ...
constexpr std::size_t kReranked = 40;  // ... after so many have been ranked anew

double now()
{
	return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void listen(Stop stop)
{
	if (stop())
		throw Error(Errc::kCancelled, "the evaluation was interrupted");
}

// The first `n` of the order, nearest first.
template <typename Value>
void put_nearest_first(std::vector<std::uint32_t> &order, std::size_t n, const Value *distances)
{
	std::iota(order.begin(), order.end(), 0U);
	std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(n), order.end(),
	                  [&](std::uint32_t a, std::uint32_t b) {
		                  return nearer(distances[a], distances[b]) || (!nearer(distances[b], distances[a]) && a < b);
	                  });
}

}  // namespace

Evaluator::Evaluator(Metric metric, Rows sample, Stop stop) : metric_(metric), stop_(stop), exact_seconds_(0)
{
	sample = sample.first(kMostRows + kMostQueries);
	const std::size_t queries = std::clamp<std::size_t>(sample.count / 20, 1, kMostQueries);
	rows_ = sample.first(sample.count - queries);
	queries_ = {sample[rows_.count], queries, sample.dimensions};

	distances_.resize(queries * rows_.count);
	const std::size_t wide = std::min(kWide, rows_.count);
	nearest_.resize(queries * wide);
	std::vector<std::uint32_t> order(rows_.count);
	for (std::size_t q = 0; q < queries; q++) {
		listen(stop);
		float *out = distances_.data() + q * rows_.count;
		const double start = now();
		for (std::size_t row = 0; row < rows_.count; row++)
			out[row] = static_cast<float>(exact_distance(metric, queries_[q], rows_[row], sample.dimensions));
		exact_seconds_ += now() - start;
		put_nearest_first(order, wide, out);
		std::copy_n(order.begin(), wide, nearest_.begin() + static_cast<std::ptrdiff_t>(q * wide));
	}
}

Evaluation Evaluator::evaluate(const Shape &shape, Parameters parameters) const
{
	Heap heap;
	const Quantizer quantizer(shape, heap.arena(), parameters);
	const std::size_t n = rows_.count;
	std::vector<std::uint8_t> codes(n * quantizer.code_bytes());
	std::vector<Factors> factors(n);
	for (std::size_t row = 0; row < n; row++) {
		if (row % 64 == 0)
			listen(stop_);
		factors[row] = quantizer.encode(rows_[row], codes.data() + row * quantizer.code_bytes());
	}

	const std::size_t wide = std::min(kWide, n), narrow = std::min(kNarrow, n), reranked = std::min(kReranked, n);
	std::vector<double> estimates(n);
	std::vector<std::uint32_t> order(n);
	double seconds = 0, found_wide = 0, found_narrow = 0, shift = 0;
	for (std::size_t q = 0; q < queries_.count; q++) {
		listen(stop_);
		Heap scratch;
		const double start = now();
		const Computer computer = quantizer.query(queries_[q], scratch.arena());
		for (std::size_t row = 0; row < n; row++)
			estimates[row] = computer.distance(codes.data() + row * quantizer.code_bytes(), factors[row]);
		seconds += now() - start;

		put_nearest_first(order, wide, estimates.data());
		const float *distances = exact(q);
		const std::uint32_t *nearest = nearest_.data() + q * wide;
		const auto no_farther = [&](std::size_t of_best, std::size_t than) {
			const auto found = std::count_if(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(of_best),
			                                 [&](std::uint32_t row) { return distances[row] <= distances[nearest[than - 1]]; });
			return static_cast<double>(std::min(static_cast<std::size_t>(found), than));
		};
		found_wide += no_farther(wide, wide);
		found_narrow += no_farther(reranked, narrow);
		for (std::size_t i = 0; i < narrow; i++) {
			const std::uint32_t row = nearest[i];
			for (std::size_t other = 0; other < n; other++)
				shift += estimates[other] < estimates[row] && distances[other] > distances[row] ? 1 : 0;
		}
	}

	const auto queries = static_cast<double>(queries_.count);
	Evaluation result;
	result.recall_at_10 = found_narrow / (queries * static_cast<double>(narrow));
	result.recall_at_100 = found_wide / (queries * static_cast<double>(wide));
	result.mean_rank_shift = shift / (queries * static_cast<double>(narrow));
	result.time_ratio = exact_seconds_ > 0 ? seconds / exact_seconds_ : 0;
	result.code_bytes = quantizer.code_bytes();
	result.bytes_saved = 1 - static_cast<double>(result.code_bytes) / (4.0 * shape.dimensions);
	result.rows = n;
	result.queries = queries_.count;
	return result;
}

}  // namespace vectorizer::quantize
