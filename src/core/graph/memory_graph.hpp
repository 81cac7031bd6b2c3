// The graph in plain memory: what CREATE INDEX builds before it writes pages, and what unit tests search.
//
// Slots have their page bytes from the start, so that writing them out is a copy with other ids. Ids count from 0 in order
// of insertion. One thread.
#pragma once

#include "core/graph/insert.hpp"

namespace vectorizer::graph {

class MemoryGraph {
public:
	MemoryGraph(const quantize::Quantizer &quantizer, const InsertParameters &parameters, const Arena &arena);

	const SlotLayout &layout() const { return layout_; }
	unsigned max_links() const { return 2 * layout_.m(); }
	std::size_t size() const { return size_; }
	NodeId entry() const { return entry_; }
	unsigned entry_level() const { return entry_ == kNoNode ? 0 : layout_.header(slot(entry_)).level; }

	/// Memory taken so far, in bytes.
	std::size_t bytes() const { return bytes_; }
	/// What one more node takes at the most, in bytes.
	std::size_t bytes_per_node() const { return layout_.slot_bytes() + sizeof(std::byte *); }

	std::byte *slot(NodeId id) { return chunks_[id / kChunk] + (id % kChunk) * layout_.slot_bytes(); }
	const std::byte *slot(NodeId id) const { return chunks_[id / kChunk] + (id % kChunk) * layout_.slot_bytes(); }
	/// REQUIRES: 1 <= level <= the node's level.
	std::byte *upper(NodeId id, unsigned level) { return uppers_[id] + (level - 1) * layout_.upper_bytes(); }

	/// Adds a node, or a row to the node that holds an equal code already (`*folded`). `scratch` is for this call alone. If
	/// stopped, returns kNoNode and nothing has changed.
	NodeId insert(const float *vector, RowPointer row, unsigned level, const Arena &scratch, Stop stop, bool *folded);

	/// A further row of a node; `next` leads on, the header's `duplicates` to the first. kNoChunk ends the list.
	struct MoreRows {
		RowPointer row;
		std::uint32_t next;
	};
	const MoreRows &more_rows(std::uint32_t index) const { return rows_[index]; }

	// The store's calls (store.hpp).
	unsigned links(NodeId id, unsigned level, NodeId *out);
	template <typename Read, typename Take>
	void visit(std::span<const NodeId> ids, Read &&read, Take &&take)
	{
		for (NodeId id : ids)
			layout_.prefetch_code(slot(id));
		for (std::size_t i = 0; i < ids.size(); ++i)
			take(i, read(static_cast<const std::byte *>(slot(ids[i]))));
	}
	void prefetch_links(NodeId id) { layout_.prefetch_links(slot(id)); }
	void codes(std::span<const NodeId> ids, StoredCode *out, const Arena &arena);

private:
	static constexpr std::size_t kChunk = 1024;

	NodeId add_slot(unsigned level);
	void add_row(NodeId id, RowPointer row);
	LinkList list(NodeId id, unsigned level);
	template <typename T>
	std::span<T> grown(std::span<T> array, std::size_t used);

	const quantize::Quantizer &quantizer_;
	InsertParameters parameters_;
	SlotLayout layout_;
	Arena arena_;
	std::span<std::byte *> chunks_;
	std::span<std::byte *> uppers_;  // per node; null where its level is 0
	std::span<MoreRows> rows_;
	std::size_t n_rows_ = 0;
	std::size_t size_ = 0;
	std::size_t bytes_ = 0;
	NodeId entry_ = kNoNode;
};

static_assert(Store<MemoryGraph>);
static_assert(std::is_trivially_destructible_v<MemoryGraph> && std::is_trivially_destructible_v<Search<MemoryGraph>>);

}  // namespace vectorizer::graph
