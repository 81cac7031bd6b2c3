// The graph in memory: what CREATE INDEX builds before it writes pages, and what unit tests search.
//
// Ids count from 0 in order of insertion. Several processes may insert into one graph, each through a MemoryGraph of its
// own over the same GraphState and the same chunks: see graph_state.hpp.
//
// A node is its header and codes, side by side and on cache lines of their own: what a search evaluates, and what hardly
// ever changes. Its lists of links lie apart.
#pragma once

#include "core/graph/build_code.hpp"
#include "core/graph/graph_state.hpp"
#include "core/graph/insert.hpp"

#include <array>

namespace vectorizer::graph {

/// The sizes of what a graph in memory consists of.
struct MemorySizes {
	/// `code_bytes` are a BuildCode's.
	MemorySizes(unsigned m, std::size_t code_bytes);

	SlotLayout layout;         // of a node's header and codes
	std::size_t links_bytes;   // of its list on level 0
	unsigned node_shift;       // 2^this nodes a chunk

	static constexpr unsigned kUpperShift = 10, kRowShift = 12;  // upper entries, further rows a chunk

	/// The logarithm of how many items a chunk holds.
	unsigned shift(ChunkKind kind) const;
	std::size_t chunk_bytes(ChunkKind kind) const;

	/// What a graph of so many nodes takes, about.
	double graph_bytes(double nodes) const;
};

class MemoryGraph {
public:
	static constexpr unsigned kLandings = 4;

	/// One builder of a graph. The arena is for its table of the chunks' addresses.
	MemoryGraph(const BuildCode &code, const InsertParameters &parameters, GraphState &state, ChunkSource source,
				const Arena &arena);

	const SlotLayout &layout() const { return sizes_.layout; }
	unsigned max_links() const { return 2 * layout().m(); }
	Metric metric() const { return code_.walked().shape().metric; }
	std::size_t size() const { return state_.nodes.load(std::memory_order_relaxed); }
	NodeId entry() const { return state_.entry.load(std::memory_order_acquire); }
	unsigned entry_level() { return entry() == kNoNode ? 0 : layout().header(slot(entry())).level; }

	/// Memory taken so far, in bytes.
	std::size_t bytes() const { return state_.bytes.load(std::memory_order_relaxed); }

	/// A node's header and codes (BuildCode); its links are not there. The header's `upper` is not what it is in a page, and
	/// its factors are those of the code that the graph is built on.
	std::byte *slot(NodeId id)
	{
		return chunk(ChunkKind::kNodes, id >> sizes_.node_shift) + (id & node_mask_) * layout().slot_bytes();
	}
	/// The code that a page is to hold, and its factors.
	StoredCode stored_code(NodeId id)
	{
		const std::byte *own = slot(id);
		return {code_.stored_code(layout().code(own)), code_.stored_factors(layout().code(own), layout().factors(own))};
	}
	/// A node's links on one of its levels.
	LinkList list(NodeId id, unsigned level);

	/// Writes the node as it is in a page, links and all, with this graph's ids; `layout` is that of its page. Its `upper`
	/// is 0, its `duplicates` number rows of this graph.
	void write_slot(NodeId id, const SlotLayout &layout, std::byte *out);
	/// The same for one of its upper entries; owner and level of it are 0.
	void write_upper(NodeId id, unsigned level, std::byte *out);

	/// A row that is ready to become a node.
	struct Newcomer {
		std::span<const std::uint8_t> code;  // BuildCode's
		quantize::Factors factors;
		quantize::Computer computer;
		RowPointer row;
		unsigned level;
		std::array<NodeId, kLandings> landings;  // where a descent to it arrives, on levels kLandings to 1; kNoNode above the highest
		Newcomer *next;                          // for whoever keeps several
	};

	/// Makes a row ready and keeps a place for it, so that insert() does not lack memory. Null if no memory is left. `scratch` is
	/// for this call alone.
	Newcomer *prepare(const float *vector, RowPointer row, unsigned level, const Arena &arena, const Arena &scratch);

	enum class Outcome {
		kAdded,
		kFolded,   // the row hangs on a node that holds an equal code
		kStopped,  // nothing has changed
	};
	struct Inserted {
		Outcome outcome;
		NodeId id;
	};

	/// Adds a node, or a row to the node that holds an equal code already. Of two builders that insert equal codes at once
	/// each may add a node. `scratch` is for this call alone. REQUIRES: the newcomer has not been inserted.
	Inserted insert(const Newcomer &newcomer, const Arena &scratch, Stop stop);

	/// A further row of a node; `next` leads on, the header's `duplicates` to the first. kNoChunk ends the list.
	struct MoreRows {
		RowPointer row;
		std::uint32_t next;
	};
	MoreRows &more_rows(std::uint32_t index)
	{
		return reinterpret_cast<MoreRows *>(chunk(ChunkKind::kRows, index >> kRowShift))[index & kRowMask];
	}

	// The store's calls (store.hpp).
	unsigned links(NodeId id, unsigned level, NodeId *out, double reach = kAnyDistance);
	template <typename Read, typename Take, typename Beside = NothingBeside>
	void visit(std::span<const NodeId> ids, Read &&read, Take &&take, Beside && = {})
	{
		constexpr std::size_t kBatch = 64;
		const std::byte *slots[kBatch];
		for (std::size_t from = 0; from < ids.size(); from += kBatch) {
			const std::size_t count = std::min(ids.size() - from, kBatch);
			for (std::size_t i = 0; i < count; ++i) {
				slots[i] = slot(ids[from + i]);
				layout().prefetch_code(slots[i]);
			}
			for (std::size_t i = 0; i < count; ++i)
				take(from + i, read(slots[i]));
		}
	}
	void prefetch_links(NodeId id);
	void codes(std::span<const NodeId> ids, StoredCode *out, const Arena &arena);

private:
	static constexpr unsigned kRowShift = MemorySizes::kRowShift, kUpperShift = MemorySizes::kUpperShift;
	static constexpr std::uint32_t kRowMask = (1U << kRowShift) - 1, kUpperMask = (1U << kUpperShift) - 1;

	std::byte *chunk(ChunkKind kind, std::size_t number)
	{
		std::span<std::byte *> known = chunks_[static_cast<unsigned>(kind)];
		if (number < known.size() && known[number] != nullptr) [[likely]]
			return known[number];
		return find_chunk(kind, number);
	}
	std::byte *find_chunk(ChunkKind kind, std::size_t number);
	bool keep_place(unsigned level);
	NodeId take_place(unsigned level, std::uint32_t *first_upper);
	std::byte *upper(std::uint32_t index)
	{
		return chunk(ChunkKind::kUppers, index >> kUpperShift) + (index & kUpperMask) * layout().upper_bytes();
	}
	void add_row(NodeId id, RowPointer row);
	void write(NodeId id, std::uint32_t first_upper, const Newcomer &newcomer, const Neighbourhood &found);
	void link_back(NodeId id, unsigned level, const Neighbourhood &found);
	void offer_as_entry(NodeId id, unsigned level);

	BuildCode code_;
	InsertParameters parameters_;
	MemorySizes sizes_;
	std::uint32_t node_mask_;
	GraphState &state_;
	ChunkSource source_;
	Arena arena_;
	std::span<std::byte *> chunks_[kChunkKinds];  // as far as this process has met them
};

static_assert(Store<MemoryGraph>);
static_assert(std::is_trivially_destructible_v<MemoryGraph> && std::is_trivially_destructible_v<Search<MemoryGraph>>);

}  // namespace vectorizer::graph
