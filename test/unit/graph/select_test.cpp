// Choosing neighbours: diversity first, then the nearest of the others; nodes that have gone are left out.
#include "arena.hpp"
#include "core/graph/select.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vectorizer::graph::test {
namespace {

class Select : public testing::Test {
protected:
	/// Candidates at these points of the plane, weighed for a node at the origin.
	std::vector<NodeId> choose(const std::vector<Vector> &points, std::size_t most, int gone = -1)
	{
		std::vector<Neighbour> candidates;
		for (NodeId id = 0; id < points.size(); ++id)
			candidates.push_back({id, quantize::exact_distance(Metric::kL2, Vector{0, 0}.data(), points[id].data(), 2)});
		std::sort(candidates.begin(), candidates.end(), [](auto &a, auto &b) { return a.distance < b.distance; });
		std::vector<StoredCode> codes;
		std::vector<std::vector<std::uint8_t>> bytes;
		for (const Neighbour &candidate : candidates) {
			bytes.emplace_back(quantizer_.code_bytes());
			quantize::Factors factors = quantizer_.encode(points[candidate.id].data(), bytes.back().data());
			codes.push_back({static_cast<int>(candidate.id) == gone ? nullptr : bytes.back().data(), factors});
		}
		std::size_t n = select_neighbours(quantizer_, candidates, codes, most, memory_.arena());
		std::vector<NodeId> ids;
		for (std::size_t i = 0; i < n; ++i)
			ids.push_back(candidates[i].id);
		return ids;
	}

	HeapArena memory_;
	quantize::Quantizer quantizer_{{quantize::Kind::kNone, 32, Metric::kL2, 2, 1}, memory_.arena()};
};

TEST_F(Select, PrefersOtherDirectionsToNearerOnes)
{
	// 0, 1 and 2 lie behind one another, 3 on the other side
	EXPECT_EQ(choose({{1, 0}, {1.5F, 0}, {2, 0}, {-3, 0}}, 2), (std::vector<NodeId>{0, 3}));
}

TEST_F(Select, FillsUpWithTheNearestOfTheHidden)
{
	EXPECT_EQ(choose({{1, 0}, {1.5F, 0}, {2, 0}, {-3, 0}}, 3), (std::vector<NodeId>{0, 3, 1}));
	EXPECT_EQ(choose({{1, 0}, {1.5F, 0}, {2, 0}, {-3, 0}}, 10).size(), 4U);
}

TEST_F(Select, LeavesOutNodesThatHaveGone)
{
	EXPECT_EQ(choose({{1, 0}, {1.5F, 0}, {-3, 0}}, 3, 0), (std::vector<NodeId>{1, 2}));
	EXPECT_TRUE(choose({{1, 0}}, 3, 0).empty());
}

TEST_F(Select, TakesNothingFromNothing)
{
	EXPECT_TRUE(choose({}, 3).empty());
	EXPECT_TRUE(choose({{1, 0}}, 0).empty());
}

}  // namespace
}  // namespace vectorizer::graph::test
