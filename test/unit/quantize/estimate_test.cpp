// Estimates: unbiased, as far off as error() says, symmetrical between codes, and good enough to find neighbours by.
#include "core/quantize/quantizer.hpp"
#include "core/simd/distance.hpp"
#include "samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace vectorizer::quantize::test {
namespace {

// The distance in double, from the definition.
double true_distance(Metric metric, const Vector &a, const Vector &b)
{
	double dot = 0, aa = 0, bb = 0, squares = 0, magnitudes = 0;
	for (std::size_t i = 0; i < a.size(); i++) {
		const double diff = double{a[i]} - b[i];
		dot += double{a[i]} * b[i];
		aa += double{a[i]} * a[i];
		bb += double{b[i]} * b[i];
		squares += diff * diff;
		magnitudes += std::fabs(diff);
	}
	switch (metric) {
	case Metric::kL2:
		return squares;
	case Metric::kInnerProduct:
		return -dot;
	case Metric::kCosine:
		return 1 - dot / std::sqrt(aa * bb);
	case Metric::kL1:
		return magnitudes;
	}
	return 0;
}

std::string describe(Metric metric, unsigned bits, std::size_t d)
{
	return "metric " + std::to_string(static_cast<int>(metric)) + ", bits " + std::to_string(bits) + ", d = " +
	       std::to_string(d);
}

TEST(ExactDistance, IsWhatTheMetricSays)
{
	std::mt19937_64 random(20);
	for (std::size_t d : {1, 2, 3, 96, 300, 1000}) {
		const Vector a = gaussian(random, d), b = gaussian(random, d);
		for (Metric metric : kMetrics) {
			const double expected = true_distance(metric, a, b);
			EXPECT_NEAR(exact_distance(metric, a.data(), b.data(), d), expected, 1e-4 * (1 + std::fabs(expected)));
		}
	}
	const Vector zero(7), ones(7, 1), minus(7, -2);
	EXPECT_TRUE(std::isnan(exact_distance(Metric::kCosine, zero.data(), ones.data(), 7)));
	EXPECT_EQ(exact_distance(Metric::kCosine, ones.data(), ones.data(), 7), 0);
	EXPECT_EQ(exact_distance(Metric::kCosine, ones.data(), minus.data(), 7), 2);
	EXPECT_EQ(cosine_distance(1.0000001, 1, 1), 0);
	EXPECT_EQ(cosine_distance(-1.0000001, 1, 1), 2);
}

TEST(None, DistancesAreTheExactOnes)
{
	std::mt19937_64 random(21);
	for (std::size_t d : {1, 3, 300}) {
		const Vector a = gaussian(random, d), b = gaussian(random, d);
		for (Metric metric : kMetrics) {
			Heap heap;
			const Quantizer quantizer(shape_of(metric, 32, d), heap.arena());
			const Encoded code = encode(quantizer, a);
			const Computer computer = quantizer.query(b.data(), heap.arena());
			const double found = computer.distance(code.code.data(), code.factors);
			const double exact = exact_distance(metric, b.data(), a.data(), d);
			if (metric == Metric::kCosine) {
				EXPECT_NEAR(found, exact, 4 * computer.error(code.factors));
			} else {
				EXPECT_EQ(found, exact);
				EXPECT_EQ(computer.error(code.factors), 0);
			}
		}
	}
}

struct Errors {
	double bias = 0;     // mean error in sigmas
	double ratio = 0;    // root mean square error in sigmas
	double at_random = 0;  // the same, in sigmas of error(factors)
	double worst = 0;      // in sigmas
	double absolute = 0;   // root mean square error
};

// Over all pairs of the queries and rows. What is measured is the spread over rows, and over codes' rotations.
Errors measure(const Shape &base, const std::vector<Vector> &rows, const std::vector<Vector> &queries, bool finer = false)
{
	Errors errors;
	double pairs = 0;
	for (std::uint64_t seed = 1; seed <= 4; seed++) {
		Shape shape = base;
		shape.seed = seed;
		Heap heap;
		const Quantizer quantizer(shape, heap.arena());
		std::vector<Encoded> codes;
		for (const Vector &row : rows)
			codes.push_back(encode(quantizer, row));
		for (const Vector &query : queries) {
			Computer computer = quantizer.query(query.data(), heap.arena());
			if (finer)
				computer = computer.finer();
			for (std::size_t i = 0; i < rows.size(); i++) {
				const double estimate = computer.distance(codes[i].code.data(), codes[i].factors);
				const double off = estimate - true_distance(shape.metric, query, rows[i]);
				const double sigma = computer.error(codes[i].factors, estimate);
				const double loose = computer.error(codes[i].factors);
				errors.bias += off / sigma;
				errors.ratio += off / sigma * (off / sigma);
				errors.at_random += off / loose * (off / loose);
				errors.worst = std::max(errors.worst, std::fabs(off) / sigma);
				errors.absolute += off * off;
				pairs++;
			}
		}
	}
	errors.bias /= pairs;
	errors.ratio = std::sqrt(errors.ratio / pairs);
	errors.at_random = std::sqrt(errors.at_random / pairs);
	errors.absolute = std::sqrt(errors.absolute / pairs);
	return errors;
}

TEST(Scalar, ErrorsAreAsLargeAsTheySayOnGaussianData)
{
	for (Metric metric : kMetrics) {
		for (unsigned bits : {8U, 4U, 2U, 1U}) {
			for (std::size_t d : {8, 16, 33, 96, 128, 300, 384, 768}) {
				SCOPED_TRACE(describe(metric, bits, d));
				std::mt19937_64 random(22);
				std::vector<Vector> rows, queries;
				for (int i = 0; i < 200; i++)
					rows.push_back(gaussian(random, d));
				for (int i = 0; i < 20; i++)
					queries.push_back(gaussian(random, d));
				const Errors errors = measure(shape_of(metric, bits, d), rows, queries);
				if (metric == Metric::kL1 && bits < 4) {
					// What Gaussian differences would need is counted as error, for data of any other kind.
					EXPECT_NEAR(errors.bias, 0, 0.4);
					EXPECT_LT(errors.ratio, 1.3);
					continue;
				}
				EXPECT_NEAR(errors.bias, 0, 0.12);
				EXPECT_GT(errors.ratio, 0.7);
				EXPECT_LT(errors.ratio, 1.3);
				EXPECT_GT(errors.at_random, 0.7);
				EXPECT_LT(errors.at_random, 1.3);
			}
		}
	}
}

TEST(Scalar, ErrorsAreAsLargeAsTheySayOnClusteredData)
{
	for (Metric metric : kMetrics) {
		for (unsigned bits : {8U, 4U, 2U, 1U}) {
			for (std::size_t d : {16, 96, 300, 384}) {
				SCOPED_TRACE(describe(metric, bits, d));
				const std::vector<Vector> points = clustered(23, 220, d, 5, 0.4F);
				const std::vector<Vector> rows(points.begin() + 20, points.end());
				const std::vector<Vector> queries(points.begin(), points.begin() + 20);
				const Errors errors = measure(shape_of(metric, bits, d), rows, queries);
				EXPECT_GT(errors.ratio, 0.5);
				EXPECT_LT(errors.ratio, metric == Metric::kL1 && bits < 4 ? 1.8 : 1.5);
			}
		}
	}
}

TEST(Scalar, ErrorsShrinkTowardsTheNearestNeighbours)
{
	// What error(factors) says is for vectors at random: for near ones it is several times too much.
	for (Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
		for (std::size_t d : {33, 96, 384}) {
			SCOPED_TRACE(describe(metric, 4, d));
			std::mt19937_64 random(28);
			const Vector centre = gaussian(random, d);
			std::vector<Vector> points;
			for (int i = 0; i < 120; i++) {
				points.push_back(gaussian(random, d));
				for (std::size_t j = 0; j < d; j++)
					points.back()[j] = centre[j] + 0.2F * points.back()[j];
			}
			const std::vector<Vector> rows(points.begin() + 20, points.end());
			const std::vector<Vector> queries(points.begin(), points.begin() + 20);
			const Errors errors = measure(shape_of(metric, 4, d), rows, queries);
			EXPECT_GT(errors.ratio, 0.7);
			EXPECT_LT(errors.ratio, 1.3);
			EXPECT_LT(errors.at_random, 0.4);
		}
	}
}

TEST(Scalar, FinerEstimatesAreNearerAndNeverFarOff)
{
	// Six sigmas: a scan believes the order of estimates that lie further apart.
	for (Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
		for (std::size_t d : {3, 16, 33, 96, 300, 784}) {
			for (float spread : {0.05F, 0.4F, 5.0F}) {
				SCOPED_TRACE(describe(metric, 8, d) + ", spread " + std::to_string(spread));
				const std::vector<Vector> points = clustered(29, 320, d, 5, spread);
				const std::vector<Vector> rows(points.begin() + 20, points.end());
				const std::vector<Vector> queries(points.begin(), points.begin() + 20);
				const Errors coarse = measure(shape_of(metric, 8, d), rows, queries);
				const Errors finer = measure(shape_of(metric, 8, d), rows, queries, true);
				EXPECT_LT(finer.worst, 6);
				EXPECT_LT(finer.absolute, 0.8 * coarse.absolute);
			}
		}
	}
}

TEST(Scalar, EstimatesOfOnePairAverageToItsDistance)
{
	// Over many rotations: what is left of the error is bias.
	std::mt19937_64 random(24);
	for (unsigned bits : {8U, 4U}) {
		for (std::size_t d : {3, 24, 100}) {
			const Vector x = gaussian(random, d), q = gaussian(random, d);
			const double exact = true_distance(Metric::kInnerProduct, x, q);
			double total = 0, squares = 0;
			const int rounds = 2000;
			for (int round = 0; round < rounds; round++) {
				Heap heap;
				Shape shape = shape_of(Metric::kInnerProduct, bits, d);
				shape.seed = static_cast<std::uint64_t>(round);
				const Quantizer quantizer(shape, heap.arena());
				const Encoded code = encode(quantizer, x);
				const double off = quantizer.query(q.data(), heap.arena()).distance(code.code.data(), code.factors) - exact;
				total += off;
				squares += off * off;
			}
			// With so few dimensions there are few different rotations, hence the second term.
			const double deviation = std::sqrt(squares / rounds);
			EXPECT_LT(std::fabs(total / rounds), (4 / std::sqrt(rounds) + 1.0 / static_cast<double>(d)) * deviation)
				<< describe(Metric::kInnerProduct, bits, d);
		}
	}
}

TEST(Scalar, FewDimensionsStaySane)
{
	std::mt19937_64 random(25);
	for (Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
		for (unsigned bits : {8U, 4U}) {
			for (std::size_t d : {1, 2, 3}) {
				Heap heap;
				const Quantizer quantizer(shape_of(metric, bits, d), heap.arena());
				for (int i = 0; i < 200; i++) {
					const Vector x = gaussian(random, d), q = gaussian(random, d);
					const Encoded code = encode(quantizer, x);
					const Computer computer = quantizer.query(q.data(), heap.arena());
					const double off =
						computer.distance(code.code.data(), code.factors) - true_distance(metric, x, q);
					EXPECT_LT(std::fabs(off), 5 * computer.error(code.factors) + 1e-6) << describe(metric, bits, d);
				}
			}
		}
	}
}

TEST(Scalar, DistancesBetweenCodesAreSymmetricalAndClose)
{
	std::mt19937_64 random(26);
	for (Metric metric : kMetrics) {
		for (unsigned bits : kWidths) {
			for (std::size_t d : {1, 2, 3, 33, 384}) {
				SCOPED_TRACE(describe(metric, bits, d));
				Heap heap;
				const Quantizer quantizer(shape_of(metric, bits, d), heap.arena());
				const auto space_a = heap.arena().array<std::uint8_t>(quantizer.computer_bytes());
				const auto space_b = heap.arena().array<std::uint8_t>(quantizer.computer_bytes());
				double squares = 0;
				const int rounds = 100;
				for (int i = 0; i < rounds; i++) {
					const Vector a = gaussian(random, d), b = gaussian(random, d);
					const Encoded code_a = encode(quantizer, a), code_b = encode(quantizer, b);
					const Computer from_a = quantizer.query_code(code_a.code.data(), code_a.factors, space_a);
					const Computer from_b = quantizer.query_code(code_b.code.data(), code_b.factors, space_b);
					const double ab = from_a.distance(code_b.code.data(), code_b.factors);
					const double ba = from_b.distance(code_a.code.data(), code_a.factors);
					const double exact = true_distance(metric, a, b);
					EXPECT_NEAR(ab, ba, 1e-5 * (1 + std::fabs(exact)));
					const double sigma = from_a.error(code_b.factors) + 1e-5 * (1 + std::fabs(exact));
					squares += (ab - exact) / sigma * ((ab - exact) / sigma);
				}
				EXPECT_LT(std::sqrt(squares / rounds), d < 4 ? 3 : 1.5);
			}
		}
	}
}

// The share of the true ten found among the best forty by code, after these are ordered by exact distance.
double recall_at_10(const Shape &shape, const std::vector<Vector> &rows, const std::vector<Vector> &queries)
{
	Heap heap;
	const Quantizer quantizer(shape, heap.arena());
	std::vector<Encoded> codes;
	for (const Vector &row : rows)
		codes.push_back(encode(quantizer, row));
	std::vector<std::size_t> by_code(rows.size()), by_distance(rows.size());
	double found = 0;
	for (const Vector &query : queries) {
		const Computer computer = quantizer.query(query.data(), heap.arena());
		std::vector<double> estimates, exact;
		for (std::size_t i = 0; i < rows.size(); i++) {
			estimates.push_back(computer.distance(codes[i].code.data(), codes[i].factors));
			exact.push_back(exact_distance(shape.metric, query.data(), rows[i].data(), query.size()));
		}
		std::iota(by_code.begin(), by_code.end(), 0);
		std::iota(by_distance.begin(), by_distance.end(), 0);
		std::partial_sort(by_code.begin(), by_code.begin() + 40, by_code.end(),
		                  [&](std::size_t a, std::size_t b) { return nearer(estimates[a], estimates[b]); });
		std::partial_sort(by_distance.begin(), by_distance.begin() + 10, by_distance.end(),
		                  [&](std::size_t a, std::size_t b) { return nearer(exact[a], exact[b]); });
		for (int i = 0; i < 10; i++)
			found += static_cast<double>(std::count(by_code.begin(), by_code.begin() + 40, by_distance[i]));
	}
	return found / (10 * static_cast<double>(queries.size()));
}

TEST(Scalar, FindsTheNeighboursOfAMixtureOfGaussians)
{
	for (std::size_t d : {96, 255, 384}) {
		const std::vector<Vector> points = clustered(27, 3050, d, 30, 0.7F);
		const std::vector<Vector> rows(points.begin() + 50, points.end());
		const std::vector<Vector> queries(points.begin(), points.begin() + 50);
		for (Metric metric : kMetrics) {
			for (unsigned bits : {8U, 4U}) {
				const double recall = recall_at_10(shape_of(metric, bits, d), rows, queries);
				EXPECT_GE(recall, 0.95) << describe(metric, bits, d);
				RecordProperty(describe(metric, bits, d), std::to_string(recall));
			}
		}
	}
}

}  // namespace
}  // namespace vectorizer::quantize::test
