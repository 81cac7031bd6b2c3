#include "core/graph/memory_graph.hpp"

#include <cstring>

namespace vectorizer::graph {

MemoryGraph::MemoryGraph(const quantize::Quantizer &quantizer, const InsertParameters &parameters, const Arena &arena)
	: quantizer_(quantizer), parameters_(parameters), layout_(parameters.m, quantizer.code_bytes()), arena_(arena)
{
}

template <typename T>
std::span<T> MemoryGraph::grown(std::span<T> array, std::size_t used)
{
	if (used < array.size())
		return array;
	std::span<T> larger = arena_.array<T>(std::max<std::size_t>(64, array.size() * 2));
	std::copy(array.begin(), array.end(), larger.begin());
	bytes_ += larger.size_bytes();
	return larger;
}

NodeId MemoryGraph::add_slot(unsigned level)
{
	if (size_ % kChunk == 0) {
		chunks_ = grown(chunks_, size_ / kChunk);
		std::span<std::byte> chunk = arena_.array<std::byte>(kChunk * layout_.slot_bytes());
		std::memset(chunk.data(), 0, chunk.size());
		chunks_[size_ / kChunk] = chunk.data();
		bytes_ += chunk.size();
	}
	uppers_ = grown(uppers_, size_);
	uppers_[size_] = nullptr;
	if (level > 0) {
		std::span<std::byte> entries = arena_.array<std::byte>(level * layout_.upper_bytes());
		std::memset(entries.data(), 0, entries.size());
		uppers_[size_] = entries.data();
		bytes_ += entries.size();
	}
	return static_cast<NodeId>(size_++);
}

LinkList MemoryGraph::list(NodeId id, unsigned level)
{
	return level == 0 ? layout_.links(slot(id)) : layout_.upper_links(upper(id, level));
}

unsigned MemoryGraph::links(NodeId id, unsigned level, NodeId *out)
{
	LinkList from = list(id, level);
	std::copy(from.ids, from.ids + from.count(), out);
	return from.count();
}

void MemoryGraph::codes(std::span<const NodeId> ids, StoredCode *out, const Arena &)
{
	for (NodeId id : ids)
		*out++ = {layout_.code(slot(id)), layout_.factors(slot(id))};
}

void MemoryGraph::add_row(NodeId id, RowPointer row)
{
	rows_ = grown(rows_, n_rows_);
	SlotHeader &header = layout_.header(slot(id));
	rows_[n_rows_] = {row, header.duplicates};
	header.duplicates = static_cast<std::uint32_t>(n_rows_++);
}

NodeId MemoryGraph::insert(const float *vector, RowPointer row, unsigned level, const Arena &scratch, Stop stop,
						   bool *folded)
{
	std::span<std::uint8_t> code = scratch.array<std::uint8_t>(layout_.code_bytes());
	quantize::Factors factors = quantizer_.encode(vector, code.data());
	Neighbourhood found{};
	*folded = false;
	if (entry_ != kNoNode) {
		quantize::Computer computer = quantizer_.query(vector, scratch);
		found = find_neighbourhood(*this, quantizer_, computer, entry_, entry_level(), level, kNoNode, parameters_, scratch,
								   stop);
		if (!found.complete)
			return kNoNode;
		if (NodeId twin = find_equal(found, code, factors); twin != kNoNode) {
			add_row(twin, row);
			*folded = true;
			return twin;
		}
	}

	NodeId id = add_slot(level);
	SlotHeader &header = layout_.header(slot(id));
	header.state = static_cast<std::uint8_t>(State::kLive);
	header.level = static_cast<std::uint8_t>(level);
	header.scale = factors.scale;
	header.norm = factors.norm;
	header.duplicates = kNoChunk;
	header.row = row;
	std::memcpy(layout_.code(slot(id)), code.data(), code.size());

	for (unsigned at = 0; at <= level; ++at) {
		LinkList own = list(id, at);
		bool first = true;
		for (const Neighbour &neighbour : found.levels[at]) {
			own.append(neighbour.id, neighbour.distance);
			list(neighbour.id, at).admit(id, neighbour.distance, *found.known[at], first);
			first = false;
		}
	}
	if (entry_ == kNoNode || level > entry_level())
		entry_ = id;
	return id;
}

}  // namespace vectorizer::graph
