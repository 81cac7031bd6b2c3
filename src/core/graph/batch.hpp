// Rows that wait for one another on their way into a graph in memory, to enter it in an order in which each is near the one
// before: what the search for one reads, the search for the next finds in the processor's caches.
//
// The order is that of the nodes where descents to the rows arrive, the higher levels first. Rows that get upper levels go before
// all others, in the order they came in: the rest of a cluster is found by them.
#pragma once

#include "core/graph/memory_graph.hpp"

#include <algorithm>
#include <utility>

namespace vectorizer::graph {

class Batch {
public:
	static constexpr std::size_t kShare = 16;

	/// Everything of it lives in the arena. It is enough() when it takes the share-th part of the graph's memory.
	Batch(MemoryGraph &graph, const Arena &arena, std::size_t share = kShare) : graph_(&graph), arena_(arena), share_(share) {}

	/// Returns false if the graph has no memory left for the row. `scratch` is for this call alone.
	bool add(const float *vector, RowPointer row, unsigned level, const Arena &scratch)
	{
		const Arena counted{count_and_allocate, this};
		MemoryGraph::Newcomer *newcomer = graph_->prepare(vector, row, level, counted, scratch);
		if (newcomer == nullptr)
			return false;
		newcomer->next = std::exchange(last_, newcomer);
		++count_;
		return true;
	}

	bool enough() const { return bytes_ >= graph_->bytes() / share_; }

	/// All rows added, in the order to insert them in.
	std::span<MemoryGraph::Newcomer *> arranged()
	{
		std::span<MemoryGraph::Newcomer *> result = arena_.array<MemoryGraph::Newcomer *>(count_);
		MemoryGraph::Newcomer *at = last_;
		for (std::size_t i = count_; i-- > 0; at = at->next)
			result[i] = at;
		std::stable_sort(result.begin(), result.end(), before);
		return result;
	}

	/// REQUIRES: all have been inserted. The arena may be released then.
	void clear()
	{
		last_ = nullptr;
		count_ = bytes_ = 0;
	}

private:
	/// In the order of their landings, after the rows that get upper levels, which stay in the order they came in.
	static bool before(const MemoryGraph::Newcomer *a, const MemoryGraph::Newcomer *b)
	{
		if (a->level > 0 || b->level > 0)
			return b->level == 0;
		return a->landings < b->landings;
	}

	static void *count_and_allocate(void *self, std::size_t bytes)
	{
		auto *batch = static_cast<Batch *>(self);
		batch->bytes_ += bytes;
		return batch->arena_.allocate_bytes(batch->arena_.context, bytes);
	}

	MemoryGraph *graph_;
	Arena arena_;
	std::size_t share_;
	MemoryGraph::Newcomer *last_ = nullptr;
	std::size_t count_ = 0, bytes_ = 0;
};

static_assert(std::is_trivially_destructible_v<Batch>);

}  // namespace vectorizer::graph
