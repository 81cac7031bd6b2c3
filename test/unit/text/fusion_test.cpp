#include "core/text/fusion.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace vectorizer::txt {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

FoundRow nearest(std::int64_t id, double similarity, std::uint32_t collection = 0, std::uint32_t space = 0)
{
	return {id, collection, space, true, false, similarity, 0, 0, 0, 0, 0};
}

FoundRow heaviest(std::int64_t id, double weight, std::uint32_t collection = 0, std::uint32_t space = 0)
{
	return {id, collection, space, false, true, 0, weight, 0, 0, 0, 0};
}

FoundRow both(std::int64_t id, double similarity, double weight, std::uint32_t collection = 0, std::uint32_t space = 0)
{
	return {id, collection, space, true, true, similarity, weight, 0, 0, 0, 0};
}

std::vector<std::int64_t> best(std::vector<FoundRow> &rows, SearchMode mode, std::size_t k = 10, const double *min_score = nullptr)
{
	std::vector<std::uint32_t> order(rows.size());
	const std::size_t count = fuse(rows, mode, k, min_score, order);
	std::vector<std::int64_t> ids;
	for (std::size_t i = 0; i < count; ++i)
		ids.push_back(rows[order[i]].id);
	return ids;
}

using Ids = std::vector<std::int64_t>;

TEST(Fusion, OfNothingIsNothing)
{
	std::vector<FoundRow> rows;
	EXPECT_EQ(best(rows, SearchMode::kHybrid), Ids{});
}

TEST(Fusion, FirstInBothIsOne)
{
	std::vector<FoundRow> rows = {nearest(1, .5), both(2, .9, 7), heaviest(3, 3)};
	EXPECT_EQ(best(rows, SearchMode::kHybrid), (Ids{2, 1, 3}));
	EXPECT_DOUBLE_EQ(rows[1].score, 1);
	EXPECT_EQ(rows[1].vector_rank, 1U);
	EXPECT_EQ(rows[0].vector_rank, 2U);
	EXPECT_EQ(rows[0].text_rank, 0U);
	EXPECT_EQ(rows[2].text_rank, 2U);
	// What one leg alone found ties: meaning first.
	EXPECT_DOUBLE_EQ(rows[0].score, 5.5 / 12);
	EXPECT_DOUBLE_EQ(rows[2].score, 5.5 / 12);
}

TEST(Fusion, KeepsKAndWhatIsGoodEnough)
{
	std::vector<FoundRow> rows = {nearest(1, .5), nearest(2, .9), nearest(3, .7), heaviest(4, 3)};
	EXPECT_EQ(best(rows, SearchMode::kVector), (Ids{2, 3, 1}));
	EXPECT_EQ(best(rows, SearchMode::kVector, 1), (Ids{2}));
	const double least = .7;
	EXPECT_EQ(best(rows, SearchMode::kVector, 10, &least), (Ids{2, 3}));
	EXPECT_EQ(rows[3].text_rank, 0U) << "in mode vector words have no rank";
}

TEST(Fusion, OrdersEqualsByCollectionAndId)
{
	std::vector<FoundRow> rows = {heaviest(9, 2, 1), heaviest(5, 2, 0), heaviest(7, 2, 0)};
	EXPECT_EQ(best(rows, SearchMode::kText), (Ids{5, 7, 9}));
}

TEST(Fusion, SortsNaNFirst)
{
	std::vector<FoundRow> rows = {nearest(1, .5), nearest(2, kNaN), nearest(3, std::numeric_limits<double>::infinity())};
	EXPECT_EQ(best(rows, SearchMode::kVector), (Ids{2, 3, 1}));
}

// Space 1 has greater similarities, which promise smaller weights.
TEST(Fusion, RanksSpacesByTheWeightThatASimilarityPromises)
{
	std::vector<FoundRow> rows = {both(1, .2, 4), both(2, .4, 8), nearest(3, .3), both(11, .8, 1, 1, 1), both(12, .9, 2, 1, 1), nearest(13, .99, 1, 1)};
	EXPECT_EQ(best(rows, SearchMode::kVector), (Ids{2, 3, 1, 13, 12, 11}));
	EXPECT_DOUBLE_EQ(rows[2].nearness, 6);
	EXPECT_NEAR(rows[5].nearness, 2.9, 1e-9);
}

TEST(Fusion, PromisesBetweenNothingAndTwiceTheGreatestWeight)
{
	std::vector<FoundRow> rows = {both(1, .1, 1), both(2, .2, 2), nearest(3, .9), nearest(4, .01), nearest(5, .5, 1, 1)};
	best(rows, SearchMode::kHybrid);
	EXPECT_DOUBLE_EQ(rows[2].nearness, 4);
	EXPECT_NEAR(rows[3].nearness, .1, 1e-9);
	EXPECT_DOUBLE_EQ(rows[4].nearness, 0) << "no row of its space was found by words";
}

TEST(Fusion, ALineDoesNotFall)
{
	std::vector<FoundRow> rows = {both(1, .2, 8), both(2, .4, 4), nearest(3, .9), nearest(5, .5, 1, 1)};
	best(rows, SearchMode::kHybrid);
	for (std::size_t i = 0; i < 3; ++i)
		EXPECT_DOUBLE_EQ(rows[i].nearness, 6);
	EXPECT_EQ(rows[2].vector_rank, 1U) << "equal promises are in the order of similarities";
}

}  // namespace
}  // namespace vectorizer::txt
