// k-means (Lloyd, "Least squares quantization in PCM", 1982) in each subspace of a product code.
#include "core/quantize/train.hpp"

#include "core/error.hpp"
#include "core/quantize/heap.hpp"
#include "core/quantize/magnitude.hpp"
#include "core/quantize/subspaces.hpp"
#include "core/simd/distance.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace vectorizer::quantize {
namespace {

constexpr int kRounds = 10;
// Of the rows that the error is measured on.
constexpr std::size_t kErrorRows = 2000;
constexpr std::size_t kErrorQueries = 64;
constexpr std::size_t kErrorNearest = 20;

void listen(Stop stop)
{
	if (stop())
		throw Error(Errc::kCancelled, "training was interrupted");
}

std::vector<float> all_in_units(const Shape &shape, Rows rows, double unit)
{
	std::vector<float> all(rows.count * shape.dimensions);
	for (std::size_t row = 0; row < rows.count; row++)
		to_units(shape, unit, rows[row], all.data() + row * shape.dimensions);
	return all;
}

double unit_of(const Shape &shape, Rows rows)
{
	if (shape.metric == Metric::kCosine)
		return 1;
	int exponent = 0;
	std::frexp(largest_magnitude(rows.values, rows.count * rows.dimensions), &exponent);
	// Within what a float holds, and its inverse, too.
	return std::ldexp(1.0, std::clamp(exponent, -120, 120));
}

/// k-means of `count` rows of d values, of which `width` from `first` on make up the subspace. Writes `width` rows of the
/// table. A point that nothing is nearest to moves to a row drawn at random.
class Subspace {
public:
	Subspace(const float *rows, std::size_t count, std::size_t d, std::size_t first, std::size_t width, float *table)
		: rows_(rows), count_(count), d_(d), first_(first), width_(width), table_(table)
	{
	}

	void train(std::mt19937_64 &random, Stop stop)
	{
		for (std::size_t c = 0; c < kColumns; c++)
			place(c, row(random() % count_));
		double before = -1;
		for (int round = 0; round < kRounds; round++) {
			const double now = move(random, stop);
			if (before >= 0 && now > 0.998 * before)
				break;
			before = now;
		}
	}

private:
	const float *row(std::size_t i) const { return rows_ + i * d_ + first_; }

	template <typename T>
	void place(std::size_t column, const T *values)
	{
		for (std::size_t i = 0; i < width_; i++)
			table_[i * kColumns + column] = static_cast<float>(values[i]);
	}

	// One round; the sum of squared distances before it.
	double move(std::mt19937_64 &random, Stop stop)
	{
		std::vector<double> sums(kColumns * width_);
		std::vector<std::size_t> sizes(kColumns);
		float distances[kColumns];
		double total = 0;
		for (std::size_t r = 0; r < count_; r++) {
			if (r % 64 == 0)
				listen(stop);
			simd::kernels().columns_l2(row(r), table_, width_, distances);
			const std::size_t nearest = simd::kernels().nearest_column(distances);
			total += distances[nearest];
			sizes[nearest]++;
			for (std::size_t i = 0; i < width_; i++)
				sums[nearest * width_ + i] += row(r)[i];
		}
		for (std::size_t c = 0; c < kColumns; c++) {
			if (sizes[c] == 0) {
				place(c, row(random() % count_));
				continue;
			}
			for (std::size_t i = 0; i < width_; i++)
				sums[c * width_ + i] /= static_cast<double>(sizes[c]);
			place(c, sums.data() + c * width_);
		}
		return total;
	}

