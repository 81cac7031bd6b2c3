#include "pg/hnsw/page_store.hpp"

#include "pg/crash_point.hpp"

#include <numeric>

namespace vectorizer::hnsw {

using graph::SlotHeader;
using graph::State;

PageStore::PageStore(Relation relation, const Index &index)
	: relation_(relation), index_(index), glance_(relation), blocks_(RelationGetNumberOfBlocks(relation)),
	  asks_ahead_(pg::asks_ahead(relation)), pinned_{}
{
	pg::BufferHints::fit(blocks_);
}

bool PageStore::exists(BlockNumber block)
{
	if (block >= blocks_)
		blocks_ = RelationGetNumberOfBlocks(relation_);
	return block < blocks_;
}

void PageStore::ask_for_pages(std::span<const Aim> aims)
{
	bool first = true;  // that one is read next
	for (const Aim &to : aims) {
		if (pinned(to.block) || (to.at != nullptr && glance_.holds(to.at, to.block, to.least_usage)) || !exists(to.block))
			continue;
		if (!first)
			pg::ask_for_page(relation_, to.block);
		first = false;
	}
}

std::byte *PageStore::used_slot(BlockNumber block, Page page, unsigned slot) const
{
	if (slot >= items_on(page, index_.layout.slot_bytes()))
		return nullptr;
	std::byte *bytes = contents_of(page) + slot * index_.layout.slot_bytes();
	const SlotHeader &header = graph::SlotLayout::header(bytes);
	if (header.state == static_cast<std::uint8_t>(State::kFree))
		return nullptr;
	if (header.state > static_cast<std::uint8_t>(State::kTombstone) || header.level > graph::kMaxLevel)
		corrupted(relation_, block, "a slot has an unknown state or level");
	return bytes;
}

graph::LinkList list_on(Relation relation, const Index &index, BlockNumber block, std::byte *bytes, unsigned level)
{
	graph::LinkList list = level == 0 ? index.layout.links(bytes) : index.layout.upper_links(bytes);
	if (list.count() > list.capacity)
		corrupted(relation, block, "a list of links is longer than its room");
	return list;
}

namespace {

/// The upper entry of a node, null if the page has none of that node and level there.
std::byte *find_upper_entry(const Index &index, const NodePlace &place, Page page, unsigned upper, unsigned level)
{
	unsigned at = upper + level - 1;
	if (PageIsNew(page) || at >= items_on(page, index.layout.upper_bytes()))
		return nullptr;
	std::byte *entry = contents_of(page) + at * index.layout.upper_bytes();
	const graph::UpperHeader &header = upper_header(entry);
	return header.owner == place.ordinal && header.level == level ? entry : nullptr;
}

}  // namespace

std::byte *upper_entry(Relation relation, const Index &index, const NodePlace &place, Page page, unsigned upper,
					   unsigned level)
{
	std::byte *entry = find_upper_entry(index, place, page, upper, level);
	if (entry == nullptr)
		corrupted(relation, place.auxiliary, "a node's upper links are not where its slot says");
	return entry;
}

BlockNumber chunk_block_beside(Relation relation, BlockNumber node_block, std::uint32_t chunk)
{
	BlockNumber block = chunk_block(chunk);
	if (block == node_block || block >= RelationGetNumberOfBlocks(relation))
		corrupted(relation, node_block, "a chain of duplicate rows leads out of the pages for them");
	return block;
}

void ChainGuard::meet(Relation relation, std::uint32_t chunk)
{
	if (chunk == remembered_)
		corrupted(relation, chunk_block(chunk), "a chain of duplicate rows comes back to itself");
	if (++steps_ == limit_) {
		remembered_ = chunk;
		steps_ = 0;
		limit_ *= 2;
	}
}

Chunk *checked_chunk(Relation relation, Page page, std::uint32_t chunk, NodeId owner)
{
	BlockNumber block = chunk_block(chunk);
	check_page(relation, block, page, PageKind::kOverflow, sizeof(Chunk), false);
	unsigned at = chunk % kChunksPerPage;
	if (at >= items_on(page, sizeof(Chunk)) || chunk_of(page, at)->owner != owner ||
		chunk_of(page, at)->count > Chunk::kRows)
		corrupted(relation, block, "a chain of duplicate rows leads to a chunk of another node");
	return chunk_of(page, at);
}

unsigned PageStore::links(NodeId id, unsigned level, NodeId *out, double reach)
{
	unsigned count = level == 0 ? lowest_links(id, out, reach) : upper_links(id, level, out, reach);
	pg::crash_point("graph.links");
	return count;
}

unsigned PageStore::lowest_links(NodeId id, NodeId *out, double reach)
{
	unsigned count = 0;
	bool sound = false;
	auto copy = [&](const std::byte *slot) {
		const graph::LinkList list = index_.layout.links(const_cast<std::byte *>(slot));
		sound = list.count() <= list.capacity;
		return list.within(reach, out);
	};
	Aim to = aim(id);
	if (glance(to, copy, [&](unsigned n) { count = n; }) && sound) {
		note_glances(1);
		return count;
	}
	count = 0;
	on_node_page(to.block, [&](Page page) {
		NodePlace place = place_of(id, index_.slots_per_page);
		std::byte *slot = used_slot(place.block, page, place.slot);
		if (slot == nullptr)
			return;
		count = list_on(relation_, index_, place.block, slot, 0).within(reach, out);
	});
	return count;
}

/// Links of an upper level, by a glance at the slot and one at the auxiliary page. False if that told nothing certain.
bool PageStore::glance_upper_links(const NodePlace &place, unsigned level, NodeId *out, double reach, unsigned *count)
{
	const pg::Buffered *slots = glance_.find(place.block);
	const pg::Buffered *entries = glance_.find(place.auxiliary);
	const uint32 of_slots = least_usage(place.block), of_entries = least_usage(place.auxiliary);
	if (slots == nullptr || entries == nullptr || !glance_.holds(slots, place.block, of_slots))
		return false;
	SlotHeader header = graph::SlotLayout::header(item_at(slots, place.slot, index_.layout.slot_bytes()));
	unsigned at = header.upper + level - 1u;
	if (header.state == static_cast<std::uint8_t>(State::kFree) || header.level < level || at >= index_.uppers_per_page ||
		!glance_.holds(entries, place.auxiliary, of_entries))
		return false;
	const std::byte *bytes = item_at(entries, at, index_.layout.upper_bytes());
	const graph::LinkList list = index_.layout.upper_links(const_cast<std::byte *>(bytes));
	graph::UpperHeader entry = upper_header(const_cast<std::byte *>(bytes));
	if (entry.owner != place.ordinal || entry.level != level || entry.links.count > list.capacity)
		return false;
	*count = list.within(reach, out);
	note_glances(2);
	return glance_.holds(slots, place.block, of_slots) && glance_.holds(entries, place.auxiliary, of_entries);
}

unsigned PageStore::upper_links(NodeId id, unsigned level, NodeId *out, double reach)
{
	NodePlace place = place_of(id, index_.slots_per_page);
	unsigned count = 0;
	if (glance_upper_links(place, level, out, reach, &count))
		return count;
	struct Seen {
		bool reaches;  // this level
		std::uint16_t generation;
		std::uint16_t upper;
	};
	auto look = [&] {
		Seen seen{};
		on_node_page(place.block, [&](Page page) {
			const std::byte *slot = used_slot(place.block, page, place.slot);
			if (slot == nullptr)
				return;
			const SlotHeader &header = graph::SlotLayout::header(slot);
			seen = {header.level >= level, header.generation, header.upper};
		});
		return seen;
	};
	Seen before = look();
	if (!before.reaches)
		return 0;

	note_pin(place.auxiliary);
	bool found = pg::read_page(relation_, place.auxiliary, [&](Page page) {
		check_page(relation_, place.auxiliary, page, PageKind::kAuxiliary, index_.layout.upper_bytes(), false);
		std::byte *entry = find_upper_entry(index_, place, page, before.upper, level);
		if (entry == nullptr)
			return false;
		count = list_on(relation_, index_, place.auxiliary, entry, level).within(reach, out);
		return true;
	});
	if (found)
		return count;
	// Between the two pages vacuum may have freed the node, slot and entries at once.
	Seen after = look();
	if (after.reaches && after.generation == before.generation && after.upper == before.upper)
		corrupted(relation_, place.auxiliary, "a node's upper links are not where its slot says");
	return 0;
}

void PageStore::codes(std::span<const NodeId> ids, graph::StoredCode *out, const Arena &arena)
{
	std::span<std::uint32_t> order = arena.array<std::uint32_t>(ids.size());
	std::iota(order.begin(), order.end(), 0u);
	std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return ids[a] < ids[b]; });  // by block
	std::size_t bytes = index_.layout.code_bytes();
	std::span<std::uint8_t> codes = arena.array<std::uint8_t>(bytes * ids.size());
	auto block_of = [&](std::size_t i) { return place_of(ids[order[i]], index_.slots_per_page).block; };
	for (std::size_t i = 0; i < order.size();) {
		BlockNumber block = block_of(i);
		std::size_t end = i;
		for (; end < order.size() && block_of(end) == block; ++end)
			out[order[end]] = {nullptr, {0, 0}};
		on_node_page(block, [&](Page page) {
			for (std::size_t at = i; at < end; ++at) {
				const std::byte *slot = used_slot(block, page, place_of(ids[order[at]], index_.slots_per_page).slot);
				if (slot == nullptr || graph::SlotLayout::header(slot).state != static_cast<std::uint8_t>(State::kLive))
					continue;
				std::uint8_t *copy = codes.data() + order[at] * bytes;
				std::memcpy(copy, index_.layout.code(slot), bytes);
				out[order[at]] = {copy, graph::SlotLayout::factors(slot)};
			}
		});
		i = end;
	}
}

std::optional<unsigned> PageStore::first_upper(NodeId id, unsigned level)
{
	NodePlace place = place_of(id, index_.slots_per_page);
	std::optional<unsigned> first;
	on_node_page(place.block, [&](Page page) {
		const std::byte *slot = used_slot(place.block, page, place.slot);
		if (slot != nullptr && graph::SlotLayout::header(slot).level >= level)
			first = graph::SlotLayout::header(slot).upper;
	});
	return first;
}

}  // namespace vectorizer::hnsw
