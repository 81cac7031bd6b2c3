#include "pg/hnsw/vacuum.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"

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
	BlockNumber blocks = RelationGetNumberOfBlocks(vacuum.relation);
	for (BlockNumber block = 1; block < blocks; ++block) {
		compat::vacuum_delay();
		bool wanted = pg::read_page(
			vacuum.relation, block,
			[&](Page page) {
				if (PageIsNew(page))
					return false;
				if (tail_of(page)->kind != static_cast<std::uint8_t>(kind))
					return false;
				std::size_t bytes = kind == PageKind::kNodes	   ? vacuum.index.layout.slot_bytes()
									: kind == PageKind::kAuxiliary ? vacuum.index.layout.upper_bytes()
																   : sizeof(Chunk);
				check_page(vacuum.relation, block, page, kind, bytes, false);
				return true;
			},
			vacuum.info->strategy);
		if (wanted)
			f(block);
	}
}

/// Takes dead rows out of the chunks of one page.
void clean_chunks(Vacuum &vacuum, BlockNumber block, const Callback &dead)
{
	bool any = pg::read_page(vacuum.relation, block, [&](Page page) {
		bool found = false;
		for (unsigned at = 0; at < items_on(page, sizeof(Chunk)); ++at) {
			const Chunk *chunk = chunk_of(page, at);
			if (chunk->owner == kNoNode)
				continue;
			if (chunk->count > Chunk::kRows)
				corrupted(vacuum.relation, block, "a chunk counts more rows than it has room for");
			for (unsigned i = 0; i < chunk->count; ++i)
				found |= dead(chunk->rows[i]);
		}
		return found;
	});
	if (!any)
		return;

	pg::PageChange change(vacuum.relation, true);
	Page page = change.lock(block);
	for (unsigned at = 0; at < items_on(page, sizeof(Chunk)); ++at) {
		Chunk *chunk = chunk_of(page, at);
		if (chunk->owner == kNoNode)
			continue;
		unsigned kept = 0;
		for (unsigned i = 0; i < chunk->count; ++i)
			if (dead(chunk->rows[i]))
				vacuum.stats->tuples_removed += 1;
			else
				chunk->rows[kept++] = chunk->rows[i];
		chunk->count = static_cast<std::uint16_t>(kept);
	}
	change.commit();
}

/// Whether any row is left in the chain that begins at this chunk. The caller holds the node's page, `block`.
bool chain_has_rows(Vacuum &vacuum, NodeId owner, BlockNumber block, std::uint32_t next)
{
	ChainGuard guard;
	bool any = false;
	while (next != kNoChunk && !any) {
		guard.meet(vacuum.relation, next);
		pg::read_page(vacuum.relation, chunk_block_beside(vacuum.relation, block, next), [&](Page page) {
			const Chunk *chunk = checked_chunk(vacuum.relation, page, next, owner);
			any = chunk->count > 0;
			next = chunk->next;
		});
	}
	return any;
}

/// Takes dead rows off the slots of one page; a node left without any becomes a tombstone. The metapage's count of
/// tombstones changes in the same WAL record.
void clean_nodes(Vacuum &vacuum, BlockNumber block, const Callback &dead)
{
	std::size_t bytes = vacuum.index.layout.slot_bytes();
	auto header_at = [&](Page page, unsigned slot) -> SlotHeader & {
		return SlotLayout::header(contents_of(page) + slot * bytes);
	};
	auto is_live = [](const SlotHeader &header) { return header.state == static_cast<std::uint8_t>(State::kLive); };

	bool any = pg::read_page(vacuum.relation, block, [&](Page page) {
		bool found = false;
		for (unsigned slot = 0; slot < items_on(page, bytes); ++slot) {
			const SlotHeader &header = header_at(page, slot);
			if (is_live(header))
				found |= !header.row.valid() || dead(header.row);
		}
		return found;
	});
	if (!any)
		return;

	unsigned removed = 0;
	unsigned tombstones = 0;
	pg::PageChange change(vacuum.relation, true);
	Page page = change.lock(block);
	for (unsigned slot = 0; slot < items_on(page, bytes); ++slot) {
		SlotHeader &header = header_at(page, slot);
		if (!is_live(header))
			continue;
		if (dead(header.row)) {
			header.row = {};
			++removed;
		}
		if (header.row.valid() ||
			chain_has_rows(vacuum, node_at(block, slot, vacuum.index.slots_per_page), block, header.duplicates))
			continue;
		header.state = static_cast<std::uint8_t>(State::kTombstone);
		++tombstones;
	}
	if (tombstones > 0)
		meta_of(change.lock(kMetaBlock))->tombstones += tombstones;
	vacuum.stats->tuples_removed += removed;
	if (removed + tombstones > 0)
		change.commit();
	else
		change.abandon();
}

