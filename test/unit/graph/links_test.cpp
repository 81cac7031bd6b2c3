// Lists of links: edge distances of one byte, their common exponent, and the rule by which a full list admits a node.
#include "core/graph/links.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace vectorizer::graph::test {
namespace {

/// A list with memory of its own.
struct OwnList {
	explicit OwnList(unsigned capacity) : ids(capacity), mantissas(capacity) {}

	LinkHeader header{};
	std::vector<NodeId> ids;
	std::vector<std::int8_t> mantissas;
	LinkList list{&header, ids.data(), mantissas.data(), static_cast<unsigned>(ids.size())};
};

class Distances final : public KnownDistances {
public:
	std::map<NodeId, double> known;
	bool find(NodeId id, double *distance) const override
	{
		auto at = known.find(id);
		if (at == known.end())
			return false;
		*distance = at->second;
		return true;
	}
};

constexpr double kStep = 1.0 / 64;  // the largest relative error of the farthest edge is half of it

TEST(Links, AllZeroHeaderIsAnEmptyList)
{
	OwnList own(4);
	EXPECT_EQ(own.list.count(), 0U);
	EXPECT_FALSE(own.list.contains(0));
}

TEST(Links, FarthestEdgeKeepsSixBits)
{
	for (double distance : {1.0, 0.001, 3.7, 126.9, 127.4, 127.6, 128.0, 1e-30, 1e30, -5.5, -1e-3, 0.9999}) {
		OwnList own(4);
		own.list.append(7, distance, false);
		EXPECT_NEAR(own.list.distance(0), distance, std::fabs(distance) * kStep) << distance;
	}
}

TEST(Links, OrderOfEdgesSurvives)
{
	OwnList own(100);
	for (unsigned i = 0; i < 100; ++i)
		own.list.append(i, 0.01 * ((i * 37) % 100), false);
	for (unsigned i = 0; i < 100; ++i)
		for (unsigned j = 0; j < 100; ++j)
			if ((i * 37) % 100 < (j * 37) % 100) {
				EXPECT_LE(own.list.distance(i), own.list.distance(j));
			}
}

TEST(Links, FirstEdgeOfZeroLeavesRoomForSmallOnes)
{
	OwnList own(4);
	own.list.append(1, 0.0, false);
	own.list.append(2, 0.01, false);
	own.list.append(3, 0.02, false);
	EXPECT_EQ(own.list.distance(0), 0);
	EXPECT_NEAR(own.list.distance(1), 0.01, 0.02 * kStep);
	EXPECT_NEAR(own.list.distance(2), 0.02, 0.02 * kStep);
}

TEST(Links, FarEdgeRaisesTheExponentAndItsLeavingLowersIt)
{
	OwnList own(3);
	own.list.append(1, 1.0, false);
	own.list.append(2, 1e6, false);
	EXPECT_NEAR(own.list.distance(1), 1e6, 1e6 * kStep);
	EXPECT_NEAR(own.list.distance(0), 0, 1e6 * kStep);
	own.list.replace(1, 3, 2.0, false);
	own.list.append(4, 1.5, false);
	EXPECT_NEAR(own.list.distance(1), 2.0, 2.0 * kStep);
	EXPECT_NEAR(own.list.distance(2), 1.5, 2.0 * kStep);
	EXPECT_EQ(own.list.ids[1], 3U);
}

TEST(Links, NoDistanceIsTooLarge)
{
	for (double distance : {DBL_MAX, -DBL_MAX, std::numeric_limits<double>::infinity(), std::nan(""), double{FLT_MAX}, 1e38}) {
		OwnList own(4);
		own.list.append(1, 1.0, false);
		own.list.append(2, distance, false);
		EXPECT_TRUE(std::isfinite(own.list.distance(1)));
		EXPECT_NEAR(std::fabs(own.list.distance(1)), std::fabs(distance) == 1e38 ? 1e38 : double{FLT_MAX}, FLT_MAX * kStep);
		EXPECT_EQ(own.list.distance(1) < 0, distance < 0);
	}
}

TEST(Links, NoDistanceIsTooSmall)
{
	for (double distance : {DBL_MIN, 5e-324, -5e-324, 1e-60}) {
		OwnList own(4);
		own.list.append(1, distance, false);
		own.list.append(2, 1e-3, false);
		EXPECT_NEAR(own.list.distance(0), 0, 1e-30);
		EXPECT_NEAR(own.list.distance(1), 1e-3, 1e-3 * kStep);
	}
}

TEST(Links, NegativeDistancesStandInOrder)
{
	OwnList own(4);
	own.list.append(1, -3.0, false);
	own.list.append(2, -1.0, false);
	own.list.append(3, 2.0, false);
	EXPECT_LT(own.list.distance(0), own.list.distance(1));
	EXPECT_LT(own.list.distance(1), own.list.distance(2));
}

TEST(Links, RemovePutsTheLastInItsPlace)
{
	OwnList own(4);
	for (NodeId id : {10U, 11U, 12U})
		own.list.append(id, id, false);
	own.list.remove(0);
	EXPECT_EQ(own.list.count(), 2U);
	EXPECT_EQ(own.list.ids[0], 12U);
	EXPECT_NEAR(own.list.distance(0), 12, 12 * kStep);
	own.list.remove(1);
	own.list.remove(0);
	EXPECT_EQ(own.list.count(), 0U);
	own.list.append(5, 0.001, false);
	EXPECT_NEAR(own.list.distance(0), 0.001, 0.001 * kStep);
}

TEST(Links, WithinAReachAreThoseThatAreNoLonger)
{
	OwnList own(8);
	for (NodeId id = 0; id < 8; ++id)
		own.list.append(id, 10.0 * (id + 1), id % 2 == 1);
	NodeId ids[8];
	for (unsigned n = 0; n <= 8; ++n) {
		ASSERT_EQ(own.list.within(10.0 * n + 5, ids), n);
		for (NodeId id = 0; id < n; ++id)
			EXPECT_EQ(ids[id], id);
	}
	EXPECT_EQ(own.list.within(kAnyDistance, ids), 8U);
	EXPECT_EQ(own.list.within(1e300, ids), 8U);
	EXPECT_EQ(own.list.within(-kAnyDistance, ids), 0U);
	EXPECT_EQ(OwnList(4).list.within(kAnyDistance, ids), 0U);
}

TEST(Links, WithinAReachNegativeLengthsStandInOrderToo)
{
	OwnList own(4);
	for (NodeId id = 0; id < 4; ++id)
		own.list.append(id, -40.0 + 20.0 * id, false);  // as inner products have them
	NodeId ids[4];
	EXPECT_EQ(own.list.within(-30, ids), 1U);
	EXPECT_EQ(own.list.within(-10, ids), 2U);
	EXPECT_EQ(own.list.within(10, ids), 3U);
	EXPECT_EQ(own.list.within(kAnyDistance, ids), 4U);
}

TEST(Admit, TakesEveryNodeWhileThereIsRoomAndNoneTwice)
{
	OwnList own(2);
	Distances none;
	EXPECT_TRUE(own.list.admit(1, 5, none, false));
	EXPECT_FALSE(own.list.admit(1, 5, none, true));
	EXPECT_TRUE(own.list.admit(2, 900, none, false));
	EXPECT_EQ(own.list.count(), 2U);
}

/// A full list of nodes 1, 2, 3 at distances 10, 20, 30.
OwnList full()
{
	OwnList own(3);
	for (NodeId id : {1U, 2U, 3U})
		own.list.append(id, 10.0 * id, false);
	return own;
}

TEST(Admit, GivesUpTheFarthestThatTheNewNodeStandsInFrontOf)
{
	OwnList own = full();
	Distances from_new;
	from_new.known = {{1, 100}, {2, 15}, {3, 25}};
	LinkList list{&own.header, own.ids.data(), own.mantissas.data(), 3};
	EXPECT_TRUE(list.admit(9, 12, from_new, false));
	EXPECT_TRUE(list.contains(9));
	EXPECT_FALSE(list.contains(3));
	EXPECT_TRUE(list.contains(2));
}

TEST(Admit, OfNodesThatNoneHidesTheFarthestGoes)
{
	OwnList own = full();
	Distances from_new;
	from_new.known = {{1, 100}, {2, 100}, {3, 100}};
	LinkList list{&own.header, own.ids.data(), own.mantissas.data(), 3};
	EXPECT_TRUE(list.admit(9, 25, from_new, false));
	EXPECT_FALSE(list.contains(3));
	EXPECT_FALSE(list.admit(8, 500, from_new, false));  // it is the farthest itself
	EXPECT_FALSE(list.contains(8));
}

TEST(Admit, LeavesOutAHiddenNodeUnlessItIsRequired)
{
	Distances from_new;
	from_new.known = {{1, 3}};  // node 1 stands in front: nearer to the owner and to the new node
	OwnList own = full();
	LinkList list{&own.header, own.ids.data(), own.mantissas.data(), 3};
	EXPECT_FALSE(list.admit(9, 12, from_new, false));
	EXPECT_TRUE(list.admit(9, 12, from_new, true));
	EXPECT_TRUE(list.contains(9));
	EXPECT_FALSE(list.contains(3));
	EXPECT_EQ(list.count(), 3U);
}

TEST(Admit, GivesUpTheFarthestOfTheHiddenFirst)
{
	OwnList own = full();
	LinkList list{&own.header, own.ids.data(), own.mantissas.data(), 3};
	list.replace(1, 2, 20, true);
	Distances none;
	EXPECT_TRUE(list.admit(9, 500, none, false));  // far, but in nobody's shade
	EXPECT_FALSE(list.contains(2));
	EXPECT_FALSE(list.hidden(1));
}

TEST(Admit, HidesWhatTheNewNodeStandsInFrontOf)
{
	OwnList own(4);
	for (NodeId id : {1U, 2U, 3U})
		own.list.append(id, 10.0 * id, false);
	Distances from_new;
	from_new.known = {{1, 100}, {2, 15}, {3, 25}};
	EXPECT_TRUE(own.list.admit(9, 12, from_new, false));
	EXPECT_FALSE(own.list.hidden(0));
	EXPECT_TRUE(own.list.hidden(1) && own.list.hidden(2));
	EXPECT_FALSE(own.list.hidden(3));
	EXPECT_NEAR(own.list.distance(2), 30, 30 * kStep);
}

TEST(Admit, WhatIsHiddenHidesNothing)
{
	OwnList own(4);
	own.list.append(1, 10, false);
	own.list.append(2, 11, true);
	own.list.append(3, 30, false);
	Distances from_new;
	from_new.known = {{1, 100}, {2, 1}, {3, 100}};
	EXPECT_TRUE(own.list.admit(9, 20, from_new, false));  // behind node 2 alone
	EXPECT_FALSE(own.list.hidden(3));

	OwnList other(4);
	other.list.append(1, 10, false);
	other.list.append(3, 30, false);
	from_new.known = {{1, 5}, {3, 5}};
	EXPECT_TRUE(other.list.admit(9, 20, from_new, false));  // behind node 1, in front of node 3
	EXPECT_TRUE(other.list.hidden(2));
	EXPECT_FALSE(other.list.hidden(1));
}

/// As Distances, of a new node whose own links are known.
struct Linked final : KnownDistances {
	Distances distances;
	std::vector<NodeId> own;

