#include "core/graph/page_order.hpp"

#include <algorithm>

namespace vectorizer::graph {

namespace {

class Packer {
public:
	Packer(MemoryGraph &graph, unsigned per_page, const Arena &arena)
		: graph_(graph), per_page_(per_page), order_(arena.array<NodeId>(graph.size())),
		  votes_(arena.array<std::uint16_t>(graph.size())), candidates_(arena)
	{
		std::fill(votes_.begin(), votes_.end(), std::uint16_t{0});
	}

	bool placed(NodeId id) const { return votes_[id] == kPlaced; }

	/// Goes on with this node, and fills its page.
	void fill_page(NodeId first)
	{
		place(first);
		while (end_ % per_page_ != 0 && candidates_.size() > 0)
			place(take_best());
		for (NodeId id : candidates_)
			votes_[id] = 0;
		candidates_.clear();
	}

	std::span<NodeId> order() const { return order_.first(end_); }

private:
	static constexpr std::uint16_t kPlaced = 0xFFFF;
	// What a hidden link leads to has often been met by way of the node that hides it. Measured on the pages that a search touches:
	// 3 in 100 less than with equal votes; further apart, they save no more.
	static constexpr std::uint16_t kVotes = 3, kHiddenVotes = 2;

	void place(NodeId id)
	{
		votes_[id] = kPlaced;
		order_[end_++] = id;
		const LinkList links = graph_.list(id, 0);
		for (unsigned i = 0; i < links.count(); ++i) {
			const NodeId to = links.ids[i];
			if (placed(to))
				continue;
			if (votes_[to] == 0)
				candidates_.append(to);
			votes_[to] += links.hidden(i) ? kHiddenVotes : kVotes;
		}
	}

	NodeId take_best()
	{
		NodeId *best = std::max_element(candidates_.begin(), candidates_.end(),
										[&](NodeId a, NodeId b) { return votes_[a] < votes_[b]; });
		const NodeId id = *best;
		*best = candidates_.last();
		candidates_.remove_last();
		return id;
	}

	MemoryGraph &graph_;
	unsigned per_page_;
	std::span<NodeId> order_;
	std::span<std::uint16_t> votes_;  // of links from the open page; kPlaced: has a page
	Pile<NodeId> candidates_;         // linked from the open page, without one
	std::size_t end_ = 0;
};

}  // namespace

std::span<NodeId> page_order(MemoryGraph &graph, std::span<const NodeId> order, unsigned per_page, const Arena &arena, Stop stop)
{
	Packer packer(graph, per_page, arena);
	for (NodeId id : order) {
		if (packer.placed(id))
			continue;
		if (stop())
			break;
		packer.fill_page(id);
	}
	return packer.order();
}

}  // namespace vectorizer::graph
