#include "core/graph/breadth_first.hpp"

#include "core/graph/select.hpp"

#include <algorithm>

namespace vectorizer::graph {

namespace {

class Walk {
public:
	Walk(MemoryGraph &graph, const Arena &arena, Stop stop)
		: graph_(graph), stop_(stop), order_(arena.array<NodeId>(graph.size())), from_(arena.array<NodeId>(graph.size())),
		  links_(arena.array<NodeId>(graph.max_links())), neighbours_(arena.array<Neighbour>(graph.max_links()))
	{
		std::fill(from_.begin(), from_.end(), kNoNode);
	}

	bool reached(NodeId id) const { return from_[id] != kNoNode; }

	/// Goes on from this node, which was reached from that one.
	void reach(NodeId id, NodeId from)
	{
		note(id, from);
		for (; at_ < end_ && !stop_(); ++at_) {
			const NodeId next = order_[at_];
			const unsigned count = graph_.links(next, 0, links_.data());
			for (unsigned i = 0; i < count; ++i)
				if (!reached(links_[i]))
					note(links_[i], next);
		}
	}

	/// Gives a node that is not reached a way in. False if none of its neighbours is reached.
	bool adopt(NodeId id)
	{
		const LinkList own = graph_.list(id, 0);
		std::size_t n = 0;
		for (unsigned i = 0; i < own.count(); ++i)
			if (reached(own.ids[i]))
				neighbours_[n++] = {own.ids[i], own.distance(i)};
		std::sort(neighbours_.begin(), neighbours_.begin() + static_cast<std::ptrdiff_t>(n), NearestNeighbourFirst{});
		for (const Neighbour &neighbour : neighbours_.first(n))
			if (link(neighbour.id, id, neighbour.distance)) {
				reach(id, neighbour.id);
				return true;
			}
		return false;
	}

	std::span<NodeId> order() const { return order_.first(end_); }

private:
	void note(NodeId id, NodeId from)
	{
		from_[id] = from;
		order_[end_++] = id;
	}

	/// A link that the walk did not take may go: what it leads to is reached another way.
	bool link(NodeId from, NodeId to, double distance)
	{
		LinkList list = graph_.list(from, 0);
		if (list.count() < list.capacity) {
			list.append(to, distance, false);
			return true;
		}
		int worst = -1;
		for (unsigned i = 0; i < list.count(); ++i)
			if (from_[list.ids[i]] != from && (worst < 0 || list.distance(i) > list.distance(static_cast<unsigned>(worst))))
				worst = static_cast<int>(i);
		if (worst >= 0)
			list.replace(static_cast<unsigned>(worst), to, distance, false);
		return worst >= 0;
	}

	MemoryGraph &graph_;
	Stop stop_;
	std::span<NodeId> order_;
	std::span<NodeId> from_;  // which node led to it; kNoNode: not reached
	std::span<NodeId> links_;
	std::span<Neighbour> neighbours_;
	std::size_t at_ = 0, end_ = 0;
};

}  // namespace

std::span<NodeId> breadth_first(MemoryGraph &graph, const Arena &arena, Stop stop)
{
	Walk walk(graph, arena, stop);
	const auto n = static_cast<NodeId>(graph.size());
	if (n > 0)
		walk.reach(graph.entry(), graph.entry());
	for (bool more = true; more;) {  // one that has a way in may be another's
		more = false;
		for (NodeId id = 0; id < n && !stop(); ++id)
			if (!walk.reached(id) && walk.adopt(id))
				more = true;
	}
	for (NodeId id = 0; id < n && !stop(); ++id)
		if (!walk.reached(id))
			walk.reach(id, id);
	return walk.order();
}

}  // namespace vectorizer::graph
