// What the parts of a vacuum share; vacuum.hpp has its verbs. clean.cpp takes dead rows off, repair.cpp links around dead
// nodes, orphans.cpp to live ones that nothing leads to, reclaim.cpp frees slots.
#pragma once

#include "pg/hnsw/vacuum.hpp"

#include "pg/compat.hpp"

namespace vectorizer::hnsw {

/// A set of node ids, as a bitmap. Ids at or beyond the limit are never in it.
class NodeSet {
public:
	NodeSet(NodeId limit, const Arena &arena);
	void add(NodeId id) { if (id < limit_) words_[id / 64] |= std::uint64_t{1} << (id % 64); }
	void clear() { std::ranges::fill(words_, 0); }
	bool contains(NodeId id) const { return id < limit_ && ((words_[id / 64] >> (id % 64)) & 1) != 0; }

private:
	NodeId limit_;
	std::span<std::uint64_t> words_;
};

/// Vacuum's question: is this row dead?
struct Callback {
	IndexBulkDeleteCallback dead;
	void *state;

	bool operator()(RowPointer row) const
	{
		if (!row.valid())
			return false;
		ItemPointerData tid = tid_of(row);
		return dead(&tid, state);
	}
};

/// One vacuum's view of the index.
struct Vacuum {
	Vacuum(const IndexVacuumInfo *from, IndexBulkDeleteResult *result)
		: info(from), relation(from->index), index(open_index(from->index)), stats(result) {}

	const IndexVacuumInfo *info;
	Relation relation;
	Index index;
	IndexBulkDeleteResult *stats;
};

/// Goes through the pages of one kind, in block order, with pauses as vacuum_cost_delay asks: look(block, page) under a share
/// lock, then, where that returned true and the lock is gone, act(block). Groups of another kind are passed over.
template <typename Look, typename Act>
void for_each_page(Vacuum &vacuum, PageKind kind, Look &&look, Act &&act)
{
	GroupFrame frame;
	BlockNumber blocks = RelationGetNumberOfBlocks(vacuum.relation);
	for (BlockNumber block = 1; block < blocks;) {
		compat::vacuum_delay();
		std::optional<PageKind> found;
		bool wanted = pg::read_page(
			vacuum.relation, block,
			[&](Page page) {
				found = frame.kind(vacuum.relation, vacuum.index, block, page);
				return found == kind && look(block, page);
			},
			vacuum.info->strategy);
		if (wanted)
			act(block);
		bool none_further = is_group_start(block) && found && (kind == PageKind::kAuxiliary ||
															  (found == PageKind::kOverflow) != (kind == PageKind::kOverflow));
		block += none_further ? kGroupBlocks : 1;
	}
}

/// The same for a look alone.
template <typename Look>
void for_each_page(Vacuum &vacuum, PageKind kind, Look &&look)
{
	for_each_page(
		vacuum, kind,
		[&](BlockNumber block, Page page) {
			look(block, page);
			return false;
		},
		[](BlockNumber) {});
}

/// What a pass over the pages finds.
struct Census {
	std::uint64_t live = 0;
	std::uint64_t rows = 0;
	std::uint64_t tombstones = 0;
	std::uint64_t free = 0;
	NodeId highest = kNoNode;  // the live node of the highest level
	unsigned highest_level = 0;
	BlockNumber free_chunk = InvalidBlockNumber;  // the first chunk page with room
};

/// Takes dead rows out of all chunks.
void clean_chunks(Vacuum &vacuum, const Callback &dead);

/// Takes dead rows off all slots; a node left without any becomes a tombstone.
void clean_nodes(Vacuum &vacuum, const Callback &dead);

/// Takes the links to `dead` nodes out of every live node's lists and links it to nodes of `live` that lie behind the dead
/// ones instead, by codes alone (repair.cpp). REQUIRES: no insert that began before `dead` was collected is still running.
void repair_links(Vacuum &vacuum, const NodeSet &dead, const NodeSet &live);

/// Notes the dead nodes that a live node's list still leads to after a repair.
void collect_references(Vacuum &vacuum, const NodeSet &dead, NodeSet *referenced);

/// Gives every node of `live` that no walk from the entry point reaches a link from its nearest neighbour that is reached
/// (orphans.cpp). `limit` bounds all ids. Returns their number.
std::uint64_t relink_orphans(Vacuum &vacuum, const NodeSet &live, NodeId limit);

/// Takes the chunks that have no row left and begin or lie on the chain of a live node out of it. A scan may be on its way
/// through one: it keeps its owner and its successor, and is freed by the next vacuum.
void retire_empty_chunks(Vacuum &vacuum);

/// Frees the tombstones that no live node's list leads to. Returns their number.
std::uint64_t free_tombstones(Vacuum &vacuum, const NodeSet &dead, const NodeSet &referenced);

}  // namespace vectorizer::hnsw
