// The graph as it lies in pages: core/graph/store.hpp over Postgres's buffers.
//
// links() and visit() give hints, by a glance at shared buffers where the page has been met before, else under pin and
// share lock; row() and codes() tell the truth, always under pin and lock. No page stays locked or pinned between calls.
// Whatever an id has become meanwhile is tolerated; a page that contradicts its own header raises XX002 when it is locked.
#pragma once

#include "pg/hnsw/index.hpp"

#include <optional>

namespace vectorizer::hnsw {

class PageStore {
public:
	/// `blocks` are the relation's blocks as of now: ids beyond them name no node.
	PageStore(Relation relation, const Index &index);

	const graph::SlotLayout &layout() const { return index_.layout; }
	const Index &index() const { return index_; }
	Relation relation() const { return relation_; }
	unsigned max_links() const { return 2 * index_.parameters.m; }
	Metric metric() const { return index_.shape.metric; }

	unsigned links(NodeId id, unsigned level, NodeId *out, double reach = graph::kAnyDistance);

	template <typename Read, typename Take, typename Beside = graph::NothingBeside>
	void visit(std::span<const NodeId> ids, Read &&read, Take &&take, Beside &&beside = {})
	{
		constexpr std::size_t kBatch = 32;
		Aim aims[kBatch];
		for (std::size_t from = 0; from < ids.size(); from += kBatch) {
			std::size_t end = std::min(ids.size(), from + kBatch);
			for (std::size_t i = from; i < end; ++i) {
				Aim &to = aims[i - from] = aim(ids[i]);
				if (to.at != nullptr) {
					prefetch(to.at);
					index_.layout.prefetch_code(to.slot);
				}
			}
			if (asks_ahead_)
				ask_for_pages({aims, end - from});
			std::size_t glanced = 0;
			for (std::size_t i = from; i < end; ++i) {
				auto take_it = [&, i](const auto &value) { take(i, value); };
				if (glance(aims[i - from], read, take_it) ||
					(pinned(aims[i - from].block) && glance(aim(ids[i]), read, take_it)))  // meanwhile, for another of its nodes
					++glanced;
				else
					locked_visit(ids[i], read, take_it, beside);
			}
			note_glances(glanced);
		}
	}
	void prefetch_links(NodeId id)
	{
		if (Aim to = aim(id); to.at != nullptr)
			index_.layout.prefetch_links(to.slot);
	}

	void codes(std::span<const NodeId> ids, graph::StoredCode *out, const Arena &arena);

	/// What a slot says of its rows.
	struct Rows {
		RowPointer first;
		std::uint32_t duplicates;
		std::uint16_t generation;
	};

	/// The first upper entry of a node that reaches the level; none if the id names no such node.
	std::optional<unsigned> first_upper(NodeId id, unsigned level);

	/// The rows of a live node, after look(slot); none if the id names no live node any more.
	template <typename Look>
	std::optional<Rows> rows(NodeId id, Look &&look)
	{
		NodePlace place = place_of(id, index_.slots_per_page);
		std::optional<Rows> rows;
		on_node_page(place.block, [&](Page page) {
			const std::byte *slot = used_slot(place.block, page, place.slot);
			if (slot == nullptr)
				return;
			const graph::SlotHeader &header = graph::SlotLayout::header(slot);
			if (header.state != static_cast<std::uint8_t>(graph::State::kLive))
				return;
			rows = Rows{header.row, header.duplicates, header.generation};
			look(slot);
		});
		return rows;
	}
	std::optional<Rows> rows(NodeId id)
	{
		return rows(id, [](const std::byte *) {});
	}

	/// Runs f(page) under a share lock if the block exists and has been used; whether it did. The page has passed check_page.
	template <typename Function>
	bool on_node_page(BlockNumber block, Function &&f, BufferAccessStrategy strategy = nullptr)
	{
		if (!exists(block))
			return false;
		++locks_;
		note_pin(block);
		return pg::read_page(
			relation_, block,
			[&](Page page) {
				check_page(relation_, block, page, PageKind::kNodes, index_.layout.slot_bytes(), true);
				if (PageIsNew(page))
					return false;
				f(page);
				return true;
			},
			strategy);
	}

	/// The slot if it is live or a tombstone, null otherwise. REQUIRES: a checked node page.
	std::byte *used_slot(BlockNumber block, Page page, unsigned slot) const;

	bool exists(BlockNumber block);

