// What the graph's algorithms ask of whoever holds the nodes: pages in the server (src/pg/hnsw/page_store.hpp), plain
// memory in a build and in tests (memory_graph.hpp).
//
// Nothing is held between calls: a node may change, die, or (for a scan) become another one. So each call tolerates any
// id: one that names no node has no links and is not evaluated.
#pragma once

#include "core/graph/slot.hpp"

#include <concepts>
#include <span>

namespace vectorizer::graph {

/// A node as a search sees it at the moment of its evaluation.
struct Candidate {
	double distance;           // estimated from its code
	float error;               // one sigma of that estimate; 0 where nobody asked
	NodeId id;
	std::uint32_t duplicates;  // these three as in its slot
	RowPointer row;
	std::uint16_t generation;
	bool live;                 // false: a tombstone, to walk through only
	bool queued;               // a search has queued it for expansion (or has expanded it)
};
static_assert(sizeof(Candidate) == 32);

struct Nearer {
	bool operator()(const Candidate &a, const Candidate &b) const { return nearer(a.distance, b.distance); }
};
struct Farther {
	bool operator()(const Candidate &a, const Candidate &b) const { return nearer(b.distance, a.distance); }
};

/// A code outside its slot.
struct StoredCode {
	const std::uint8_t *code;  // null: the node is gone
	quantize::Factors factors;
};

struct IgnoreNode {
	void operator()(NodeId, const std::byte *) const {}
};

template <typename S>
concept Store = requires(S store, NodeId id, unsigned level, std::span<NodeId> ids, NodeId *links, StoredCode *codes,
						 const Arena &arena) {
	/// How its slots are laid out.
	{ store.layout() } -> std::convertible_to<const SlotLayout &>;

	/// The largest number of links that links() can return.
	{ store.max_links() } -> std::convertible_to<unsigned>;

	/// Copies the node's neighbours on the level to `links`; returns their number.
	{ store.links(id, level, links) } -> std::convertible_to<unsigned>;

	/// Calls visit(id, slot) for each id that names a live node or a tombstone. May reorder `ids`. `visit` runs under the
	/// page's lock: it must not call the store.
	store.visit(ids, IgnoreNode{});

	/// Fetches the codes of several nodes, codes[i] that of ids[i]; their memory comes from `arena` or outlives it.
	store.codes(std::span<const NodeId>(ids), codes, arena);
};

}  // namespace vectorizer::graph
