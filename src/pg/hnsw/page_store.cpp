#include "pg/hnsw/page_store.hpp"

#include "pg/crash_point.hpp"

namespace vectorizer::hnsw {

using graph::SlotHeader;
using graph::State;

PageStore::PageStore(Relation relation, const Index &index)
	: relation_(relation), index_(index), blocks_(RelationGetNumberOfBlocks(relation))
{
}

bool PageStore::exists(BlockNumber block)
{
	if (block >= blocks_)
		blocks_ = RelationGetNumberOfBlocks(relation_);
	return block < blocks_;
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

unsigned PageStore::links(NodeId id, unsigned level, NodeId *out)
{
	unsigned count = level == 0 ? lowest_links(id, out) : upper_links(id, level, out);
	pg::crash_point("graph.links");
	return count;
}

unsigned PageStore::lowest_links(NodeId id, NodeId *out)
{
	NodePlace place = place_of(id, index_.slots_per_page);
	unsigned count = 0;
	on_node_page(place.block, [&](Page page) {
		std::byte *slot = used_slot(place.block, page, place.slot);
		if (slot == nullptr)
			return;
		graph::LinkList list = list_on(relation_, index_, place.block, slot, 0);
		count = list.count();
		std::copy(list.ids, list.ids + count, out);
	});
	return count;
}

unsigned PageStore::upper_links(NodeId id, unsigned level, NodeId *out)
{
	NodePlace place = place_of(id, index_.slots_per_page);
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

	unsigned count = 0;
	bool found = pg::read_page(relation_, place.auxiliary, [&](Page page) {
		check_page(relation_, place.auxiliary, page, PageKind::kAuxiliary, index_.layout.upper_bytes(), false);
		std::byte *entry = find_upper_entry(index_, place, page, before.upper, level);
		if (entry == nullptr)
			return false;
		graph::LinkList list = list_on(relation_, index_, place.auxiliary, entry, level);
		count = list.count();
		std::copy(list.ids, list.ids + count, out);
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
	std::span<NodeId> order = arena.array<NodeId>(ids.size());
	std::copy(ids.begin(), ids.end(), order.begin());
	for (std::size_t i = 0; i < ids.size(); ++i)
		out[i] = {nullptr, {0, 0}};
	std::size_t bytes = index_.layout.code_bytes();
	std::span<std::uint8_t> codes = arena.array<std::uint8_t>(bytes * ids.size());
	visit(order, [&](NodeId id, const std::byte *slot) {
		auto at = static_cast<std::size_t>(std::find(ids.begin(), ids.end(), id) - ids.begin());
		std::uint8_t *copy = codes.data() + at * bytes;
		std::memcpy(copy, index_.layout.code(slot), bytes);
		out[at] = {copy, graph::SlotLayout::factors(slot)};
	});
}

}  // namespace vectorizer::hnsw
