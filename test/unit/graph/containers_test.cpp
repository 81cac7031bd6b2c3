// The heap and the table of visited nodes.
#include "arena.hpp"
#include "core/graph/heap.hpp"
#include "core/graph/visited.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace vectorizer::graph::test {
namespace {

struct Less {
	bool operator()(int a, int b) const { return a < b; }
};

TEST(Heap, GivesItemsInOrder)
{
	HeapArena memory;
	Heap<int, Less> heap(memory.arena());
	std::mt19937_64 random(1);
	std::vector<int> items(1000);
	for (int &item : items) {
		item = static_cast<int>(random() % 300);
		heap.push(item);
	}
	std::sort(items.begin(), items.end());
	EXPECT_EQ(heap.size(), items.size());
	for (int item : items) {
		EXPECT_EQ(heap.top(), item);
		EXPECT_EQ(heap.pop(), item);
	}
	EXPECT_TRUE(heap.empty());
}

TEST(Heap, GoesOnAfterClear)
{
	HeapArena memory;
	Heap<int, Less> heap(memory.arena());
	for (int i = 0; i < 100; ++i)
		heap.push(i);
	heap.clear();
	EXPECT_TRUE(heap.empty());
	heap.push(5);
	heap.push(3);
	EXPECT_EQ(heap.size(), 2U);
	EXPECT_EQ(heap.pop(), 3);
}

TEST(Visited, NotesEveryIdOnceWhileItGrows)
{
	HeapArena memory;
	Visited visited(memory.arena(), 10);
	std::mt19937_64 random(2);
	std::set<NodeId> ids;
	for (int i = 0; i < 20000; ++i) {
		auto id = static_cast<NodeId>(random() % 15000);
		EXPECT_EQ(visited.insert(id), ids.insert(id).second);
		EXPECT_EQ(visited.size(), ids.size());
	}
	for (NodeId id = 0; id < 15000; ++id)
		EXPECT_EQ(visited.contains(id), ids.contains(id));
}

TEST(Visited, KeepsDistancesWhileItGrows)
{
	HeapArena memory;
	Visited visited(memory.arena(), 10);
	for (NodeId id = 0; id < 5000; ++id) {
		visited.reserve(1);
		const NodeId ids[] = {id * 31, id * 31};
		NodeId fresh[2];
		std::uint32_t places[2];
		ASSERT_EQ(visited.note(ids, fresh, places), 1U);
		EXPECT_EQ(fresh[0], id * 31);
		const std::uint32_t place = places[0];
		if (id % 2 == 0)
			visited.set_distance(place, id);
		EXPECT_EQ(visited.note({ids, 1}, fresh, places), 0U);
	}
	double distance = 0;
	for (NodeId id = 0; id < 5000; ++id) {
		EXPECT_EQ(visited.find(id * 31, &distance), id % 2 == 0);
		if (id % 2 == 0) {
			EXPECT_EQ(distance, id);
		}
	}
	EXPECT_FALSE(visited.find(1, &distance));
	visited.clear();
	EXPECT_EQ(visited.size(), 0U);
	EXPECT_FALSE(visited.contains(0));
}

TEST(Visited, TakesTheHighestIdsAndNeverNoNode)
{
	HeapArena memory;
	Visited visited(memory.arena(), 0);
	EXPECT_TRUE(visited.insert(kNoNode - 1));
	EXPECT_FALSE(visited.insert(kNoNode - 1));
	EXPECT_FALSE(visited.insert(kNoNode));  // it names no node: nothing to look at
	EXPECT_EQ(visited.size(), 1U);
}

}  // namespace
}  // namespace vectorizer::graph::test
