// The exact nearest rows of each query, by brute force.
//
// truth base=FVECS queries=FVECS metric=l2|cosine k=N out=IVECS threads=N [live=FILE]
// FILE holds a byte a row: 0 for rows that are left out. Distances are taken in blocks in single precision, and the best
// k + 64 of each query once more in double precision; equal distances go by row number.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <queue>
#include <thread>
#include <utility>

#include "vecs.hpp"

using namespace compare;

namespace {

using Sixteen = float __attribute__((vector_size(64)));
constexpr std::size_t kLanes = 16, kTile = 4, kBlock = 512;

/// Rows copied to a common length that is a multiple of 16, zeros behind.
class Padded {
public:
	Padded(std::size_t rows, std::size_t dimensions)
		: width_((dimensions + kLanes - 1) / kLanes), values_((rows + kTile) * width_, Sixteen{})
	{}
	void set(std::size_t row, const float *vector, std::size_t dimensions)
	{
		std::memcpy(&values_[row * width_], vector, 4 * dimensions);
	}
	const Sixteen *operator[](std::size_t row) const { return &values_[row * width_]; }
	std::size_t width() const { return width_; }

private:
	std::size_t width_;
	std::vector<Sixteen> values_;
};

/// Inner products of four rows with four others.
void tile(const Sixteen *a, const Sixteen *b, std::size_t width, float (&out)[kTile][kTile])
{
	Sixteen sums[kTile][kTile] = {};
	for (std::size_t w = 0; w < width; ++w)
		for (std::size_t i = 0; i < kTile; ++i)
			for (std::size_t j = 0; j < kTile; ++j)
				sums[i][j] += a[i * width + w] * b[j * width + w];
	for (std::size_t i = 0; i < kTile; ++i)
		for (std::size_t j = 0; j < kTile; ++j) {
			out[i][j] = 0;
			for (std::size_t lane = 0; lane < kLanes; ++lane)
				out[i][j] += sums[i][j][lane];
		}
}

double exact_distance(const float *a, const float *b, std::size_t dimensions, bool cosine)
{
	double product = 0, squares_a = 0, squares_b = 0, difference = 0;
	for (std::size_t i = 0; i < dimensions; ++i) {
		double x = a[i], y = b[i];
		product += x * y;
		squares_a += x * x;
		squares_b += y * y;
		difference += (x - y) * (x - y);
	}
	return cosine ? -product / std::sqrt(squares_a * squares_b) : difference;
}

float square_of(const float *vector, std::size_t dimensions)
{
	double sum = 0;
	for (std::size_t i = 0; i < dimensions; ++i)
		sum += static_cast<double>(vector[i]) * vector[i];
	return static_cast<float>(sum);
}

using Candidate = std::pair<float, std::int32_t>;
using Nearest = std::priority_queue<Candidate>;

void offer(Nearest &nearest, std::size_t keep, Candidate candidate)
{
	if (nearest.size() < keep) {
		nearest.push(candidate);
	} else if (candidate < nearest.top()) {
		nearest.pop();
		nearest.push(candidate);
	}
}

}  // namespace

int main(int argc, char **argv)
{
	Arguments arguments(argc, argv);
	Vecs<float> base(arguments.text("base")), queries(arguments.text("queries"));
	const bool cosine = arguments.text("metric") == "cosine";
	if (!cosine && arguments.text("metric") != "l2")
		die("metric is l2 or cosine");
	const auto k = static_cast<std::size_t>(arguments.number("k"));
	const std::size_t dimensions = base.length(), keep = k + 64;
	if (queries.length() != dimensions)
		die("queries and rows differ in dimensions");
	std::vector<char> live(base.rows(), 1);
	if (std::string path = arguments.text("live", ""); !path.empty()) {
		std::FILE *file = std::fopen(path.c_str(), "rb");
		if (file == nullptr || std::fread(live.data(), 1, live.size(), file) != live.size())
			die("cannot read " + path);
		std::fclose(file);
	}

	Padded asked(queries.rows(), dimensions);
	for (std::size_t i = 0; i < queries.rows(); ++i)
		asked.set(i, queries[i], dimensions);

	const auto workers = static_cast<std::size_t>(arguments.number("threads"));
	std::vector<std::vector<Nearest>> nearest(workers, std::vector<Nearest>(queries.rows()));
	std::atomic<std::size_t> next{0};
	std::vector<std::thread> threads;
	for (std::size_t worker = 0; worker < workers; ++worker)
		threads.emplace_back([&, worker] {
			Padded block(kBlock, dimensions);
			std::vector<float> squares(kBlock);
			for (std::size_t from; (from = kBlock * next++) < base.rows();) {
				std::size_t rows = std::min(kBlock, base.rows() - from);
				for (std::size_t i = 0; i < rows; ++i) {
					block.set(i, base[from + i], dimensions);
					squares[i] = square_of(base[from + i], dimensions);
				}
				for (std::size_t i = 0; i < queries.rows(); i += kTile)
					for (std::size_t j = 0; j < rows; j += kTile) {
						float products[kTile][kTile];
						tile(asked[i], block[j], block.width(), products);
						for (std::size_t q = i; q < std::min(i + kTile, queries.rows()); ++q)
							for (std::size_t r = j; r < std::min(j + kTile, rows); ++r)
								if (live[from + r]) {
									float product = products[q - i][r - j];
									float distance =
										cosine ? -product / std::sqrt(squares[r]) : squares[r] - 2 * product;
									offer(nearest[worker][q], keep, {distance, static_cast<std::int32_t>(from + r)});
								}
					}
			}
		});
	for (std::thread &thread : threads)
		thread.join();

	VecsWriter out(arguments.text("out"));
	for (std::size_t q = 0; q < queries.rows(); ++q) {
		std::vector<std::pair<double, std::int32_t>> best;
		for (std::vector<Nearest> &of_worker : nearest)
			for (; !of_worker[q].empty(); of_worker[q].pop()) {
				std::int32_t row = of_worker[q].top().second;
				best.emplace_back(
					exact_distance(queries[q], base[static_cast<std::size_t>(row)], dimensions, cosine), row);
			}
		std::sort(best.begin(), best.end());
		if (best.size() < k)
			die("fewer rows than k");
		std::vector<std::int32_t> ids;
		for (std::size_t i = 0; i < k; ++i)
			ids.push_back(best[i].second);
		out.row(ids.data(), k);
	}
}
