// What the graph's algorithms ask of whoever holds the nodes: pages in the server (src/pg/hnsw/page_store.hpp), plain
// memory in a build and in tests (memory_graph.hpp).
//
// Hints and truths: links() and visit() may read what a writer is changing at that moment, so they give hints, and a node
// may change, die, or (for a scan) become another one at any time after. So each call tolerates any id: one that names no
// node has no links and is not evaluated. codes() tells the truth of the moment.
#pragma once

#include "core/graph/slot.hpp"

#include <concepts>
#include <span>

namespace vectorizer::graph {

/// A code outside its slot.
struct StoredCode {
	const std::uint8_t *code;  // null: the node is gone, or a tombstone
	quantize::Factors factors;
};

struct ReadNothing {
	int operator()(const std::byte *) const { return 0; }
};
struct TakeNothing {
	void operator()(std::size_t, int) const {}
};
/// For who looks at nothing but what was asked for.
struct NothingBeside {
	void operator()(NodeId, const std::byte *) const {}
};

template <typename S>
concept Store = requires(S store, NodeId id, unsigned level, std::span<NodeId> ids, NodeId *links, StoredCode *codes,
						 double reach, const Arena &arena) {
	/// How its slots are laid out.
	{ store.layout() } -> std::convertible_to<const SlotLayout &>;

	/// The largest number of links that links() can return.
	{ store.max_links() } -> std::convertible_to<unsigned>;

	/// Of the distances that its codes give, those between nodes included.
	{ store.metric() } -> std::same_as<Metric>;

	/// Copies the node's neighbours on the level, those that lie no farther from it than `reach`; returns their number.
	{ store.links(id, level, links, reach) } -> std::convertible_to<unsigned>;

	/// For each i for which ids[i] names a live node or a tombstone: take(i, read(slot)), in no particular order. `read` may
	/// look at bytes that are being changed, may run again for the same node, and must not call the store; what it returns
	/// is a value, taken only if the bytes were that node's. Where that meant to wait for a page to be read, it also calls
	/// beside(id, slot) for the other live nodes and tombstones there: to look at those as well costs little beside the wait.
	store.visit(std::span<const NodeId>(ids), ReadNothing{}, TakeNothing{});
	store.visit(std::span<const NodeId>(ids), ReadNothing{}, TakeNothing{}, NothingBeside{});

	/// Begins to fetch the node's links of level 0 into the processor's caches.
	store.prefetch_links(id);

	/// Reads the codes of several live nodes, codes[i] that of ids[i]; their memory comes from `arena` or outlives it.
	store.codes(std::span<const NodeId>(ids), codes, arena);
};

}  // namespace vectorizer::graph
