// Writing a graph out of memory, so that a node's neighbours lie on its page or near it and a cold search touches fewer pages.
#include "core/graph/breadth_first.hpp"
#include "core/graph/page_order.hpp"
#include "pg/hnsw/allocate.hpp"
#include "pg/hnsw/build.hpp"

#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"

namespace vectorizer::hnsw {

using graph::MemoryGraph;
using graph::SlotLayout;

namespace {

/// A node and the id it gets.
struct Placed {
	NodeId from;
	NodeId to;
};

/// Gives every node an id from `first` on, the first of its group, in order but for those whose upper links do not fit into their group: they wait for the next.
/// Ids ascend in the result.
std::span<Placed> place(const Index &index, MemoryGraph &graph, std::span<const NodeId> order, NodeId first,
						const Arena &arena)
{
	std::span<Placed> placed = arena.array<Placed>(order.size());
	std::span<NodeId> waiting = arena.array<NodeId>(order.size());
	std::size_t n = 0, first_waiting = 0, n_waiting = 0;
	NodeId next = first;
	unsigned uppers = 0;

	auto put = [&](NodeId id) -> bool {
		unsigned level = SlotLayout::header(graph.slot(id)).level;
		if (uppers + level > index.uppers_per_page)
			return false;
		placed[n++] = {id, next++};
		uppers += level;
		if (next % index.nodes_per_group() == 0)
			uppers = 0;
		return true;
	};
	for (NodeId id : order) {
		while (first_waiting < n_waiting && put(waiting[first_waiting]))
			++first_waiting;
		if (!put(id))
			waiting[n_waiting++] = id;
	}
	while (first_waiting < n_waiting) {
		if (put(waiting[first_waiting])) {
			++first_waiting;
			continue;
		}
		next += index.nodes_per_group() - next % index.nodes_per_group();
		uppers = 0;
	}
	return placed;
}

/// Copies one graph's pages out, group by group. Pages are filled in private memory and copied into their buffer whole.
class GroupWriter {
public:
	GroupWriter(Relation relation, const Index &index, MemoryGraph &graph, std::span<const NodeId> new_ids)
		: relation_(relation), index_(index), graph_(graph), new_ids_(new_ids) {}

	void write(Placed node)
	{
		NodePlace to = place_of(node.to, index_.slots_per_page);
		if (to.block != block_)
			start_page(to);
		std::size_t bytes = index_.layout.slot_bytes();
		std::byte *slot = contents_of(page_.data) + to.slot * bytes;
		graph_.write_slot(node.from, index_.layout, slot);
		set_items_on(page_.data, bytes, to.slot + 1);
		++tail_of(page_.data)->in_use;

		graph::SlotHeader &header = SlotLayout::header(slot);
		header.duplicates = kNoChunk;
		rename(index_.layout.links(slot));
		header.upper = static_cast<std::uint16_t>(uppers_);
		for (unsigned level = 1; level <= header.level; ++level) {
			std::byte *entry = contents_of(auxiliary_.data) + uppers_ * index_.layout.upper_bytes();
			graph_.write_upper(node.from, level, entry);
			upper_header(entry).owner = to.ordinal;
			upper_header(entry).level = static_cast<std::uint16_t>(level);
			rename(index_.layout.upper_links(entry));
			++uppers_;
		}
	}

	void finish()
	{
		if (block_ == InvalidBlockNumber)
			return;
		copy_out(block_, page_.data);
		set_items_on(auxiliary_.data, index_.layout.upper_bytes(), uppers_);
		tail_of(auxiliary_.data)->in_use = static_cast<std::uint16_t>(uppers_);
		copy_out(auxiliary_block_, auxiliary_.data);
	}

private:
	void start_page(const NodePlace &to)
	{
		CHECK_FOR_INTERRUPTS();
		if (block_ != InvalidBlockNumber)
			copy_out(block_, page_.data);
		if (to.auxiliary != auxiliary_block_) {
			if (block_ != InvalidBlockNumber)
				finish();
			auxiliary_block_ = to.auxiliary;
			init_page(auxiliary_.data, PageKind::kAuxiliary);
			uppers_ = 0;
		}
		block_ = to.block;
		init_page(page_.data, PageKind::kNodes);
		pg::extend_to(relation_, block_ + 1);
	}

	void copy_out(BlockNumber block, const char *image)
	{
		pg::PageChange change(relation_, false);
		std::memcpy(change.lock(block), image, BLCKSZ);
		change.commit();
		pg::crash_point("build.page");
	}

	void rename(graph::LinkList list)
	{
		for (unsigned i = 0; i < list.count(); ++i)
			list.ids[i] = new_ids_[list.ids[i]];
	}

	Relation relation_;
	const Index &index_;
	MemoryGraph &graph_;
	std::span<const NodeId> new_ids_;
	BlockNumber block_ = InvalidBlockNumber;
	BlockNumber auxiliary_block_ = InvalidBlockNumber;
	unsigned uppers_ = 0;
	PGAlignedBlock page_;
	PGAlignedBlock auxiliary_;
};

/// The rows that were folded into a node, after the node itself has been written.
void write_more_rows(Relation relation, const Index &index, MemoryGraph &graph, Placed node)
{
	const graph::StoredCode stored = graph.stored_code(node.from);
	std::span<const std::uint8_t> code(stored.code, index.layout.code_bytes());
	for (std::uint32_t at = SlotLayout::header(graph.slot(node.from)).duplicates; at != kNoChunk; at = graph.more_rows(at).next) {
		CHECK_FOR_INTERRUPTS();
		if (!add_row(relation, index, node.to, code, stored.factors, graph.more_rows(at).row, false))
			ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("node %u was not written as it should be", node.to)));
	}
}

}  // namespace

void write_graph(Relation relation, const Index &index, MemoryGraph &graph)
{
	if (graph.size() == 0)
		return;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hnsw flush", ALLOCSET_DEFAULT_SIZES);
	Arena arena = pg::context_arena(context);
	NodeId first = read_meta(relation).groups * index.nodes_per_group();  // behind the codebook
	std::span<const NodeId> order = graph::page_order(graph, graph::breadth_first(graph, arena, pg::interrupt_pending()),
													  index.slots_per_page, arena, pg::interrupt_pending());
	if (order.size() < graph.size()) {
		CHECK_FOR_INTERRUPTS();
		ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("building an hnsw index was interrupted")));
	}
	std::span<Placed> nodes = place(index, graph, order, first, arena);
	std::span<NodeId> new_ids = arena.array<NodeId>(nodes.size());
	for (Placed node : nodes)
		new_ids[node.from] = node.to;

	GroupWriter writer(relation, index, graph, new_ids);
	for (Placed node : nodes)
		writer.write(node);
	writer.finish();

	{
		NodePlace last = place_of(nodes.back().to, index.slots_per_page);
		pg::PageChange change(relation, false);
		MetaPage *meta = meta_of(change.lock(kMetaBlock));
		meta->groups = group_of(last.block) + 1;
		meta->node_tail = last.block;
		meta->entry = new_ids[graph.entry()];
		meta->entry_level = static_cast<std::uint16_t>(graph.entry_level());
		change.commit();
	}
	pg::crash_point("build.nodes");
	for (Placed node : nodes)
		write_more_rows(relation, index, graph, node);
	MemoryContextDelete(context);
}

}  // namespace vectorizer::hnsw