/// What a pass over the node pages finds.
struct Census {
	std::uint64_t live = 0;
	std::uint64_t rows = 0;
	std::uint64_t tombstones = 0;
	std::uint64_t free = 0;
	NodeId highest = kNoNode;  // the live node of the highest level
	unsigned highest_level = 0;
};

Census take_census(Vacuum &vacuum, NodeSet *dead)
{
	Census census;
	std::size_t bytes = vacuum.index.layout.slot_bytes();
	for_each_page(vacuum, PageKind::kNodes, [&](BlockNumber block) {
		std::uint64_t free_before = census.free;
		pg::read_page(
			vacuum.relation, block,
			[&](Page page) {
				for (unsigned slot = 0; slot < items_on(page, bytes); ++slot) {
					const SlotHeader &header = SlotLayout::header(contents_of(page) + slot * bytes);
					NodeId id = node_at(block, slot, vacuum.index.slots_per_page);
					if (header.state == static_cast<std::uint8_t>(State::kLive)) {
						++census.live;
						census.rows += header.row.valid() ? 1 : 0;
						if (census.highest == kNoNode || header.level > census.highest_level) {
							census.highest = id;
							census.highest_level = header.level;
						}
					}
					else if (header.state == static_cast<std::uint8_t>(State::kTombstone)) {
						++census.tombstones;
						if (dead != nullptr)
							dead->add(id);
					}
					else if (header.state == static_cast<std::uint8_t>(State::kFree))
						++census.free;
				}
			},
			vacuum.info->strategy);
		if (census.free > free_before)  // the free space map is not logged: a crash or a promotion may have lost it
			RecordFreeIndexPage(vacuum.relation, block);
	});
	for_each_page(vacuum, PageKind::kOverflow, [&](BlockNumber block) {
		pg::read_page(
			vacuum.relation, block,
			[&](Page page) {
				for (unsigned at = 0; at < items_on(page, sizeof(Chunk)); ++at)
					if (chunk_of(page, at)->owner != kNoNode)
						census.rows += chunk_of(page, at)->count;
			},
			vacuum.info->strategy);
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

/// Gives back the chunks of a tombstone, one after the other: a crash in between leaves a shorter chain.
void free_chain(Vacuum &vacuum, NodeId id)
{
	NodePlace place = place_of(id, vacuum.index.slots_per_page);
	for (;;) {
		pg::PageChange change(vacuum.relation, true);
		Page page = change.lock(place.block);
		SlotHeader &header = SlotLayout::header(contents_of(page) + place.slot * vacuum.index.layout.slot_bytes());
		if (header.duplicates == kNoChunk) {
			change.abandon();
			return;
		}
		Page chunks = change.lock(chunk_block_beside(vacuum.relation, place.block, header.duplicates));
		Chunk *chunk = checked_chunk(vacuum.relation, chunks, header.duplicates, id);
		header.duplicates = chunk->next;
		*chunk = {};
		chunk->owner = kNoNode;
		chunk->next = kNoChunk;
		--tail_of(chunks)->in_use;
		change.commit();
	}
}

/// Frees the tombstones of one page that no link leads to. Returns their number.
unsigned free_tombstones(Vacuum &vacuum, BlockNumber block, const NodeSet &dead, const NodeSet &referenced)
{
	std::size_t bytes = vacuum.index.layout.slot_bytes();
	std::span<NodeId> ids = pg::context_arena(CurrentMemoryContext).array<NodeId>(vacuum.index.slots_per_page);
	std::size_t n = 0;
	pg::read_page(vacuum.relation, block, [&](Page page) {
		for (unsigned slot = 0; slot < items_on(page, bytes); ++slot) {
			NodeId id = node_at(block, slot, vacuum.index.slots_per_page);
			const SlotHeader &header = SlotLayout::header(contents_of(page) + slot * bytes);
			if (header.state == static_cast<std::uint8_t>(State::kTombstone) && dead.contains(id) && !referenced.contains(id))
				ids[n++] = id;
		}
	});
	if (n == 0)
		return 0;
	for (NodeId id : ids.first(n))
		free_chain(vacuum, id);

	unsigned freed = 0;
	pg::PageChange change(vacuum.relation, true);
	Page page = change.lock(block);
	Page auxiliary = nullptr;
	NodePlace place = place_of(ids[0], vacuum.index.slots_per_page);
	for (NodeId id : ids.first(n))
		if (SlotLayout::header(contents_of(page) + place_of(id, vacuum.index.slots_per_page).slot * bytes).level > 0 &&
			auxiliary == nullptr)
			auxiliary = change.lock(place.auxiliary);
	MetaPage *meta = meta_of(change.lock(kMetaBlock));
	for (NodeId id : ids.first(n)) {
		if (id == meta->entry)
			continue;
		place = place_of(id, vacuum.index.slots_per_page);
		std::byte *slot = contents_of(page) + place.slot * bytes;
		SlotHeader &header = SlotLayout::header(slot);
		for (unsigned level = 1; level <= header.level; ++level) {
			std::byte *entry = upper_entry(vacuum.relation, vacuum.index, place, auxiliary, header.upper, level);
			std::memset(entry, 0, vacuum.index.layout.upper_bytes());
			upper_header(entry).owner = kNoOwner;
			--tail_of(auxiliary)->in_use;
		}
		auto generation = static_cast<std::uint16_t>(header.generation + 1);
		std::memset(slot, 0, bytes);
		header.generation = generation;
		header.duplicates = kNoChunk;
		--tail_of(page)->in_use;
		++freed;
	}
	meta->tombstones -= std::min<std::uint64_t>(freed, meta->tombstones);
	change.commit();
	RecordFreeIndexPage(vacuum.relation, block);
	return freed;
}

/// Adds the targets of every list that still leads to a dead node. Links between dead nodes do not count: nothing that is
/// walked from a live node leads there any more.
void collect_references(Vacuum &vacuum, const NodeSet &dead, NodeSet *referenced)
{
	std::size_t bytes = vacuum.index.layout.slot_bytes();
	for_each_page(vacuum, PageKind::kNodes, [&](BlockNumber block) {
		pg::read_page(vacuum.relation, block, [&](Page page) {
			for (unsigned slot = 0; slot < items_on(page, bytes); ++slot) {
				std::byte *at = contents_of(page) + slot * bytes;
				if (SlotLayout::header(at).state != static_cast<std::uint8_t>(State::kLive))
					continue;
				graph::LinkList list = list_on(vacuum.relation, vacuum.index, block, at, 0);
				for (unsigned i = 0; i < list.count(); ++i)
					if (dead.contains(list.ids[i]))
						referenced->add(list.ids[i]);
			}
		});
	});
	std::size_t upper_bytes = vacuum.index.layout.upper_bytes();
	for_each_page(vacuum, PageKind::kAuxiliary, [&](BlockNumber block) {
		pg::read_page(vacuum.relation, block, [&](Page page) {
			for (unsigned at = 0; at < items_on(page, upper_bytes); ++at) {
				std::byte *entry = contents_of(page) + at * upper_bytes;
				std::uint16_t owner = upper_header(entry).owner;
				if (owner == kNoOwner || dead.contains(group_of(block) * vacuum.index.nodes_per_group() + owner))
					continue;
				graph::LinkList list = list_on(vacuum.relation, vacuum.index, block, entry, 1);
				for (unsigned i = 0; i < list.count(); ++i)
					if (dead.contains(list.ids[i]))
						referenced->add(list.ids[i]);
			}
		});
	});
}

}  // namespace

IndexBulkDeleteResult *am_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
									  IndexBulkDeleteCallback callback, void *callback_state)
{
	if (stats == nullptr)
		stats = static_cast<IndexBulkDeleteResult *>(palloc0(sizeof(IndexBulkDeleteResult)));
	Vacuum vacuum(info, stats);
	Callback dead{callback, callback_state};
	for_each_page(vacuum, PageKind::kOverflow, [&](BlockNumber block) { clean_chunks(vacuum, block, dead); });
	for_each_page(vacuum, PageKind::kNodes, [&](BlockNumber block) { clean_nodes(vacuum, block, dead); });
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

	NodeId limit = read_meta(vacuum.relation).groups * vacuum.index.nodes_per_group();
	NodeSet dead(limit, arena);
	Census census = take_census(vacuum, &dead);
	std::uint64_t freed = 0;
	if (static_cast<double>(census.tombstones) > kRepairShare * static_cast<double>(census.live)) {
		replace_entry(vacuum, dead, census);
		repair_links(info, vacuum.index, dead);
		NodeSet referenced(limit, arena);
		collect_references(vacuum, dead, &referenced);
		for_each_page(vacuum, PageKind::kNodes,
					  [&](BlockNumber block) { freed += free_tombstones(vacuum, block, dead, referenced); });
	}
	{
		pg::PageChange change(vacuum.relation, true);
		MetaPage *now = meta_of(change.lock(kMetaBlock));
		now->live = census.live;
		now->freed_slots = static_cast<std::uint32_t>(std::min<std::uint64_t>(census.free + freed, PG_UINT32_MAX));
		now->cycle = static_cast<std::uint16_t>(now->cycle % 65535 + 1);
		change.commit();
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