	/// Visits so far of pages that were glanced at, and of pages that were locked.
	std::uint64_t glances() const { return glances_; }
	std::uint64_t locks() const { return locks_; }

private:
	/// Where a node ought to be in shared buffers.
	struct Aim {
		const pg::Buffered *at;  // null: not known
		const std::byte *slot;
		BlockNumber block;
		uint32 least_usage;
	};
	Aim aim(NodeId id) const
	{
		NodePlace place = place_of(id, index_.slots_per_page);
		const pg::Buffered *at = glance_.find(place.block);
		return {at, at == nullptr ? nullptr : item_at(at, place.slot, index_.layout.slot_bytes()), place.block,
				least_usage(place.block)};
	}
	/// Of pages that will have to be locked, so that several are read at once.
	void ask_for_pages(std::span<const Aim> aims);
	/// Whether this store has pinned the page lately: that marked it up, once for all that a search visits on it.
	bool pinned(BlockNumber block) const { return pinned_[block % kPinned] == block; }
	void note_pin(BlockNumber block) { pinned_[block % kPinned] = block; }
	uint32 least_usage(BlockNumber block) const { return pinned(block) ? 1 : pg::Glance::kLeastUsage; }
	static const std::byte *item_at(const pg::Buffered *at, unsigned item, std::size_t bytes)
	{
		return reinterpret_cast<const std::byte *>(pg::Glance::bytes(at)) + MAXALIGN(SizeOfPageHeaderData) + item * bytes;
	}

	/// take(read(slot)) if the slot can be seen without a lock and is in use; whether it was.
	template <typename Read, typename Take>
	bool glance(const Aim &to, Read &&read, Take &&take)
	{
		if (to.at == nullptr || !glance_.holds(to.at, to.block, to.least_usage))
			return false;
		if (graph::SlotLayout::header(to.slot).state == static_cast<std::uint8_t>(graph::State::kFree))
			return false;  // or on its way: to be looked at under a lock
		auto value = read(to.slot);
		if (!glance_.holds(to.at, to.block, to.least_usage))
			return false;
		take(value);
		return true;
	}

	template <typename Read, typename Take, typename Beside>
	void locked_visit(NodeId id, Read &&read, Take &&take, Beside &&beside)
	{
		const NodePlace place = place_of(id, index_.slots_per_page);
		const std::int64_t reads = pg::pages_read();
		on_node_page(place.block, [&](Page page) {
			if (const std::byte *slot = used_slot(place.block, page, place.slot))
				take(read(slot));
			if (pg::pages_read() == reads)
				return;
			const unsigned items = items_on(page, index_.layout.slot_bytes());
			for (unsigned other = 0; other < items; ++other)
				if (const std::byte *slot = other == place.slot ? nullptr : used_slot(place.block, page, other))
					beside(id - place.slot + other, slot);
		});
	}

	void note_glances(std::size_t count)
	{
		glances_ += count;
		glance_.count(count);
	}

	unsigned lowest_links(NodeId id, NodeId *out, double reach);
	unsigned upper_links(NodeId id, unsigned level, NodeId *out, double reach);
	bool glance_upper_links(const NodePlace &place, unsigned level, NodeId *out, double reach, unsigned *count);

	Relation relation_;
	Index index_;
	pg::Glance glance_;
	BlockNumber blocks_;
	bool asks_ahead_;
	std::uint64_t glances_ = 0;
	std::uint64_t locks_ = 0;
	static constexpr std::size_t kPinned = 1024;
	BlockNumber pinned_[kPinned];  // block 0, which holds no nodes: none
};
static_assert(graph::Store<PageStore> && std::is_trivially_destructible_v<PageStore>);

/// The place of a node's list on one level, on a page that the caller holds. Raises XX002 where it cannot be.
graph::LinkList list_on(Relation relation, const Index &index, BlockNumber block, std::byte *bytes, unsigned level);

/// The upper entry of a node on its group's auxiliary page. Raises XX002 if it is not that node's.
std::byte *upper_entry(Relation relation, const Index &index, const NodePlace &place, Page page, unsigned upper,
					   unsigned level);

/// The block of a chunk, for a caller that holds the node's page. Raises XX002 where there is no such block, or where it
/// is that very page, whose lock must not be taken twice.
BlockNumber chunk_block_beside(Relation relation, BlockNumber node_block, std::uint32_t chunk);

/// Finds that a chain of chunks comes back to itself (Brent's algorithm), where a walk along it would never end.
class ChainGuard {
public:
	/// Raises XX002 if `chunk`, the next on the way, has been met before: at the latest in the second round.
	void meet(Relation relation, std::uint32_t chunk);

private:
	std::uint32_t remembered_ = kNoChunk;
	std::uint32_t steps_ = 0;
	std::uint32_t limit_ = 1;
};

/// A chunk on a page that the caller holds. Raises XX002 if it is not that node's.
Chunk *checked_chunk(Relation relation, Page page, std::uint32_t chunk, NodeId owner);

}  // namespace vectorizer::hnsw
