// Product codes: trained and not, over all metrics and widths, and what training promises.
#include "core/error.hpp"
#include "core/quantize/subspaces.hpp"
#include "core/quantize/train.hpp"
#include "samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <string>

namespace vectorizer::quantize::test {
namespace {

struct Case {
	std::size_t d, subspaces;
};

// Widths that do not divide, one subspace, one dimension a subspace, and stand-ins of 1, 2 and 8 bits.
constexpr Case kCases[] = {{1, 1}, {2, 1}, {3, 2}, {7, 7}, {33, 4}, {33, 9}, {96, 10}, {300, 16}};

Rows rows_of(const Vector &values, std::size_t d)
{
	return {values.data(), values.size() / d, static_cast<std::uint32_t>(d)};
}

TEST(Product, WidthsCoverEveryDimensionOnce)
{
	for (const Case &c : kCases) {
		std::size_t at = 0;
		for (std::size_t s = 0; s < c.subspaces; s++) {
			EXPECT_EQ(first_dimension(s, c.d, c.subspaces), at);
			at = first_dimension(s + 1, c.d, c.subspaces);
			EXPECT_GT(at, first_dimension(s, c.d, c.subspaces));
		}
		EXPECT_EQ(at, c.d);
	}
}

// The share of the true ten among the best forty by code, and the root mean square error in sigmas of those forty.
struct Found {
	double recall, sigmas;
};

Found find(const Shape &shape, Parameters parameters, const std::vector<Vector> &rows, const std::vector<Vector> &queries)
{
	Heap heap;
	const Quantizer quantizer(shape, heap.arena(), parameters);
	std::vector<Encoded> codes;
	for (const Vector &row : rows)
		codes.push_back(encode(quantizer, row));
	double found = 0, squares = 0;
	for (const Vector &query : queries) {
		const Computer computer = quantizer.query(query.data(), heap.arena());
		std::vector<std::pair<double, std::size_t>> by_code, exact;
		for (std::size_t i = 0; i < rows.size(); i++) {
			by_code.emplace_back(computer.distance(codes[i].code.data(), codes[i].factors), i);
			exact.emplace_back(exact_distance(shape.metric, query.data(), rows[i].data(), query.size()), i);
		}
		auto sorted = exact;
		std::sort(by_code.begin(), by_code.end());
		std::sort(sorted.begin(), sorted.end());
		for (std::size_t at = 0; at < 40; at++) {
			const auto [estimate, row] = by_code[at];
			found += exact[row].first <= sorted[9].first ? 1 : 0;
			const double off = (estimate - exact[row].first) / computer.error(codes[row].factors, estimate);
			squares += off * off;
		}
	}
	const auto n = static_cast<double>(queries.size());
	return {found / (10 * n), std::sqrt(squares / (40 * n))};
}

TEST(Product, FindsNeighboursAndKnowsItsError)
{
	const std::vector<Vector> points = clustered(31, 3050, 96, 30, 0.7F);
	const std::vector<Vector> rows(points.begin() + 50, points.end());
	const std::vector<Vector> queries(points.begin(), points.begin() + 50);
	const Vector values = joined(rows);
	for (Metric metric : kMetrics) {
		SCOPED_TRACE("metric " + std::to_string(static_cast<int>(metric)));
		const Shape shape = product_of(metric, 96, 24);
		const std::vector<float> parameters = train(shape, rows_of(values, 96), {});
		const Found trained = find(shape, parameters, rows, queries);
		EXPECT_GE(trained.recall, 0.9);
		EXPECT_GT(trained.sigmas, 0.5);
		EXPECT_LT(trained.sigmas, 2.0);
		// The stand-in is there to keep an index in order until it is trained: of use, mostly poorer.
		const Found untrained = find(shape, {}, rows, queries);
		EXPECT_GE(untrained.recall, metric == Metric::kL1 ? 0.3 : 0.6);
	}
}

TEST(Product, TrainingIsTheSameForTheSameRows)
{
	const Vector values = joined(clustered(32, 600, 20, 4, 1));
	const Shape shape = product_of(Metric::kL2, 20, 6);
	EXPECT_EQ(train(shape, rows_of(values, 20), {}), train(shape, rows_of(values, 20), {}));
}

TEST(Product, FewRowsAreCodedExactly)
{
	// With a point for each row in every subspace nothing is left over.
	std::mt19937_64 random(33);
	std::vector<Vector> rows(20);
	for (Vector &row : rows)
		row = gaussian(random, 12);
	const Vector values = joined(rows);
	for (Metric metric : kMetrics) {
		const Shape shape = product_of(metric, 12, 3);
		const std::vector<float> parameters = train(shape, rows_of(values, 12), {});
		Heap heap;
		const Quantizer quantizer(shape, heap.arena(), parameters);
		for (const Vector &row : rows) {
			const Encoded code = encode(quantizer, row);
			const Vector &query = rows[0];
			const double exact = exact_distance(metric, query.data(), row.data(), 12);
			EXPECT_NEAR(quantizer.query(query.data(), heap.arena()).distance(code.code.data(), code.factors), exact, 1e-4);
			Vector decoded(12);
			quantizer.decode(code.code.data(), code.factors, decoded.data());
			for (std::size_t i = 0; i < 12 && metric != Metric::kCosine; i++)
				EXPECT_NEAR(decoded[i], row[i], 1e-5);
		}
	}
}

TEST(Product, IsHeardWhenStopped)
{
	const Vector values = joined(clustered(34, 300, 16, 4, 1));
	const Stop stop{[](void *) { return true; }, nullptr};
	const Shape shape = product_of(Metric::kL2, 16, 4);
	try {
		train(shape, rows_of(values, 16), stop);
		FAIL() << "training went on";
	} catch (const Error &error) {
		EXPECT_EQ(error.code(), Errc::kCancelled);
	}
	EXPECT_THROW(train(shape, {values.data(), 0, 16}, {}), Error);
}

std::vector<Vector> extremes(std::size_t d)
{
	std::vector<Vector> all = {Vector(d), Vector(d, 0.25F), Vector(d, 1e38F), Vector(d, -FLT_MAX), Vector(d, 1e-38F),
	                           Vector(d, FLT_TRUE_MIN)};
	Vector both(d, FLT_MAX);
	for (std::size_t i = 0; i < d; i += 2)
		both[i] = -FLT_MAX;
	all.push_back(both);
	std::mt19937_64 random(35);
	all.push_back(gaussian(random, d));
	return all;
}

TEST(Product, EveryPairOfExtremesHasADistance)
{
	for (const Case &c : kCases) {
		for (Metric metric : kMetrics) {
			const Shape shape = product_of(metric, c.d, c.subspaces);
			const std::vector<Vector> vectors = extremes(c.d);
			const Vector tame = joined(clustered(36, 40, c.d, 2, 1)), wild = joined(vectors), equal(c.d * 5, 1.0F);
			const std::vector<float> parameters[] = {{},
			                                         train(shape, rows_of(tame, c.d), {}),
			                                         train(shape, rows_of(wild, c.d), {}),
			                                         train(shape, rows_of(equal, c.d), {})};
			for (std::size_t trained = 0; trained < 4; trained++) {
				SCOPED_TRACE("d " + std::to_string(c.d) + ", subspaces " + std::to_string(c.subspaces) + ", metric " +
				             std::to_string(static_cast<int>(metric)) + ", trained " + std::to_string(trained));
				Heap heap;
				const Quantizer quantizer(shape, heap.arena(), parameters[trained]);
				const auto space = heap.arena().array<std::uint8_t>(quantizer.computer_bytes());
				for (const Vector &q : vectors) {
					const Encoded own = encode(quantizer, q);
					Vector decoded(c.d);
					quantizer.decode(own.code.data(), own.factors, decoded.data());
					for (const float x : decoded)
						EXPECT_TRUE(std::isfinite(x));
					const Computer from_vector = quantizer.query(q.data(), heap.arena());
					const Computer from_code = quantizer.query_code(own.code.data(), own.factors, space);
					for (const Vector &x : vectors) {
						const Encoded code = encode(quantizer, x);
						EXPECT_TRUE(std::isfinite(code.factors.scale) && std::isfinite(code.factors.norm));
						for (const Computer &computer : {from_vector, from_code}) {
							const double distance = computer.distance(code.code.data(), code.factors);
							EXPECT_FALSE(std::isnan(distance));
							EXPECT_FALSE(std::isnan(computer.error(code.factors, distance)));
							EXPECT_FALSE(std::isnan(computer.error(code.factors)));
							if (metric != Metric::kInnerProduct) {
								EXPECT_GE(distance, 0);
							}
						}
					}
				}
			}
		}
	}
}

TEST(Product, DistancesBetweenCodesAreSymmetrical)
{
	std::mt19937_64 random(37);
	for (Metric metric : kMetrics) {
		for (const Case &c : kCases) {
			const Shape shape = product_of(metric, c.d, c.subspaces);
			const Vector values = joined(clustered(38, 400, c.d, 3, 1));
			const std::vector<float> trained = train(shape, rows_of(values, c.d), {});
			for (const Parameters parameters : {Parameters{}, Parameters{trained}}) {
				Heap heap;
				const Quantizer quantizer(shape, heap.arena(), parameters);
				const auto space_a = heap.arena().array<std::uint8_t>(quantizer.computer_bytes());
				const auto space_b = heap.arena().array<std::uint8_t>(quantizer.computer_bytes());
				const Encoded a = encode(quantizer, gaussian(random, c.d)), b = encode(quantizer, gaussian(random, c.d));
				const double ab = quantizer.query_code(a.code.data(), a.factors, space_a).distance(b.code.data(), b.factors);
				const double ba = quantizer.query_code(b.code.data(), b.factors, space_b).distance(a.code.data(), a.factors);
				EXPECT_NEAR(ab, ba, 1e-4 * (1 + std::fabs(ab))) << "d = " << c.d;
			}
		}
	}
}

}  // namespace
}  // namespace vectorizer::quantize::test