	bool find(NodeId id, double *distance) const override { return distances.find(id, distance); }
	bool leads_to(NodeId id) const override { return std::find(own.begin(), own.end(), id) != own.end(); }
};

TEST(Admit, GivesUpOnlyWhatTheNewNodeLinksTo)
{
	Linked from_new;
	from_new.distances.known = {{1, 100}, {2, 15}, {3, 25}};
	from_new.own = {2};
	OwnList own = full();
	LinkList list{&own.header, own.ids.data(), own.mantissas.data(), 3};
	EXPECT_TRUE(list.admit(9, 12, from_new, false));
	EXPECT_FALSE(list.contains(2));  // 3 is farther, but perhaps nothing else leads to it
	EXPECT_TRUE(list.contains(3));
	from_new.own.clear();
	EXPECT_FALSE(list.admit(8, 12, from_new, false));
	EXPECT_TRUE(list.admit(8, 12, from_new, true));
	EXPECT_FALSE(list.contains(3));
}

TEST(Admit, AsksNothingOfPairsWhoseDistanceIsUnknown)
{
	OwnList own = full();
	Distances none;
	LinkList list{&own.header, own.ids.data(), own.mantissas.data(), 3};
	EXPECT_TRUE(list.admit(9, 5, none, false));
	EXPECT_FALSE(list.contains(3));
}

}  // namespace
}  // namespace vectorizer::graph::test