	const float *rows_;
	std::size_t count_, d_, first_, width_;
	float *table_;
};

/// Pairs of rows that are near by code: what estimates of their distance are off by.
struct NearPairs {
	std::vector<double> off, off_between;  // estimate - exact, from a vector and from its code
	std::vector<double> sigma;             // by error(), where unit_error is 1
};

NearPairs near_pairs(const Shape &shape, Rows rows, Parameters parameters, std::mt19937_64 &random, Stop stop)
{
	Heap heap;
	const Quantizer quantizer(shape, heap.arena(), parameters);
	rows = rows.first(kErrorRows);
	std::vector<std::uint8_t> codes(rows.count * shape.subspaces);
	const auto code = [&](std::size_t row) { return codes.data() + row * shape.subspaces; };
	std::vector<Factors> factors(rows.count);
	for (std::size_t row = 0; row < rows.count; row++)
		factors[row] = quantizer.encode(rows[row], code(row));

	NearPairs pairs;
	const std::span<std::uint8_t> space = heap.arena().array<std::uint8_t>(quantizer.computer_bytes());
	std::vector<std::pair<double, std::size_t>> nearest(rows.count);
	for (std::size_t i = 0; i < kErrorQueries; i++) {
		listen(stop);
		Heap scratch;
		const std::size_t query = random() % rows.count;
		const Computer computer = quantizer.query(rows[query], scratch.arena());
		const Computer between = quantizer.query_code(code(query), factors[query], space);
		for (std::size_t row = 0; row < rows.count; row++)
			nearest[row] = {computer.distance(code(row), factors[row]), row};
		const std::size_t n = std::min(kErrorNearest, rows.count);
		std::partial_sort(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(n), nearest.end());
		for (std::size_t at = 0; at < n; at++) {
			const auto [estimate, row] = nearest[at];
			const double exact = exact_distance(shape.metric, rows[query], rows[row], shape.dimensions);
			const double sigma = computer.error(factors[row], estimate);
			if (row == query || !std::isfinite(estimate - exact) || !(sigma > 0))
				continue;
			pairs.off.push_back(estimate - exact);
			pairs.off_between.push_back(between.distance(code(row), factors[row]) - exact);
			pairs.sigma.push_back(sigma);
		}
	}
	return pairs;
}

double mean(const std::vector<double> &values)
{
	double total = 0;
	for (const double value : values)
		total += value;
	return values.empty() ? 0 : total / static_cast<double>(values.size());
}

// Fills the codebook's header. Estimates are compared where a rerank asks for them, among the nearest by code.
void measure_errors(const Shape &shape, Rows rows, std::span<float> parameters, std::mt19937_64 &random, Stop stop)
{
	parameters[1] = 1;
	const NearPairs pairs = near_pairs(shape, rows, parameters, random, stop);
	const double per_entry = distance_per_entry(shape.metric, Codebook::unit(parameters));
	const double bias = mean(pairs.off);
	std::vector<double> squares;
	for (std::size_t i = 0; i < pairs.off.size(); i++)
		squares.push_back((pairs.off[i] - bias) / pairs.sigma[i] * ((pairs.off[i] - bias) / pairs.sigma[i]));
	const double error = squares.empty() ? 1 : std::sqrt(mean(squares));
	parameters[1] = std::isfinite(error) ? finite_float(error) : 1;
	parameters[2] = finite_float(bias / per_entry);
	parameters[3] = finite_float(mean(pairs.off_between) / per_entry);
}

}  // namespace

bool trainable(const Shape &shape)
{
	return shape.kind == Kind::kProduct;
}

std::vector<float> train(const Shape &shape, Rows rows, Stop stop)
{
	if (rows.count == 0)
		throw Error(Errc::kInvalidInput, "training needs rows");
	rows = rows.first(kMostTrainingRows);
	std::mt19937_64 random(shape.seed);
	std::vector<float> parameters(Codebook::floats(shape.dimensions));
	float *table = parameters.data() + Codebook::kHeader;
	const double unit = unit_of(shape, rows);
	parameters[0] = static_cast<float>(unit);
	const std::vector<float> units = all_in_units(shape, rows, unit);
	for (std::size_t subspace = 0; subspace < shape.subspaces; subspace++) {
		const std::size_t first = first_dimension(subspace, shape.dimensions, shape.subspaces);
		const std::size_t width = first_dimension(subspace + 1, shape.dimensions, shape.subspaces) - first;
		Subspace(units.data(), rows.count, shape.dimensions, first, width, table + first * kColumns).train(random, stop);
	}
	measure_errors(shape, rows, parameters, random, stop);
	return parameters;
}

}  // namespace vectorizer::quantize
