// Nodes that no walk along level 0 reaches from the entry point, and a way in for each. Pruned lists leave some: whoever
// leaves out a link does not know whether it was the last one to its node.
#include "pg/hnsw/vacuum_parts.hpp"

#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"
#include "pg/hnsw/page_store.hpp"

namespace vectorizer::hnsw {

using graph::Neighbour;
using graph::SlotLayout;
using graph::State;

namespace {

/// Knows no distance: a full list then gives up its farthest neighbour.
class NoDistances final : public graph::KnownDistances {
public:
	bool find(NodeId, double *) const override { return false; }
};

class Orphans {
public:
	Orphans(Vacuum &vacuum, const NodeSet &live, NodeId limit, const Arena &arena)
		: vacuum_(vacuum), live_(live), store_(vacuum.relation, vacuum.index), reached_(limit, arena),
		  queue_(arena.array<NodeId>(limit)), limit_(limit), found_(arena.array<Orphan>(vacuum.index.slots_per_page)),
		  neighbours_(arena.array<Neighbour>(found_.size() * store_.max_links())),
		  links_(arena.array<NodeId>(store_.max_links()))
	{
	}

	/// One pass over all live nodes. Returns how many got a link, and whether some could not, or may have lost theirs to one that did.
	std::uint64_t relink(bool *left)
	{
		*left = false;
		forced_ = false;
		std::uint64_t relinked = 0;
		std::size_t n = 0;
		for_each_page(
			vacuum_, PageKind::kNodes,
			[&](BlockNumber block, Page page) {
				n = find(block, page);
				return n > 0;
			},
			[&](BlockNumber) {
				for (const Orphan &orphan : found_.first(n)) {
					if (reached_.contains(orphan.node))
						continue;
					bool done = link(orphan, false) || link(orphan, true);
					relinked += done ? 1 : 0;
					*left |= !done;
					if (done)
						walk(orphan.node);
				}
			});
		*left |= forced_;
		return relinked;
	}

	/// Walks anew if links were taken away since: what was reached by them may not be any more.
	void look_again(NodeId entry)
	{
		if (!forced_)
			return;
		reached_.clear();
		walk(entry);
	}

	/// Notes what the node leads to, however far.
	void walk(NodeId from)
	{
		std::size_t end = 0;
		auto reach = [&](NodeId id) {
			if (id < limit_ && !reached_.contains(id)) {
				reached_.add(id);
				queue_[end++] = id;
			}
		};
		reach(from);
		for (std::size_t at = 0; at < end; ++at) {
			if (at % 1024 == 0)
				compat::vacuum_delay();
			unsigned n = store_.links(queue_[at], 0, links_.data());
			std::for_each(links_.data(), links_.data() + n, reach);
		}
	}

private:
	/// A node that is not reached, and its own neighbours, nearest first.
	struct Orphan {
		NodeId node;
		std::span<Neighbour> neighbours;
	};

	std::size_t find(BlockNumber block, Page page)
	{
		std::size_t n = 0;
		std::size_t bytes = vacuum_.index.layout.slot_bytes();
		for (unsigned slot = 0; slot < items_on(page, bytes); ++slot) {
			NodeId id = node_at(block, slot, vacuum_.index.slots_per_page);
			if (!live_.contains(id) || reached_.contains(id))
				continue;
			graph::LinkList list = list_on(vacuum_.relation, vacuum_.index, block, contents_of(page) + slot * bytes, 0);
			std::span<Neighbour> neighbours = neighbours_.subspan(n * store_.max_links(), list.count());
			for (unsigned i = 0; i < list.count(); ++i)
				neighbours[i] = {list.ids[i], list.distance(i)};
			std::sort(neighbours.begin(), neighbours.end(), graph::NearestNeighbourFirst{});
			found_[n++] = {id, neighbours};
		}
		return n;
	}

	/// Gives the orphan a link from the nearest of its neighbours that is reached and has room; or, by force, from the nearest
	/// that is reached.
	bool link(const Orphan &orphan, bool by_force)
	{
		const Index &index = vacuum_.index;
		for (const Neighbour &neighbour : orphan.neighbours) {
			if (!live_.contains(neighbour.id) || !reached_.contains(neighbour.id))
				continue;
			NodePlace place = place_of(neighbour.id, index.slots_per_page);
			pg::PageChange change(vacuum_.relation, true);
			Page page = change.lock(place.block);
			check_page(vacuum_.relation, place.block, page, PageKind::kNodes, index.layout.slot_bytes(), false);
			if (std::byte *slot = store_.used_slot(place.block, page, place.slot)) {
				graph::LinkList list = list_on(vacuum_.relation, index, place.block, slot, 0);
				const bool full = list.count() == list.capacity;
				if ((by_force || !full) &&
					list.admit(orphan.node, neighbour.distance, NoDistances(), true)) {
					forced_ |= full;
					change.commit();
					pg::crash_point("vacuum.relink");
					return true;
				}
			}
			change.abandon();
		}
		return false;
	}

	Vacuum &vacuum_;
	const NodeSet &live_;
	PageStore store_;
	NodeSet reached_;
	std::span<NodeId> queue_;
	NodeId limit_;
	bool forced_ = false;      // a full list has given up a neighbour in this pass
	std::span<Orphan> found_;  // on one page
	std::span<Neighbour> neighbours_;
	std::span<NodeId> links_;
};

}  // namespace

std::uint64_t relink_orphans(Vacuum &vacuum, const NodeSet &live, NodeId limit)
{
	constexpr int kPasses = 5;  // an orphan that only orphans lead to may have to wait for one of them; a link by force may make one
	MetaPage meta = read_meta(vacuum.relation);
	if (meta.entry == kNoNode)
		return 0;
	Orphans orphans(vacuum, live, limit, pg::context_arena(CurrentMemoryContext));
	orphans.walk(meta.entry);
	std::uint64_t relinked = 0;
	bool left = true;
	for (int pass = 0; pass < kPasses && left; ++pass) {
		std::uint64_t now = orphans.relink(&left);
		relinked += now;
		if (now == 0)
			break;
		orphans.look_again(meta.entry);
	}
	return relinked;
}

}  // namespace vectorizer::hnsw
