// Evaluation on rows whose answer is known, and the choices that follow from it.
#include "core/error.hpp"
#include "core/quantize/auto.hpp"
#include "samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>

namespace vectorizer::quantize::test {
namespace {

Rows rows_of(const Vector &values, std::size_t d)
{
	return {values.data(), values.size() / d, static_cast<std::uint32_t>(d)};
}

Vector isotropic(std::size_t count, std::size_t d)
{
	std::mt19937_64 random(41);
	return gaussian(random, count * d);
}

Situation situation_of(Metric metric, std::uint32_t d)
{
	return {metric, d, 42, false, 7000, 0};
}

TEST(Evaluate, ExactCodesFindEverything)
{
	const Vector values = isotropic(1500, 24);
	for (Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kL1}) {
		const Evaluator evaluator(metric, rows_of(values, 24), {});
		const Evaluation found = evaluator.evaluate(shape_of(metric, 32, 24), {});
		EXPECT_EQ(found.recall_at_10, 1);
		EXPECT_EQ(found.recall_at_100, 1);
		EXPECT_EQ(found.mean_rank_shift, 0);
		EXPECT_EQ(found.bytes_saved, 0);
		EXPECT_EQ(found.queries, 75U);
		EXPECT_EQ(found.rows, 1425U);
		EXPECT_GT(found.time_ratio, 0);
	}
}

TEST(Evaluate, NarrowerCodesFindLess)
{
	const Vector values = isotropic(3000, 64);
	const Evaluator evaluator(Metric::kL2, rows_of(values, 64), {});
	double recall = 1, shift = 0;
	for (unsigned bits : {8U, 4U, 2U, 1U}) {
		const Evaluation found = evaluator.evaluate(shape_of(Metric::kL2, bits, 64), {});
		EXPECT_LE(found.recall_at_10, recall) << bits;
		EXPECT_LT(found.recall_at_100, 1) << bits;
		EXPECT_GT(found.mean_rank_shift, shift) << bits;
		EXPECT_DOUBLE_EQ(found.bytes_saved, 1 - bits / 32.0);
		recall = found.recall_at_10;
		shift = found.mean_rank_shift;
	}
	EXPECT_LT(recall, 0.9);
}

TEST(Evaluate, TiesAreNoMistake)
{
	// 64 different rows, each many times: whichever of the equal ones is found, none is nearer.
	Vector one_hot(2000 * 64);
	for (std::size_t row = 0; row < 2000; row++)
		one_hot[row * 64 + row % 64] = 1;
	const Vector equal(2000 * 64, 0.5F);
	for (Metric metric : kMetrics) {
		for (const Vector *values : std::initializer_list<const Vector *>{&one_hot, &equal}) {
			const Evaluator evaluator(metric, rows_of(*values, 64), {});
			const Evaluation found = evaluator.evaluate(shape_of(metric, 8, 64), {});
			EXPECT_EQ(found.recall_at_10, 1);
			EXPECT_EQ(found.mean_rank_shift, 0);
			EXPECT_GE(found.recall_at_100, 0.9);
		}
	}
}

TEST(Evaluate, FewRowsAndStops)
{
	const Vector values = isotropic(12, 4);
	for (std::size_t n : {2, 3, 12}) {
		const Evaluator evaluator(Metric::kL2, rows_of(values, 4).first(n), {});
		EXPECT_EQ(evaluator.evaluate(shape_of(Metric::kL2, 32, 4), {}).recall_at_10, 1);
	}
	const Stop stop{[](void *) { return true; }, nullptr};
	EXPECT_THROW(Evaluator(Metric::kL2, rows_of(values, 4), stop), Error);
}

TEST(Auto, TakesTheSmallestThatMeetsTheGates)
{
	const Vector values = joined(clustered(42, 2500, 128, 40, 0.7F));
	Situation situation = situation_of(Metric::kL2, 128);
	const Chosen in_line = choose(situation, rows_of(values, 128), {});
	EXPECT_TRUE(in_line.meets_gates);
	EXPECT_EQ(in_line.shape.bits, 4);
	EXPECT_TRUE(meets_gates(in_line.shape, in_line.evaluation));
	situation.out_of_line = true;
	EXPECT_EQ(choose(situation, rows_of(values, 128), {}).shape.bits, 8);
}

TEST(Auto, TakesMoreWhereLessDoesNotDo)
{
	// A thousandth of the length tells rows apart: what 4 bits round away.
	std::mt19937_64 random(43);
	Vector values;
	const Vector common = gaussian(random, 32);
	for (int row = 0; row < 2000; row++)
		for (std::size_t i = 0; i < 32; i++)
			values.push_back(common[i] + 0.00003F * std::normal_distribution<float>()(random));
	const Chosen chosen = choose(situation_of(Metric::kL2, 32), rows_of(values, 32), {});
	EXPECT_EQ(chosen.shape.kind, Kind::kNone);
	EXPECT_EQ(chosen.evaluation.recall_at_10, 1);
}

TEST(Auto, WithoutRowsTakesTheDefault)
{
	const Vector values = isotropic(100, 16);
	Situation situation = situation_of(Metric::kCosine, 16);
	for (std::size_t n : {0, 1, 100}) {
		const Chosen chosen = choose(situation, rows_of(values, 16).first(n), {});
		EXPECT_EQ(chosen.shape, default_shape(situation));
		EXPECT_EQ(chosen.evaluation.rows, 0U);
	}
	EXPECT_EQ(default_shape(situation).bits, 4);
	situation.out_of_line = true;
	EXPECT_EQ(default_shape(situation).bits, 8);
}

TEST(Auto, KeepsToAWishAndToTheRoomThereIs)
{
	const Vector values = joined(clustered(44, 1500, 64, 20, 0.7F));
	for (std::size_t target : {1, 7, 8, 15, 16, 31, 32, 64, 1000}) {
		Situation situation = situation_of(Metric::kL2, 64);
		situation.target_bytes = target;
		const Chosen chosen = choose(situation, rows_of(values, 64), {});
		EXPECT_LE(code_bytes(chosen.shape), target);
		EXPECT_EQ(chosen.parameters.empty(), !trainable(chosen.shape));
		EXPECT_GT(chosen.evaluation.rows, 0U);
		EXPECT_LE(code_bytes(default_shape(situation)), target);
	}
	Situation wide = situation_of(Metric::kL2, 16000);
	EXPECT_EQ(default_shape(wide).bits, 2);
	wide.most_code_bytes = 3000;
	EXPECT_EQ(default_shape(wide).kind, Kind::kBinary);
	wide.most_code_bytes = 1000;
	EXPECT_EQ(default_shape(wide).kind, Kind::kProduct);
}

}  // namespace
}  // namespace vectorizer::quantize::test
