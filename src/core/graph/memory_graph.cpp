#include "core/graph/memory_graph.hpp"

#include <bit>
#include <cstring>

namespace vectorizer::graph {

namespace {

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
		   bytes(chunk_bytes(ChunkKind::kNodes) + chunk_bytes(ChunkKind::kUppers) + chunk_bytes(ChunkKind::kRows));
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

/// Makes sure that there is memory for all that places are kept for, and for one more row of this level. Places are counted before
/// they are looked for, and taken before they are no longer kept: of several builders none counts
/// too few.
bool MemoryGraph::keep_place(unsigned level)
{
	state_.kept_nodes += 1;
	state_.kept_uppers += level;
	auto has_place = [&](ChunkKind kind, std::uint64_t count) {
		return count == 0 || (count <= kNoNode && chunk(kind, (count - 1) >> sizes_.shift(kind)) != nullptr);
	};
	const std::uint64_t kept = state_.kept_nodes, kept_uppers = state_.kept_uppers;
	if (has_place(ChunkKind::kNodes, kept + state_.nodes) && has_place(ChunkKind::kRows, kept + state_.rows) &&
		has_place(ChunkKind::kUppers, kept_uppers + state_.uppers))
		return true;
	state_.kept_nodes -= 1;
	state_.kept_uppers -= level;
	return false;
}

/// Takes a node and its upper entries out of the places kept.
NodeId MemoryGraph::take_place(unsigned level, std::uint32_t *first_upper)
{
	*first_upper = state_.uppers.fetch_add(level);
	state_.kept_uppers -= level;
	const NodeId id = state_.nodes.fetch_add(1);
	state_.kept_nodes -= 1;
	return id;
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
	prefetch(list(id, 0).header, sizes_.links_bytes);
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

void MemoryGraph::add_row(NodeId id, RowPointer row)
{
	const std::uint32_t index = state_.rows.fetch_add(1);
	MoreRows &more = more_rows(index);
	SlotHeader &header = layout().header(slot(id));
	state_.lock_of(id).lock();
	more = {row, header.duplicates};
	header.duplicates = index;
	state_.lock_of(id).unlock();
}

void MemoryGraph::write(NodeId id, std::uint32_t first_upper, const Newcomer &newcomer, const Neighbourhood &found)
{
	std::byte *bytes = slot(id);
	SlotHeader &header = layout().header(bytes);
	header.state = static_cast<std::uint8_t>(State::kLive);
	header.level = static_cast<std::uint8_t>(newcomer.level);
	header.scale = newcomer.factors.scale;
	header.norm = newcomer.factors.norm;
	header.duplicates = kNoChunk;
	header.row = newcomer.row;
	set_first_upper(bytes, first_upper);
	std::memcpy(layout().code(bytes), newcomer.code.data(), newcomer.code.size());
	for (unsigned level = 0; level <= newcomer.level; ++level) {
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

MemoryGraph::Newcomer *MemoryGraph::prepare(const float *vector, RowPointer row, unsigned level, const Arena &arena,
											const Arena &scratch)
{
	if (!keep_place(level))
		return nullptr;
	auto *newcomer = new (arena.array<Newcomer>(1).data()) Newcomer{};
	const std::span<std::uint8_t> code = arena.array<std::uint8_t>(layout().code_bytes());
	newcomer->factors = code_.encode(vector, code.data(), arena, &newcomer->computer);
	newcomer->code = code;
	newcomer->row = row;
	newcomer->level = level;
	newcomer->landings.fill(kNoNode);
	NodeId at = entry();
	for (unsigned from = at == kNoNode ? 0 : layout().header(slot(at)).level; from > 0; --from) {
		at = descend(*this, newcomer->computer, at, from, from, scratch);
		if (from <= kLandings)
			newcomer->landings[kLandings - from] = at;
	}
	return newcomer;
}

MemoryGraph::Inserted MemoryGraph::insert(const Newcomer &newcomer, const Arena &scratch, Stop stop)
{
	NodeId id = kNoNode;
	std::uint32_t first_upper = 0;
	Neighbourhood found{};
	if (entry() == kNoNode) {
		id = take_place(newcomer.level, &first_upper);
		state_.founding.lock();
		const bool founded = entry() == kNoNode;
		if (founded) {
			write(id, first_upper, newcomer, found);
			state_.entry.store(id, std::memory_order_release);
		}
		state_.founding.unlock();
		if (founded)
			return {Outcome::kAdded, id};
		// Somebody else was first. The place is taken: search, and never mind an equal code.
		stop = {};
	}
	const NodeId landing = newcomer.landings.back();
	const bool landed = newcomer.level == 0 && landing != kNoNode;
	const NodeId begin = landed ? landing : entry();
	found = find_neighbourhood(*this, code_.walked(), newcomer.computer, begin, landed ? 0 : layout().header(slot(begin)).level,
							   newcomer.level, kNoNode, parameters_, scratch, stop);
	if (!found.complete)
		return {Outcome::kStopped, kNoNode};
	if (id == kNoNode) {
		if (NodeId twin = find_equal(found, newcomer.code, newcomer.factors); twin != kNoNode) {
			add_row(twin, newcomer.row);
			state_.kept_uppers -= newcomer.level;
			state_.kept_nodes -= 1;
			return {Outcome::kFolded, twin};
		}
		id = take_place(newcomer.level, &first_upper);
	}
	write(id, first_upper, newcomer, found);
	for (unsigned at = 0; at <= newcomer.level; ++at)
		link_back(id, at, found);
	offer_as_entry(id, newcomer.level);
	return {Outcome::kAdded, id};
}

}  // namespace vectorizer::graph
