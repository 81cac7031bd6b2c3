// Local repair: where links led to dead nodes, the dead nodes' own neighbours take their place. It reads codes only, never
// vectors: nothing protects a vacuum's view of the heap.
#include "pg/hnsw/vacuum_parts.hpp"

#include "core/graph/select.hpp"
#include "core/graph/visited.hpp"
#include "pg/boundary.hpp"
#include "pg/hnsw/codebook.hpp"

namespace vectorizer::hnsw {

using graph::Neighbour;
using graph::SlotLayout;
using graph::State;

namespace {

/// Dead nodes that are looked through for one list, and candidates that are weighed for it.
constexpr std::size_t kMostDead = 64;
constexpr std::size_t kMostCandidates = 256;

/// The distance of a node that does not reach the level of the list.
constexpr double kBelow = std::numeric_limits<double>::infinity();

/// A list with dead links, as it was when it was read.
struct Broken {
	NodeId node;
	unsigned level;
	unsigned item;  // slot on a node page, entry on an auxiliary page
	std::span<NodeId> before;
	std::span<Neighbour> after;
};

class Repair {
public:
	Repair(const Vacuum &vacuum, const NodeSet &dead, MemoryContext context)
		: info_(vacuum.info), relation_(vacuum.relation), index_(vacuum.index), dead_(dead),
		  arena_(pg::context_arena(context)), store_(relation_, index_), quantizer_(open_quantizer(relation_, index_, arena_))
	{
		page_context_ = AllocSetContextCreate(context, "hnsw repair page", ALLOCSET_DEFAULT_SIZES);
	}

	void run()
	{
		BlockNumber blocks = RelationGetNumberOfBlocks(relation_);
		for (BlockNumber block = 1; block < blocks; ++block) {
			compat::vacuum_delay();
			MemoryContext before = MemoryContextSwitchTo(page_context_);
			repair_page(block);
			MemoryContextSwitchTo(before);
			MemoryContextReset(page_context_);
		}
	}

private:
	/// Calls f(item, node, level, list) for every list of a live node on the page. REQUIRES: a checked page of a group of nodes.
	template <typename Function>
	void for_each_list(BlockNumber block, Page page, Function &&f)
	{
		bool nodes = !is_group_start(block);
		std::size_t bytes = index_.item_bytes(nodes ? PageKind::kNodes : PageKind::kAuxiliary);
		for (unsigned item = 0; item < items_on(page, bytes); ++item) {
			std::byte *at = contents_of(page) + item * bytes;
			if (nodes) {
				if (SlotLayout::header(at).state == static_cast<std::uint8_t>(State::kLive))
					f(item, node_at(block, item, index_.slots_per_page), 0u, list_on(relation_, index_, block, at, 0));
				continue;
			}
			std::uint16_t owner = upper_header(at).owner;
			NodeId node = group_of(block) * index_.nodes_per_group() + owner;
			if (owner != kNoOwner && !dead_.contains(node))
				f(item, node, unsigned{upper_header(at).level}, list_on(relation_, index_, block, at, 1));
		}
	}

	bool leads_to_dead(const graph::LinkList &list) const
	{
		return std::any_of(list.ids, list.ids + list.count(), [&](NodeId id) { return dead_.contains(id); });
	}

	void repair_page(BlockNumber block)
	{
		Arena arena = pg::context_arena(CurrentMemoryContext);
		std::span<Broken> broken = arena.array<Broken>(kPageRoom / sizeof(graph::UpperHeader));
		std::size_t n = 0;
		pg::read_page(
			relation_, block,
			[&](Page page) {
				std::optional<PageKind> kind = frame_.kind(relation_, index_, block, page);
				if (!kind || *kind == PageKind::kOverflow || *kind == PageKind::kParameters)
					return;
				for_each_list(block, page, [&](unsigned item, NodeId node, unsigned level, graph::LinkList list) {
					if (!leads_to_dead(list))
						return;
					std::span<NodeId> before = arena.array<NodeId>(list.count());
					std::copy(list.ids, list.ids + list.count(), before.begin());
					broken[n++] = {node, level, item, before, {}};
				});
			},
			info_->strategy);
		if (n == 0)
			return;
		for (Broken &list : broken.first(n))
			list.after = replacement(list, arena);
		write(block, broken.first(n));
	}

