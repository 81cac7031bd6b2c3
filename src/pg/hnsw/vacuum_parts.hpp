// What the parts of a vacuum share; vacuum.hpp has its verbs. clean.cpp takes dead rows off, repair.cpp links around dead
// nodes, reclaim.cpp frees their slots.
#pragma once

#include "pg/hnsw/vacuum.hpp"

#include "pg/compat.hpp"

namespace vectorizer::hnsw {

/// A set of node ids, as a bitmap. Ids at or beyond the limit are never in it.
class NodeSet {
public:
	NodeSet(NodeId limit, const Arena &arena);
	void add(NodeId id) { if (id < limit_) words_[id / 64] |= std::uint64_t{1} << (id % 64); }
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

/// Calls f(block) for every page of one kind, in block order, with pauses as vacuum_cost_delay asks.
template <typename Function>
void for_each_page(Vacuum &vacuum, PageKind kind, Function &&f)
{
	GroupFrame frame;
	BlockNumber blocks = RelationGetNumberOfBlocks(vacuum.relation);
	for (BlockNumber block = 1; block < blocks; ++block) {
		compat::vacuum_delay();
		bool wanted = pg::read_page(
			vacuum.relation, block,
			[&](Page page) { return frame.kind(vacuum.relation, vacuum.index, block, page) == kind; },
			vacuum.info->strategy);
		if (wanted)
			f(block);
	}
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

/// Takes dead rows out of the chunks of one page.
void clean_chunks(Vacuum &vacuum, BlockNumber block, const Callback &dead);

/// Takes dead rows off the slots of one page; a node left without any becomes a tombstone.
void clean_nodes(Vacuum &vacuum, BlockNumber block, const Callback &dead);

/// Takes the links to `dead` nodes out of every live node's lists and links it to the dead nodes' neighbours instead, by
/// codes alone (repair.cpp). REQUIRES: no insert that began before `dead` was collected is still running.
void repair_links(Vacuum &vacuum, const NodeSet &dead);

/// What is linked to after a repair.
struct References {
	NodeSet dead;    // dead nodes that a live node's list still leads to
	NodeSet linked;  // nodes that some live node's list of level 0 leads to
};
void collect_references(Vacuum &vacuum, const NodeSet &dead, References *references);

/// Gives every live node without a link to it one from its nearest neighbour. Returns their number.
std::uint64_t relink_orphans(Vacuum &vacuum, const NodeSet &linked);

/// Takes the chunks that have no row left and begin or lie on the chain of a live node out of it. A scan may be on its way
/// through one: it keeps its owner and its successor, and is freed by the next vacuum.
void retire_empty_chunks(Vacuum &vacuum);

/// Frees the tombstones of one page that no live node's list leads to. Returns their number.
unsigned free_tombstones(Vacuum &vacuum, BlockNumber block, const NodeSet &dead, const NodeSet &referenced);

}  // namespace vectorizer::hnsw
