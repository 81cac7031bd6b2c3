// After a repair: which dead nodes are still linked to, and the slots and chunks of the others.
#include "pg/hnsw/vacuum_parts.hpp"

#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"
#include "pg/hnsw/allocate.hpp"

extern "C" {
#include "storage/indexfsm.h"
}

namespace vectorizer::hnsw {

using graph::SlotHeader;
using graph::SlotLayout;
using graph::State;

void collect_references(Vacuum &vacuum, const NodeSet &dead, NodeSet *referenced)
{
	std::size_t bytes = vacuum.index.layout.slot_bytes();
	for_each_page(vacuum, PageKind::kNodes, [&](BlockNumber block, Page page) {
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
	std::size_t upper_bytes = vacuum.index.layout.upper_bytes();
	for_each_page(vacuum, PageKind::kAuxiliary, [&](BlockNumber block, Page page) {
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
}

namespace {

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
		std::uint32_t freed = header.duplicates;
		header.duplicates = chunk->next;
		free_chunk(chunks, freed % kChunksPerPage);
		change.commit();
		pg::crash_point("vacuum.free_chunk");
	}
}

/// Frees these tombstones of one page. Returns their number, less the entry point if that is one of them.
unsigned free_slots(Vacuum &vacuum, BlockNumber block, std::span<const NodeId> ids)
{
	std::size_t bytes = vacuum.index.layout.slot_bytes();
	for (NodeId id : ids)
		free_chain(vacuum, id);

	unsigned freed = 0;
	pg::PageChange change(vacuum.relation, true);
	Page page = change.lock(block);
	Page auxiliary = nullptr;
	NodePlace place = place_of(ids[0], vacuum.index.slots_per_page);
	for (NodeId id : ids)
		if (SlotLayout::header(contents_of(page) + place_of(id, vacuum.index.slots_per_page).slot * bytes).level > 0 &&
			auxiliary == nullptr)
			auxiliary = change.lock(place.auxiliary);
	MetaPage *meta = meta_of(change.lock(kMetaBlock));
	for (NodeId id : ids) {
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
	pg::crash_point("vacuum.free_slots");
	RecordFreeIndexPage(vacuum.relation, block);
	return freed;
}

}  // namespace

std::uint64_t free_tombstones(Vacuum &vacuum, const NodeSet &dead, const NodeSet &referenced)
{
	std::size_t bytes = vacuum.index.layout.slot_bytes();
	std::span<NodeId> ids = pg::context_arena(CurrentMemoryContext).array<NodeId>(vacuum.index.slots_per_page);
	std::size_t n = 0;
	std::uint64_t freed = 0;
	for_each_page(
		vacuum, PageKind::kNodes,
		[&](BlockNumber block, Page page) {
			n = 0;
			for (unsigned slot = 0; slot < items_on(page, bytes); ++slot) {
				NodeId id = node_at(block, slot, vacuum.index.slots_per_page);
				const SlotHeader &header = SlotLayout::header(contents_of(page) + slot * bytes);
				if (header.state == static_cast<std::uint8_t>(State::kTombstone) && dead.contains(id) &&
					!referenced.contains(id))
					ids[n++] = id;
			}
			return n > 0;
		},
		[&](BlockNumber block) { freed += free_slots(vacuum, block, ids.first(n)); });
	return freed;
}

namespace {

/// Walks the chain of one node and takes its empty chunks out, each in a WAL record of its own.
void retire_chunks_of(Vacuum &vacuum, NodeId owner)
{
	NodePlace place = place_of(owner, vacuum.index.slots_per_page);
	PageStore store(vacuum.relation, vacuum.index);
	ChainGuard guard;
	std::uint32_t before = kNoChunk;  // the last chunk that stays; kNoChunk: the slot itself leads on
	for (;;) {
		compat::vacuum_delay();
		pg::PageChange change(vacuum.relation, true);
		Page page = change.lock(place.block);
		check_page(vacuum.relation, place.block, page, PageKind::kNodes, vacuum.index.layout.slot_bytes(), false);
		std::byte *slot = store.used_slot(place.block, page, place.slot);
		if (slot == nullptr || SlotLayout::header(slot).state != static_cast<std::uint8_t>(State::kLive)) {
			change.abandon();
			return;
		}
		// Under the node's lock nobody else changes its chain, so chunk pages may be locked two at a time here: whoever holds
		// one of them without this node's lock waits for no other chunk page.
		auto chunk_at = [&](std::uint32_t id, Page chunks) { return checked_chunk(vacuum.relation, chunks, id, owner); };
		auto block_at = [&](std::uint32_t id) { return chunk_block_beside(vacuum.relation, place.block, id); };
		Page before_page = before == kNoChunk ? nullptr : change.lock(block_at(before));
		std::uint32_t &link =
			before == kNoChunk ? SlotLayout::header(slot).duplicates : chunk_at(before, before_page)->next;
		std::uint32_t at = link;
		if (at == kNoChunk) {
			change.abandon();
			return;
		}
		guard.meet(vacuum.relation, at);
		bool same_page = before_page != nullptr && chunk_block(at) == chunk_block(before);
		Chunk *chunk = chunk_at(at, same_page ? before_page : change.lock(block_at(at)));
		if (chunk->count > 0) {
			before = at;
			change.abandon();
			continue;
		}
		link = chunk->next;
		chunk->count = Chunk::kRetired;
		change.commit();
		pg::crash_point("vacuum.retire");
	}
}

}  // namespace

void retire_empty_chunks(Vacuum &vacuum)
{
	std::span<NodeId> owners = pg::context_arena(CurrentMemoryContext).array<NodeId>(kChunksPerPage);
	std::size_t n = 0;
	for_each_page(
		vacuum, PageKind::kOverflow,
		[&](BlockNumber, Page page) {
			n = 0;
			for (unsigned at = 0; at < items_on(page, sizeof(Chunk)); ++at)
				if (chunk_of(page, at)->owner != kNoNode && chunk_of(page, at)->count == 0)
					owners[n++] = chunk_of(page, at)->owner;
			return n > 0;
		},
		[&](BlockNumber) {
			std::sort(owners.begin(), owners.begin() + static_cast<std::ptrdiff_t>(n));
			for (std::size_t i = 0; i < n; ++i)
				if (i == 0 || owners[i] != owners[i - 1])
					retire_chunks_of(vacuum, owners[i]);
		});
}

}  // namespace vectorizer::hnsw
