#include "pg/hnsw/allocate.hpp"

#include "pg/crash_point.hpp"
#include "pg/hnsw/page_store.hpp"

extern "C" {
#include "storage/freespace.h"
#include "storage/indexfsm.h"
}

namespace vectorizer::hnsw {

using graph::SlotHeader;
using graph::SlotLayout;
using graph::State;

namespace {

/// A free slot on a locked page, cleared but for its generation; -1 if the page has none.
int take_free_slot(const Index &index, Page page)
{
	std::size_t bytes = index.layout.slot_bytes();
	unsigned used = items_on(page, bytes);
	unsigned slot = used;
	if (tail_of(page)->in_use < used)
		for (slot = 0; slot < used; ++slot)
			if (SlotLayout::header(contents_of(page) + slot * bytes).state == static_cast<std::uint8_t>(State::kFree))
				break;
	if (slot == index.slots_per_page)
		return -1;
	std::byte *at = contents_of(page) + slot * bytes;
	std::uint16_t generation = 0;
	if (slot == used)
		set_items_on(page, bytes, used + 1);
	else
		generation = SlotLayout::header(at).generation;
	std::memset(at, 0, bytes);
	SlotLayout::header(at).generation = generation;
	return static_cast<int>(slot);
}

/// Hands out up to `level` consecutive upper entries to a node: fewer, even none, where the page has no more room.
unsigned take_upper_entries(const Index &index, Page page, std::uint16_t ordinal, unsigned level, std::uint16_t *first)
{
	std::size_t bytes = index.layout.upper_bytes();
	unsigned used = items_on(page, bytes);
	unsigned at = used;
	if (tail_of(page)->in_use < used)
		for (unsigned run = 0, i = 0; i < used && at == used; ++i) {
			run = upper_header(contents_of(page) + i * bytes).owner == kNoOwner ? run + 1 : 0;
			if (run == level)
				at = i + 1 - level;
		}
	if (at == used) {
		level = std::min(level, index.uppers_per_page - used);
		set_items_on(page, bytes, used + level);
	}
	for (unsigned above = 1; above <= level; ++above) {
		std::byte *entry = contents_of(page) + (at + above - 1) * bytes;
		std::memset(entry, 0, bytes);
		upper_header(entry).owner = ordinal;
		upper_header(entry).level = static_cast<std::uint16_t>(above);
	}
	tail_of(page)->in_use = static_cast<std::uint16_t>(tail_of(page)->in_use + level);
	*first = static_cast<std::uint16_t>(at);
	return level;
}

void fill_links(graph::LinkList list, std::span<const graph::Neighbour> neighbours)
{
	list.clear();
	for (const graph::Neighbour &neighbour : neighbours)
		if (list.count() < list.capacity)
			list.append(neighbour.id, neighbour.distance);
}

/// Tries to write the node on this page; false if the page has no free slot.
bool write_on(Relation relation, const Index &index, BlockNumber block, const NewNode &node, bool logged, Written *written)
{
	pg::PageChange change(relation, logged);
	Page page = change.lock(block);
	check_page(relation, block, page, PageKind::kNodes, index.layout.slot_bytes(), true);
	if (PageIsNew(page))
		init_page(page, PageKind::kNodes);
	int free = take_free_slot(index, page);
	if (free < 0) {
		change.abandon();
		return false;
	}
	auto slot = static_cast<unsigned>(free);
	NodeId id = node_at(block, slot, index.slots_per_page);
	NodePlace place = place_of(id, index.slots_per_page);
	std::byte *bytes = contents_of(page) + slot * index.layout.slot_bytes();
	SlotHeader &header = SlotLayout::header(bytes);

	unsigned level = 0;
	if (node.level > 0) {
		Page auxiliary = change.lock(place.auxiliary);
		check_page(relation, place.auxiliary, auxiliary, PageKind::kAuxiliary, index.layout.upper_bytes(), false);
		level = take_upper_entries(index, auxiliary, place.ordinal, node.level, &header.upper);
		for (unsigned at = 1; at <= level; ++at)
			fill_links(index.layout.upper_links(upper_entry(relation, index, place, auxiliary, header.upper, at)),
					   node.levels[at]);
	}
	header.state = static_cast<std::uint8_t>(State::kLive);
	header.level = static_cast<std::uint8_t>(level);
	header.scale = node.factors.scale;
	header.norm = node.factors.norm;
	header.duplicates = kNoChunk;
	header.row = node.row;
	fill_links(index.layout.links(bytes), node.levels[0]);
	std::memcpy(index.layout.code(bytes), node.code.data(), node.code.size());
	++tail_of(page)->in_use;
	change.commit();
	*written = {id, level};
	return true;
}

/// A page of freed slots that the free space map remembers, InvalidBlockNumber if none.
BlockNumber page_with_freed_slot(Relation relation)
{
	BlockNumber block = GetPageWithFreeSpace(relation, BLCKSZ / 2);
	if (block == InvalidBlockNumber || block == kMetaBlock || is_group_start(block) ||
		block >= RelationGetNumberOfBlocks(relation))
		return InvalidBlockNumber;
	return block;
}

/// A tail whose first item was not written before a crash or a promotion may lie beyond the end of the file: that the
/// file was extended is not logged.
void reach_tail(Relation relation, BlockNumber tail)
{
	if (tail != InvalidBlockNumber)
		pg::extend_to(relation, tail + 1);
}

/// The first block of the first group of chunks after this one, InvalidBlockNumber if there is none. A claimed group of
/// nodes has its auxiliary page from the start, so that any other is one of chunks.
BlockNumber next_overflow_group(Relation relation, std::uint32_t after, std::uint32_t groups)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(relation);
	for (std::uint32_t group = after + 1; group < groups; ++group) {
		BlockNumber block = group_block(group);
		if (block >= blocks || pg::read_page(relation, block, [](Page page) {
				return PageIsNew(page) || tail_of(page)->kind == static_cast<std::uint8_t>(PageKind::kOverflow);
			}))
			return block;
	}
	return InvalidBlockNumber;
}

}  // namespace

