#include "core/graph/memory_graph.hpp"

#include <bit>
#include <cstring>

namespace vectorizer::graph {

namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kNodeChunkBytes = 256 * 1024;  // at the most, unless one node takes more

// While a node is in memory, these four bytes of its header number its first upper entry: what they hold in a page, the
// slot's generation and place of that entry, comes with the page.
static_assert(offsetof(SlotHeader, upper) == offsetof(SlotHeader, generation) + 2);

std::uint32_t first_upper(const std::byte *slot)
{
	std::uint32_t index;
	std::memcpy(&index, slot + offsetof(SlotHeader, generation), sizeof index);
	return index;
}

void set_first_upper(std::byte *slot, std::uint32_t index)
{
	std::memcpy(slot + offsetof(SlotHeader, generation), &index, sizeof index);
}

void copy_links(const LinkList &from, LinkList to)
{
	*to.header = *from.header;
	std::copy_n(from.ids, from.count(), to.ids);
	std::copy_n(from.mantissas, from.count(), to.mantissas);
}

}  // namespace

MemorySizes::MemorySizes(unsigned m, std::size_t code_bytes)
	: layout(SlotLayout::without_links(m, code_bytes, kCacheLine)), links_bytes(SlotLayout::list_bytes(2 * m)), node_shift(0)
{
	const std::size_t nodes = kNodeChunkBytes / (layout.slot_bytes() + links_bytes);
	if (nodes > 1)
		node_shift = static_cast<unsigned>(std::bit_width(nodes)) - 1;
}

unsigned MemorySizes::shift(ChunkKind kind) const
{
	switch (kind) {
		case ChunkKind::kNodes: return node_shift;
		case ChunkKind::kUppers: return kUpperShift;
		case ChunkKind::kRows: break;
	}
	return kRowShift;
}

std::size_t MemorySizes::chunk_bytes(ChunkKind kind) const
{
	const std::size_t item = kind == ChunkKind::kNodes	  ? layout.slot_bytes() + links_bytes
							 : kind == ChunkKind::kUppers ? layout.upper_bytes()
														  : sizeof(MemoryGraph::MoreRows);
	return item << shift(kind);
}

double MemorySizes::graph_bytes(double nodes) const
{
	auto bytes = [](std::size_t n) { return static_cast<double>(n); };
	const double uppers = nodes / (layout.m() - 1.0);  // 1/m of the nodes, 1/m^2 of them once more, and so on
	return nodes * bytes(layout.slot_bytes() + links_bytes) + uppers * bytes(layout.upper_bytes()) +
		   bytes(chunk_bytes(ChunkKind::kNodes) + chunk_bytes(ChunkKind::kUppers));
}

MemoryGraph::MemoryGraph(const BuildCode &code, const InsertParameters &parameters, GraphState &state, ChunkSource source,
						 const Arena &arena)
	: code_(code), parameters_(parameters), sizes_(parameters.m, code.bytes()),
	  node_mask_((1U << sizes_.node_shift) - 1), state_(state), source_(source), arena_(arena)
{
	// build/bench_graph, 100,000 word vectors of 300 dimensions, m = 16, the mean of four graphs: 1.75m links chosen among three times
	// ef_construction candidates find .9733 of the ten nearest at ef 80, 1.25m among twice as many .9698, m among as many .9655; a
	// recall of .97 takes 1,020, 1,069 and 1,120 evaluations. A search does not follow the long ones (reach()).
	if (parameters_.own_links == 0)
		parameters_.own_links = parameters.m * 7 / 4;
	if (parameters_.runners_up == 0)
		parameters_.runners_up = 2 * parameters.ef_construction;
}

std::byte *MemoryGraph::find_chunk(ChunkKind kind, std::size_t number)
{
	std::byte *found = source_.chunk(source_.context, kind, number, sizes_.chunk_bytes(kind));
	if (found == nullptr)
		return nullptr;
	std::span<std::byte *> &known = chunks_[static_cast<unsigned>(kind)];
	if (number >= known.size()) {
		std::span<std::byte *> larger = arena_.array<std::byte *>(std::max<std::size_t>(64, std::bit_ceil(number + 1)));
		std::fill(std::copy(known.begin(), known.end(), larger.begin()), larger.end(), nullptr);
		known = larger;
	}
	known[number] = found;
	return found;
}

/// Takes the next indexes of an array, if there is memory for them. REQUIRES: no more than a chunk holds.
bool MemoryGraph::claim(ChunkKind kind, std::uint32_t count, std::uint32_t *first)
{
	std::atomic<std::uint32_t> &next = kind == ChunkKind::kNodes	? state_.nodes
									   : kind == ChunkKind::kUppers ? state_.uppers
																	: state_.rows;
	const unsigned shift = sizes_.shift(kind);
	*first = next.load(std::memory_order_relaxed);
	do {
		if (*first >= kNoNode - count || chunk(kind, *first >> shift) == nullptr ||
			chunk(kind, (*first + count - 1) >> shift) == nullptr)
			return false;
	} while (!next.compare_exchange_weak(*first, *first + count, std::memory_order_relaxed));
	return true;
}

LinkList MemoryGraph::list(NodeId id, unsigned level)
{
	if (level > 0)
		return layout().upper_links(upper(first_upper(slot(id)) + level - 1));
	std::byte *lists = chunk(ChunkKind::kNodes, id >> sizes_.node_shift) + (layout().slot_bytes() << sizes_.node_shift);
	return SlotLayout::list_at(lists + (id & node_mask_) * sizes_.links_bytes, 2 * layout().m());
}

