#include "pg/hnsw/vacuum_parts.hpp"

#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"

extern "C" {
#include "commands/vacuum.h"
#include "storage/indexfsm.h"
#include "storage/lmgr.h"
}

namespace vectorizer::hnsw {

using graph::SlotHeader;
using graph::SlotLayout;
using graph::State;

NodeSet::NodeSet(NodeId limit, const Arena &arena) : limit_(limit), words_(arena.array<std::uint64_t>(limit / 64 + 1))
{
	std::fill(words_.begin(), words_.end(), 0);
}

namespace {

/// Tombstones are worth a pass over all links when they are this share of the nodes.
constexpr double kRepairShare = 0.01;

/// Counts what there is, and collects the live nodes and the tombstones.
Census take_census(Vacuum &vacuum, NodeSet *live, NodeSet *dead)
{
	Census census;
	std::size_t bytes = vacuum.index.layout.slot_bytes();
	auto count_slot = [&](NodeId id, const SlotHeader &header) {
		switch (static_cast<State>(header.state)) {
			case State::kLive:
				++census.live;
				live->add(id);
				census.rows += header.row.valid() ? 1 : 0;
				if (census.highest == kNoNode || header.level > census.highest_level) {
					census.highest = id;
					census.highest_level = header.level;
				}
				break;
			case State::kTombstone:
				++census.tombstones;
				dead->add(id);
				break;
			case State::kFree: ++census.free; break;
		}
	};
	for_each_page(
		vacuum, PageKind::kNodes,
		[&](BlockNumber block, Page page) {
			std::uint64_t free_before = census.free;
			for (unsigned slot = 0; slot < items_on(page, bytes); ++slot)
				count_slot(node_at(block, slot, vacuum.index.slots_per_page),
						   SlotLayout::header(contents_of(page) + slot * bytes));
			return census.free > free_before;
		},  // the free space map is not logged: a crash or a promotion may have lost it
		[&](BlockNumber block) { RecordFreeIndexPage(vacuum.relation, block); });
	for_each_page(vacuum, PageKind::kOverflow, [&](BlockNumber block, Page page) {
		if (census.free_chunk == InvalidBlockNumber && tail_of(page)->in_use < kChunksPerPage)
			census.free_chunk = block;
		for (unsigned at = 0; at < items_on(page, sizeof(Chunk)); ++at)
			if (chunk_of(page, at)->owner != kNoNode)
				census.rows += chunk_of(page, at)->rows_in_use();
	});
	return census;
}

/// Replaces an entry point that is a tombstone, under the metapage's lock.
void replace_entry(Vacuum &vacuum, const NodeSet &dead, const Census &census)
{
	pg::PageChange change(vacuum.relation, true);
	MetaPage *meta = meta_of(change.lock(kMetaBlock));
	if (meta->entry == kNoNode || !dead.contains(meta->entry)) {
		change.abandon();
		return;
	}
	meta->entry = census.highest;
	meta->entry_level = static_cast<std::uint16_t>(census.highest == kNoNode ? 0 : census.highest_level);
	change.commit();
}

}  // namespace

IndexBulkDeleteResult *am_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
									  IndexBulkDeleteCallback callback, void *callback_state)
{
	if (stats == nullptr)
		stats = static_cast<IndexBulkDeleteResult *>(palloc0(sizeof(IndexBulkDeleteResult)));
	Vacuum vacuum(info, stats);
	Callback dead{callback, callback_state};
	clean_chunks(vacuum, dead);
	clean_nodes(vacuum, dead);
	pg::crash_point("vacuum.cleaned");
	return stats;
}

IndexBulkDeleteResult *am_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	if (info->analyze_only)
		return stats;
	bool counted = stats != nullptr;
	if (stats == nullptr)
		stats = static_cast<IndexBulkDeleteResult *>(palloc0(sizeof(IndexBulkDeleteResult)));
	Vacuum vacuum(info, stats);
	MetaPage meta = read_meta(vacuum.relation);
	stats->num_pages = RelationGetNumberOfBlocks(vacuum.relation);
	if (!counted && meta.tombstones == 0) {  // nothing was deleted: the table's own count is as good
		stats->num_index_tuples = info->num_heap_tuples;
		stats->estimated_count = true;
		return stats;
	}

	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "hnsw vacuum", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(work);
	Arena arena = pg::context_arena(work);

	// An insert that began earlier may still hold ids of nodes that have become tombstones; wait until it has linked them.
	// Later ones see the tombstones and choose none.
	LockPage(vacuum.relation, kMetaBlock, ExclusiveLock);
	UnlockPage(vacuum.relation, kMetaBlock, ExclusiveLock);
	pg::crash_point("vacuum.barrier");

	NodeId limit = read_meta(vacuum.relation).groups * vacuum.index.nodes_per_group();
	NodeSet live(limit, arena);
	NodeSet dead(limit, arena);
	retire_empty_chunks(vacuum);
	Census census = take_census(vacuum, &live, &dead);
	pg::crash_point("vacuum.census");
	std::uint64_t freed = 0;
	if (static_cast<double>(census.tombstones) > kRepairShare * static_cast<double>(census.live)) {
		replace_entry(vacuum, dead, census);
		pg::crash_point("vacuum.entry");
		repair_links(vacuum, dead, live);
		NodeSet referenced(limit, arena);
		collect_references(vacuum, dead, &referenced);
		pg::crash_point("vacuum.referenced");
		relink_orphans(vacuum, live, limit);
		pg::crash_point("vacuum.relinked");
		freed = free_tombstones(vacuum, dead, referenced);
	}
	{
		pg::PageChange change(vacuum.relation, true);
		MetaPage *now = meta_of(change.lock(kMetaBlock));
		now->live = census.live;
		if (census.free_chunk != InvalidBlockNumber)
			now->overflow_tail = census.free_chunk;
		now->freed_slots = static_cast<std::uint32_t>(std::min<std::uint64_t>(census.free + freed, PG_UINT32_MAX));
		now->cycle = static_cast<std::uint16_t>(now->cycle % 65535 + 1);
		change.commit();
		pg::crash_point("vacuum.counted");
	}
	if (census.free + freed > 0)
		IndexFreeSpaceMapVacuum(vacuum.relation);
	stats->num_index_tuples = static_cast<double>(census.rows);
	stats->estimated_count = false;
	MemoryContextSwitchTo(before);
	MemoryContextDelete(work);
	return stats;
}

}  // namespace vectorizer::hnsw
