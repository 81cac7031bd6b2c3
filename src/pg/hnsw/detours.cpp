#include "pg/hnsw/detours.hpp"

#include "pg/hnsw/page_store.hpp"

namespace vectorizer::hnsw {

using graph::SlotHeader;
using graph::SlotLayout;
using graph::State;

Detours::Detours(Vacuum &vacuum, const NodeSet &dead, const NodeSet &live, std::size_t count, std::size_t room,
				 const Arena &arena)
	: dead_(dead), each_(std::min(kMost, room / (sizeof(NodeId) * std::max<std::size_t>(count, 1)))),
	  ranks_(arena.array<std::uint32_t>(dead.words().size())), ways_(arena.array<NodeId>(count * each_))
{
	std::uint32_t before = 0;
	for (std::size_t word = 0; word < ranks_.size(); ++word) {
		ranks_[word] = before;
		before += static_cast<std::uint32_t>(std::popcount(dead.words()[word]));
	}
	std::fill(ways_.begin(), ways_.end(), kNoNode);
	if (each_ == 0)
		return;

	std::size_t bytes = vacuum.index.layout.slot_bytes();
	for_each_page(vacuum, PageKind::kNodes, [&](BlockNumber block, Page page) {
		for (unsigned slot = 0; slot < items_on(page, bytes); ++slot) {
			std::byte *at = contents_of(page) + slot * bytes;
			NodeId id = node_at(block, slot, vacuum.index.slots_per_page);
			if (!dead.contains(id))
				continue;
			NodeId *ways = ways_.data() + rank(id) * each_;
			std::int8_t lengths[kMost];
			std::size_t n = 0;
			graph::LinkList list = list_on(vacuum.relation, vacuum.index, block, at, 0);
			for (unsigned i = 0; i < list.count(); ++i) {
				std::int8_t length = list.mantissas[i];
				if (!live.contains(list.ids[i]) || (n == each_ && length >= lengths[n - 1]))
					continue;
				std::size_t place = n < each_ ? n++ : n - 1;
				for (; place > 0 && length < lengths[place - 1]; --place) {
					lengths[place] = lengths[place - 1];
					ways[place] = ways[place - 1];
				}
				lengths[place] = length;
				ways[place] = list.ids[i];
			}
		}
	});
}

}  // namespace vectorizer::hnsw