	/// The neighbours that the list shall have: chosen among those alive and those that lie behind the dead ones.
	std::span<Neighbour> replacement(const Broken &list, const Arena &arena)
	{
		graph::Visited seen(arena, kMostCandidates);
		std::span<NodeId> candidates = arena.array<NodeId>(kMostCandidates);
		std::span<NodeId> dead = arena.array<NodeId>(kMostDead);
		std::span<NodeId> links = arena.array<NodeId>(store_.max_links());
		std::size_t n_candidates = 0, n_dead = 0;
		seen.insert(list.node);
		auto sort_in = [&](std::span<const NodeId> ids) {
			for (NodeId id : ids) {
				if (!seen.insert(id))
					continue;
				if (!dead_.contains(id)) {
					if (n_candidates < candidates.size())
						candidates[n_candidates++] = id;
				}
				else if (n_dead < dead.size())
					dead[n_dead++] = id;
			}
		};
		sort_in(list.before);
		for (std::size_t i = 0; i < n_dead; ++i)  // grows: the dead may lead to further dead
			sort_in(std::span<const NodeId>(links.first(store_.links(dead[i], list.level, links.data()))));

		graph::StoredCode own;
		store_.codes(std::span<const NodeId>(&list.node, 1), &own, arena);
		if (own.code == nullptr)
			return {};
		std::span<std::uint8_t> space = arena.array<std::uint8_t>(quantizer_.computer_bytes());
		quantize::Computer computer = quantizer_.query_code(own.code, own.factors, space);
		std::span<Neighbour> neighbours = arena.array<Neighbour>(n_candidates);
		std::size_t n = 0;
		store_.visit(
			candidates.first(n_candidates),
			[&](const std::byte *slot) {
				bool reaches = SlotLayout::header(slot).level >= list.level;
				return reaches ? computer.distance(index_.layout.code(slot), SlotLayout::factors(slot)) : kBelow;
			},
			[&](std::size_t i, double distance) {
				if (distance < kBelow)
					neighbours[n++] = {candidates[i], distance};
			});
		neighbours = neighbours.first(n);
		std::sort(neighbours.begin(), neighbours.end(),
				  [](const Neighbour &a, const Neighbour &b) { return nearer(a.distance, b.distance); });

		std::span<NodeId> ids = arena.array<NodeId>(n);
		std::transform(neighbours.begin(), neighbours.end(), ids.begin(), [](const Neighbour &x) { return x.id; });
		std::span<graph::StoredCode> codes = arena.array<graph::StoredCode>(n);
		store_.codes(std::span<const NodeId>(ids), codes.data(), arena);
		std::size_t most = std::max<std::size_t>(index_.parameters.m, list.before.size());
		return neighbours.first(graph::select_neighbours(quantizer_, neighbours, codes, most, arena));
	}

	/// Writes the lists that are still as they were read. From one that an insert has changed meanwhile, the dead links are
	/// just taken out.
	void write(BlockNumber block, std::span<const Broken> broken)
	{
		pg::PageChange change(relation_, true);
		Page page = change.lock(block);
		std::size_t at = 0;
		for_each_list(block, page, [&](unsigned item, NodeId, unsigned, graph::LinkList list) {
			while (at < broken.size() && broken[at].item < item)
				++at;
			if (at < broken.size() && broken[at].item == item && list.count() == broken[at].before.size() &&
				std::equal(list.ids, list.ids + list.count(), broken[at].before.begin())) {
				list.clear();
				for (const Neighbour &neighbour : broken[at].after)
					list.append(neighbour.id, neighbour.distance);
				return;
			}
			for (unsigned i = list.count(); i-- > 0;)
				if (dead_.contains(list.ids[i]))
					list.remove(i);
		});
		change.commit();
	}

	const IndexVacuumInfo *info_;
	Relation relation_;
	const Index &index_;
	const NodeSet &dead_;
	Arena arena_;
	PageStore store_;
	quantize::Quantizer quantizer_;
	GroupFrame frame_;
	MemoryContext page_context_;
};

}  // namespace

void repair_links(Vacuum &vacuum, const NodeSet &dead)
{
	Repair(vacuum, dead, CurrentMemoryContext).run();
}

}  // namespace vectorizer::hnsw