BlockNumber advance_tail(Relation relation, const Index &index, PageKind kind, BlockNumber seen, bool logged)
{
	auto first_of = [&](std::uint32_t group) { return group_block(group) + (kind == PageKind::kNodes ? 1 : 0); };

	// The next tail is the next block of the same group or the first of another one. Extending the file first, with
	// no lock held, leaves at worst some zero pages; whoever loses the race uses them later.
	MetaPage before = read_meta(relation);
	BlockNumber tail = kind == PageKind::kNodes ? before.node_tail : before.overflow_tail;
	if (tail != seen)
		return tail;
	BlockNumber next = tail != InvalidBlockNumber && !is_group_start(tail + 1) ? tail + 1 : InvalidBlockNumber;
	if (next == InvalidBlockNumber && tail != InvalidBlockNumber && kind == PageKind::kOverflow)
		next = next_overflow_group(relation, group_of(tail), before.groups);  // vacuum moves this tail back
	bool claim = next == InvalidBlockNumber;
	if (claim && before.groups >= (kNoNode / index.nodes_per_group()) - 1)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("index \"%s\" has no node ids left", RelationGetRelationName(relation)),
						errhint("Partition the table, or REINDEX if many rows were deleted.")));
	pg::extend_to(relation, (claim ? first_of(before.groups) : next) + 1);
	pg::crash_point("allocate.extended");

	pg::PageChange change(relation, logged);
	Page claimed = nullptr;
	if (claim && kind == PageKind::kNodes) {  // lock order: auxiliary before metapage
		BlockNumber block = group_block(before.groups);
		claimed = change.lock(block);
	}
	MetaPage *meta = meta_of(change.lock(kMetaBlock));
	BlockNumber &current = kind == PageKind::kNodes ? meta->node_tail : meta->overflow_tail;
	if (current != seen || (claim && meta->groups != before.groups)) {  // somebody else was first
		change.abandon();
		return advance_tail(relation, index, kind, seen, logged);
	}
	if (claimed != nullptr) {
		if (!PageIsNew(claimed))
			corrupted(relation, group_block(before.groups), "a page is in use in a group that nobody has claimed");
		init_page(claimed, PageKind::kAuxiliary);
	}
	current = claim ? first_of(meta->groups++) : next;
	tail = current;
	change.commit();
	pg::crash_point("allocate.tail");
	return tail;
}

