// Taking dead rows off: from chunks, from slots, and what that leaves a node as.
#include "pg/hnsw/vacuum_parts.hpp"

#include "pg/crash_point.hpp"
#include "pg/hnsw/allocate.hpp"

namespace vectorizer::hnsw {

using graph::SlotHeader;
using graph::SlotLayout;
using graph::State;

void clean_chunks(Vacuum &vacuum, BlockNumber block, const Callback &dead)
{
	bool any = pg::read_page(vacuum.relation, block, [&](Page page) {
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
	});
	if (!any)
		return;

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

namespace {

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

}  // namespace

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
	pg::crash_point("vacuum.rows");
}

}  // namespace vectorizer::hnsw
