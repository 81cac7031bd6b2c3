// The graph as it lies in pages: core/graph/store.hpp over Postgres's buffers.
//
// No page stays locked or pinned between calls. Whatever an id has become meanwhile is tolerated; a page that contradicts
// its own header raises XX002.
#pragma once

#include "pg/hnsw/index.hpp"

namespace vectorizer::hnsw {

class PageStore {
public:
	/// `blocks` are the relation's blocks as of now: ids beyond them name no node.
	PageStore(Relation relation, const Index &index);

	const graph::SlotLayout &layout() const { return index_.layout; }
	const Index &index() const { return index_; }
	Relation relation() const { return relation_; }
	unsigned max_links() const { return 2 * index_.parameters.m; }

	unsigned links(NodeId id, unsigned level, NodeId *out);

	template <typename Visit>
	void visit(std::span<NodeId> ids, Visit &&visit)
	{
		std::sort(ids.begin(), ids.end());  // by block
		for (std::size_t i = 0; i < ids.size();) {
			BlockNumber block = place_of(ids[i], index_.slots_per_page).block;
			std::size_t end = i + 1;
			while (end < ids.size() && place_of(ids[end], index_.slots_per_page).block == block)
				++end;
			on_node_page(block, [&](Page page) {
				for (; i < end; ++i)
					if (std::byte *slot = used_slot(block, page, place_of(ids[i], index_.slots_per_page).slot))
						visit(ids[i], static_cast<const std::byte *>(slot));
			});
			i = end;
		}
	}

	void codes(std::span<const NodeId> ids, graph::StoredCode *out, const Arena &arena);

	/// Runs f(page) under a share lock if the block exists and has been used; whether it did. The page has passed check_page.
	template <typename Function>
	bool on_node_page(BlockNumber block, Function &&f, BufferAccessStrategy strategy = nullptr)
	{
		if (!exists(block))
			return false;
		return pg::read_page(
			relation_, block,
			[&](Page page) {
				check_page(relation_, block, page, PageKind::kNodes, index_.layout.slot_bytes(), true);
				if (PageIsNew(page))
					return false;
				f(page);
				return true;
			},
			strategy);
	}

	/// The slot if it is live or a tombstone, null otherwise. REQUIRES: a checked node page.
	std::byte *used_slot(BlockNumber block, Page page, unsigned slot) const;

	bool exists(BlockNumber block);

private:
	unsigned lowest_links(NodeId id, NodeId *out);
	unsigned upper_links(NodeId id, unsigned level, NodeId *out);

	Relation relation_;
	Index index_;
	BlockNumber blocks_;
};
static_assert(graph::Store<PageStore> && std::is_trivially_destructible_v<PageStore>);

/// The place of a node's list on one level, on a page that the caller holds. Raises XX002 where it cannot be.
graph::LinkList list_on(Relation relation, const Index &index, BlockNumber block, std::byte *bytes, unsigned level);

/// The upper entry of a node on its group's auxiliary page. Raises XX002 if it is not that node's.
std::byte *upper_entry(Relation relation, const Index &index, const NodePlace &place, Page page, unsigned upper,
					   unsigned level);

/// The block of a chunk, for a caller that holds the node's page. Raises XX002 where there is no such block, or where it
/// is that very page, whose lock must not be taken twice.
BlockNumber chunk_block_beside(Relation relation, BlockNumber node_block, std::uint32_t chunk);

/// Finds that a chain of chunks comes back to itself (Brent's algorithm), where a walk along it would never end.
class ChainGuard {
public:
	/// Raises XX002 if `chunk`, the next on the way, has been met before: at the latest in the second round.
	void meet(Relation relation, std::uint32_t chunk);

private:
	std::uint32_t remembered_ = kNoChunk;
	std::uint32_t steps_ = 0;
	std::uint32_t limit_ = 1;
};

/// A chunk on a page that the caller holds. Raises XX002 if it is not that node's.
Chunk *checked_chunk(Relation relation, Page page, std::uint32_t chunk, NodeId owner);

}  // namespace vectorizer::hnsw
