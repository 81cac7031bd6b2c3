// Taking dead rows off: from chunks, from slots, and what that leaves a node as.
#include "pg/hnsw/vacuum_parts.hpp"

#include "pg/crash_point.hpp"
#include "pg/hnsw/allocate.hpp"

namespace vectorizer::hnsw {

using graph::SlotHeader;
using graph::SlotLayout;
using graph::State;

namespace {

/// Whether a chunk page has anything to clean away.
bool has_dead_rows(Vacuum &vacuum, BlockNumber block, Page page, const Callback &dead)
{
	bool found = false;
	for (unsigned at = 0; at < items_on(page, sizeof(Chunk)); ++at) {
		const Chunk *chunk = chunk_of(page, at);
		if (chunk->owner == kNoNode)
			continue;
		if (!chunk->sound())
			corrupted(vacuum.relation, block, "a chunk counts more rows than it has room for");
		found |= chunk->count == Chunk::kRetired;
		for (unsigned i = 0; i < chunk->rows_in_use(); ++i)
			found |= dead(chunk->rows[i]);
	}
	return found;
}

void clean_chunk_page(Vacuum &vacuum, BlockNumber block, const Callback &dead)
{
	pg::PageChange change(vacuum.relation, true);
	Page page = change.lock(block);
	for (unsigned at = 0; at < items_on(page, sizeof(Chunk)); ++at) {
		Chunk *chunk = chunk_of(page, at);
		if (chunk->owner == kNoNode)
			continue;
		if (chunk->count == Chunk::kRetired) {  // by the vacuum before this one
			free_chunk(page, at);
			continue;
		}
		unsigned kept = 0;
		for (unsigned i = 0; i < chunk->count; ++i)
			if (dead(chunk->rows[i]))
				vacuum.stats->tuples_removed += 1;
			else
				chunk->rows[kept++] = chunk->rows[i];
		chunk->count = static_cast<std::uint16_t>(kept);
	}
	change.commit();
	pg::crash_point("vacuum.chunks");
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

SlotHeader &header_at(const Vacuum &vacuum, Page page, unsigned slot)
{
	return SlotLayout::header(contents_of(page) + slot * vacuum.index.layout.slot_bytes());
}

bool is_live(const SlotHeader &header)
{
	return header.state == static_cast<std::uint8_t>(State::kLive);
}

/// Whether a page of slots has a row to take off, or a node that may have none left.
bool has_dead_slots(Vacuum &vacuum, Page page, const Callback &dead)
{
	for (unsigned slot = 0; slot < items_on(page, vacuum.index.layout.slot_bytes()); ++slot) {
		const SlotHeader &header = header_at(vacuum, page, slot);
		if (is_live(header) && (!header.row.valid() || dead(header.row)))
			return true;
	}
	return false;
}

void clean_node_page(Vacuum &vacuum, BlockNumber block, const Callback &dead)
{
	unsigned removed = 0;
	unsigned tombstones = 0;
	pg::PageChange change(vacuum.relation, true);
	Page page = change.lock(block);
	for (unsigned slot = 0; slot < items_on(page, vacuum.index.layout.slot_bytes()); ++slot) {
		SlotHeader &header = header_at(vacuum, page, slot);
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
	pg::crash_point("vacuum.rows");
}

}  // namespace

void clean_chunks(Vacuum &vacuum, const Callback &dead)
{
	for_each_page(
		vacuum, PageKind::kOverflow,
		[&](BlockNumber block, Page page) { return has_dead_rows(vacuum, block, page, dead); },
		[&](BlockNumber block) { clean_chunk_page(vacuum, block, dead); });
}

void clean_nodes(Vacuum &vacuum, const Callback &dead)
{
	for_each_page(
		vacuum, PageKind::kNodes, [&](BlockNumber, Page page) { return has_dead_slots(vacuum, page, dead); },
		[&](BlockNumber block) { clean_node_page(vacuum, block, dead); });
}

}  // namespace vectorizer::hnsw