unsigned MemoryGraph::links(NodeId id, unsigned level, NodeId *out, double reach)
{
	const unsigned count = list(id, level).within(reach, out);
	std::atomic_thread_fence(std::memory_order_acquire);  // the nodes they name
	return count;
}

void MemoryGraph::prefetch_links(NodeId id)
{
	SlotLayout::prefetch(reinterpret_cast<const std::byte *>(list(id, 0).header), sizes_.links_bytes);
}

void MemoryGraph::codes(std::span<const NodeId> ids, StoredCode *out, const Arena &)
{
	for (NodeId id : ids)
		*out++ = {layout().code(slot(id)), layout().factors(slot(id))};
}

void MemoryGraph::write_slot(NodeId id, const SlotLayout &layout, std::byte *out)
{
	const StoredCode stored = stored_code(id);
	std::memset(out, 0, layout.slot_bytes());
	std::memcpy(out, slot(id), sizeof(SlotHeader));
	layout.header(out).scale = stored.factors.scale;
	layout.header(out).norm = stored.factors.norm;
	std::memcpy(layout.code(out), stored.code, layout.code_bytes());
	set_first_upper(out, 0);
	copy_links(list(id, 0), layout.links(out));
}

void MemoryGraph::write_upper(NodeId id, unsigned level, std::byte *out)
{
	std::memset(out, 0, layout().upper_bytes());
	copy_links(list(id, level), layout().upper_links(out));
}

bool MemoryGraph::add_row(NodeId id, RowPointer row)
{
	std::uint32_t index;
	if (!claim(ChunkKind::kRows, 1, &index))
		return false;
	MoreRows &more = more_rows(index);
	SlotHeader &header = layout().header(slot(id));
	state_.lock_of(id).lock();
	more = {row, header.duplicates};
	header.duplicates = index;
	state_.lock_of(id).unlock();
	return true;
}

void MemoryGraph::write(NodeId id, const Content &content, const Neighbourhood &found)
{
	std::byte *bytes = slot(id);
	SlotHeader &header = layout().header(bytes);
	header.state = static_cast<std::uint8_t>(State::kLive);
	header.level = static_cast<std::uint8_t>(content.level);
	header.scale = content.factors.scale;
	header.norm = content.factors.norm;
	header.duplicates = kNoChunk;
	header.row = content.row;
	set_first_upper(bytes, content.first_upper);
	std::memcpy(layout().code(bytes), content.code.data(), content.code.size());
	for (unsigned level = 0; level <= content.level; ++level) {
		LinkList own = list(id, level);
		for (const Neighbour &neighbour : found.levels[level])
			own.append(neighbour.id, neighbour.distance, neighbour.hidden);
	}
	std::atomic_thread_fence(std::memory_order_release);
}

void MemoryGraph::link_back(NodeId id, unsigned level, const Neighbourhood &found)
{
	const FromNew from_new(*found.known[level], found.levels[level]);
	bool nearest = true;
	for (const Neighbour &neighbour : found.levels[level]) {
		LinkList theirs = list(neighbour.id, level);
		SpinLock &lock = state_.lock_of(neighbour.id);
		lock.lock();
		theirs.admit(id, neighbour.distance, from_new, nearest);
		lock.unlock();
		nearest = false;
	}
}

void MemoryGraph::offer_as_entry(NodeId id, unsigned level)
{
	NodeId entry = state_.entry.load(std::memory_order_acquire);
	while (level > layout().header(slot(entry)).level &&
		   !state_.entry.compare_exchange_weak(entry, id, std::memory_order_acq_rel))
		;
}

MemoryGraph::Inserted MemoryGraph::insert(const float *vector, RowPointer row, unsigned level, const Arena &scratch, Stop stop)
{
	std::span<std::uint8_t> code = scratch.array<std::uint8_t>(layout().code_bytes());
	quantize::Computer computer;
	Content content{code, code_.encode(vector, code.data(), scratch, &computer), row, level, 0};
	Neighbourhood found{};
	NodeId id = kNoNode;
	auto claim_place = [&] {
		return (level == 0 || claim(ChunkKind::kUppers, level, &content.first_upper)) && claim(ChunkKind::kNodes, 1, &id);
	};

	if (entry() == kNoNode) {
		if (!claim_place())
			return {Outcome::kFull, kNoNode};
		state_.founding.lock();
		const bool founded = entry() == kNoNode;
		if (founded) {
			write(id, content, found);
			state_.entry.store(id, std::memory_order_release);
		}
		state_.founding.unlock();
		if (founded)
			return {Outcome::kAdded, id};
		// Somebody else was first. The place is taken: search, and never mind an equal code.
		stop = {};
	}
	const NodeId begin = entry();
	found = find_neighbourhood(*this, code_.walked(), computer, begin, layout().header(slot(begin)).level, level, kNoNode,
							   parameters_, scratch, stop);
	if (!found.complete)
		return {Outcome::kStopped, kNoNode};
	if (id == kNoNode) {
		if (NodeId twin = find_equal(found, code, content.factors); twin != kNoNode)
			return add_row(twin, row) ? Inserted{Outcome::kFolded, twin} : Inserted{Outcome::kFull, kNoNode};
		if (!claim_place())
			return {Outcome::kFull, kNoNode};
	}
	write(id, content, found);
	for (unsigned at = 0; at <= level; ++at)
		link_back(id, at, found);
	offer_as_entry(id, level);
	return {Outcome::kAdded, id};
}

}  // namespace vectorizer::graph
