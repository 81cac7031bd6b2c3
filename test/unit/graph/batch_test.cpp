// Rows on their way into a graph in memory: the order they enter it in, and the places kept for them.
#include "arena.hpp"
#include "core/graph/batch.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace vectorizer::graph::test {
namespace {

constexpr std::size_t kDimensions = 32, kNoLimit = SIZE_MAX, kNeverEnough = 1;

RowPointer row(std::size_t n)
{
	return {static_cast<std::uint16_t>(n >> 16), static_cast<std::uint16_t>(n), 1};
}

std::size_t number(RowPointer row)
{
	return std::size_t{row.block_high} << 16 | row.block_low;
}

/// Levels as an index of m = 8 draws them, without luck.
unsigned level_of(std::size_t n)
{
	return n % 64 == 63 ? 2 : n % 8 == 7 ? 1 : 0;
}

class Building {
public:
	explicit Building(std::size_t most_bytes)
		: quantizer_({quantize::Kind::kScalar, 8, Metric::kL2, kDimensions, 42}, memory_.arena()),
		  chunks_(memory_.arena(), most_bytes),
		  graph(BuildCode(quantizer_), {8, 32}, chunks_.state, chunks_.source(), memory_.arena())
	{
	}

	/// Inserts all of a batch; the rows in their order.
	std::vector<std::size_t> insert(Batch &batch)
	{
		std::vector<std::size_t> order;
		for (const MemoryGraph::Newcomer *newcomer : batch.arranged()) {
			HeapArena scratch;
			EXPECT_NE(graph.insert(*newcomer, scratch.arena(), {}).outcome, MemoryGraph::Outcome::kStopped);
			order.push_back(number(newcomer->row));
		}
		batch.clear();
		return order;
	}

private:
	HeapArena memory_;
	quantize::Quantizer quantizer_;
	ArenaChunks chunks_;

public:
	MemoryGraph graph;
};

TEST(Batch, BringsRowsThatAreNearTogether)
{
	std::mt19937_64 random(5);
	constexpr std::size_t kClusters = 20, kRows = 4000;
	std::vector<Vector> centres = mixture(random, kClusters, kDimensions, kClusters), vectors;
	std::vector<std::size_t> cluster;
	for (std::size_t i = 0; i < kRows; ++i) {
		cluster.push_back(random() % kClusters);
		vectors.push_back(centres[cluster.back()]);
		for (float &x : vectors.back())
			x += .01F * std::normal_distribution<float>()(random);
	}
	Building building(kNoLimit);
	HeapArena memory;
	Batch batch(building.graph, memory.arena());
	std::vector<std::size_t> order;
	std::size_t batches = 0;
	auto insert = [&] {
		const std::vector<std::size_t> inserted = building.insert(batch);
		order.insert(order.end(), inserted.begin(), inserted.end());
		++batches;
	};
	for (std::size_t i = 0; i < kRows; ++i) {
		HeapArena scratch;
		ASSERT_TRUE(batch.add(vectors[i].data(), row(i), level_of(i), scratch.arena()));
		if (batch.enough())
			insert();
	}
	insert();
	EXPECT_EQ(std::set<std::size_t>(order.begin(), order.end()).size(), kRows);
	EXPECT_EQ(building.graph.size(), kRows);
	EXPECT_GT(batches, 20);
	std::size_t together = 0;
	for (std::size_t i = kRows / 2 + 1; i < kRows; ++i)
		together += cluster[order[i]] == cluster[order[i - 1]] ? 1 : 0;
	EXPECT_GT(together, kRows / 2 * 4 / 10);  // a twentieth in the order they came in
}

TEST(Batch, WhatItTookFindsRoom)
{
	std::mt19937_64 random(6);
	const std::vector<Vector> vectors = mixture(random, 100'000, kDimensions, 50);
	for (std::size_t copies : {1, 100}) {  // a node each; further rows of few nodes
		SCOPED_TRACE(copies);
		Building building(3'000'000);
		HeapArena first_memory, second_memory;
		Batch first(building.graph, first_memory.arena(), kNeverEnough), second(building.graph, second_memory.arena(), kNeverEnough);
		std::size_t taken = 0;
		auto take = [&](Batch &batch) {
			HeapArena scratch;
			return batch.add(vectors[taken / copies].data(), row(taken), level_of(taken), scratch.arena());
		};
		while (taken < vectors.size() && take(taken % 3 == 0 ? first : second)) {
			++taken;
			if (taken == 1000) {
				building.insert(first);
				building.insert(second);
			}
		}
		ASSERT_GT(taken, 1000U);
		ASSERT_LT(taken, vectors.size());
		EXPECT_FALSE(take(first));
		building.insert(second);
		building.insert(first);
		EXPECT_LE(building.graph.bytes(), 3'000'000U);
		std::size_t rows = 0;
		for (NodeId id = 0; id < building.graph.size(); ++id) {
			++rows;
			for (std::uint32_t at = SlotLayout::header(building.graph.slot(id)).duplicates; at != kNoChunk; at = building.graph.more_rows(at).next)
				++rows;
		}
		EXPECT_EQ(rows, taken);
	}
}

}  // namespace
}  // namespace vectorizer::graph::test