Written write_node(Relation relation, const Index &index, const NewNode &node, bool logged)
{
	Written written{};
	MetaPage meta = read_meta(relation);
	if (meta.freed_slots > 0)
		for (BlockNumber block; (block = page_with_freed_slot(relation)) != InvalidBlockNumber;) {
			if (write_on(relation, index, block, node, logged, &written))
				return written;
			RecordUsedIndexPage(relation, block);
		}

	BlockNumber block = meta.node_tail;
	reach_tail(relation, block);
	while (block == InvalidBlockNumber || !write_on(relation, index, block, node, logged, &written))
		block = advance_tail(relation, index, PageKind::kNodes, block, logged);
	return written;
}

void free_chunk(Page page, unsigned index)
{
	Chunk *chunk = chunk_of(page, index);
	std::memset(chunk, 0, sizeof(*chunk));
	chunk->owner = kNoNode;
	chunk->next = kNoChunk;
	--tail_of(page)->in_use;
}

namespace {

/// A free chunk on a locked chunk page, counted as in use; -1 if it has none.
int take_free_chunk(Page page)
{
	unsigned used = items_on(page, sizeof(Chunk));
	unsigned at = used;
	if (tail_of(page)->in_use < used)
		for (at = 0; at < used; ++at)
			if (chunk_of(page, at)->owner == kNoNode)
				break;
	if (at == kChunksPerPage)
		return -1;
	if (at == used)
		set_items_on(page, sizeof(Chunk), used + 1);
	++tail_of(page)->in_use;
	return static_cast<int>(at);
}

}  // namespace

bool add_row(Relation relation, const Index &index, NodeId id, std::span<const std::uint8_t> code,
			 quantize::Factors factors, RowPointer row, bool logged)
{
	NodePlace place = place_of(id, index.slots_per_page);
	BlockNumber tail = read_meta(relation).overflow_tail;
	reach_tail(relation, tail);
	std::uint32_t full = kNoChunk;  // the chain's first chunk, once it was seen to have no room
	for (;;) {
		// At most one chunk page is locked at a time, after the node's page: see README.md, lock order.
		pg::PageChange change(relation, logged);
		Page page = change.lock(place.block);
		check_page(relation, place.block, page, PageKind::kNodes, index.layout.slot_bytes(), false);
		std::byte *slot = contents_of(page) + place.slot * index.layout.slot_bytes();
		SlotHeader &header = SlotLayout::header(slot);
		if (place.slot >= items_on(page, index.layout.slot_bytes()) ||
			header.state != static_cast<std::uint8_t>(State::kLive) || header.scale != factors.scale ||
			header.norm != factors.norm || std::memcmp(index.layout.code(slot), code.data(), code.size()) != 0) {
			change.abandon();
			return false;
		}
		if (!header.row.valid()) {
			header.row = row;
			change.commit();
			return true;
		}
		if (header.duplicates != full) {
			BlockNumber block = chunk_block_beside(relation, place.block, header.duplicates);
			Chunk *chunk = checked_chunk(relation, change.lock(block), header.duplicates, id);
			if (chunk->count < Chunk::kRows) {
				chunk->rows[chunk->count++] = row;
				change.commit();
				pg::crash_point("insert.row");
				return true;
			}
			full = header.duplicates;
			change.abandon();
			pg::crash_point("insert.chunk_full");
			continue;
		}
		if (tail != InvalidBlockNumber) {
			if (tail == place.block)
				corrupted(relation, kMetaBlock, "new chunks come from a page of nodes");
			Page chunks = change.lock(tail);
			check_page(relation, tail, chunks, PageKind::kOverflow, sizeof(Chunk), true);
			if (PageIsNew(chunks))
				init_page(chunks, PageKind::kOverflow);
			if (int at = take_free_chunk(chunks); at >= 0) {
				*chunk_of(chunks, static_cast<unsigned>(at)) = {header.duplicates, id, header.generation, 1, {row}};
				header.duplicates = chunk_id(tail, static_cast<unsigned>(at));
				change.commit();
				pg::crash_point("insert.chunk");
				return true;
			}
		}
		change.abandon();
		tail = advance_tail(relation, index, PageKind::kOverflow, tail, logged);
	}
}

}  // namespace vectorizer::hnsw
