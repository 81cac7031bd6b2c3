// Local repair: where links led to dead nodes, links to nodes that lie behind those take their places, the nearest ones. It
// reads codes only, never vectors: nothing protects a vacuum's view of the heap. Links to live nodes stay as they are.
#include "pg/hnsw/detours.hpp"

#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"
#include "pg/hnsw/page_store.hpp"

namespace vectorizer::hnsw {

using graph::LinkList;
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
	graph::StoredCode code;
	std::span<NodeId> ids;
	std::span<Neighbour> found;  // what shall take the places of the dead ones, nearest first
};

class Repair {
public:
	Repair(Vacuum &vacuum, const NodeSet &dead, const NodeSet &live, const Detours &detours, const Arena &arena)
		: info_(vacuum.info), relation_(vacuum.relation), index_(vacuum.index), dead_(dead), live_(live),
		  detours_(detours), store_(relation_, index_), quantizer_(index_.shape, arena),
		  lists_(arena.array<Broken>(std::max(index_.slots_per_page, index_.uppers_per_page))),
		  ids_(arena.array<NodeId>(lists_.size() * store_.max_links())),
		  found_(arena.array<Neighbour>(lists_.size() * store_.max_links())),
		  codes_(arena.array<std::uint8_t>(lists_.size() * index_.layout.code_bytes())),
		  computer_(arena.array<std::uint8_t>(quantizer_.computer_bytes())), links_(arena.array<NodeId>(store_.max_links()))
	{
	}

	void run()
	{
		MemoryContext page_context = AllocSetContextCreate(CurrentMemoryContext, "hnsw repair page", ALLOCSET_DEFAULT_SIZES);
		BlockNumber blocks = RelationGetNumberOfBlocks(relation_);
		for (BlockNumber block = 1; block < blocks; ++block) {
			compat::vacuum_delay();
			MemoryContext before = MemoryContextSwitchTo(page_context);
			repair_page(block);
			MemoryContextSwitchTo(before);
			MemoryContextReset(page_context);
		}
	}

private:
	/// Calls f(item, node, level, bytes, list) for every list of a live node on the page. REQUIRES: a checked page of a group
	/// of nodes.
	template <typename Function>
	void for_each_list(BlockNumber block, Page page, Function &&f)
	{
		bool nodes = !is_group_start(block);
		std::size_t bytes = index_.item_bytes(nodes ? PageKind::kNodes : PageKind::kAuxiliary);
		for (unsigned item = 0; item < items_on(page, bytes); ++item) {
			std::byte *at = contents_of(page) + item * bytes;
			if (nodes) {
				if (SlotLayout::header(at).state == static_cast<std::uint8_t>(State::kLive))
					f(item, node_at(block, item, index_.slots_per_page), 0u, at, list_on(relation_, index_, block, at, 0));
				continue;
			}
			std::uint16_t owner = upper_header(at).owner;
			NodeId node = group_of(block) * index_.nodes_per_group() + owner;
			if (owner != kNoOwner && !dead_.contains(node))
				f(item, node, unsigned{upper_header(at).level}, at, list_on(relation_, index_, block, at, 1));
		}
	}

	bool leads_to_dead(const LinkList &list) const
	{
		return std::any_of(list.ids, list.ids + list.count(), [&](NodeId id) { return dead_.contains(id); });
	}

	void repair_page(BlockNumber block)
	{
		std::size_t n = 0;
		pg::read_page(
			relation_, block,
			[&](Page page) {
				std::optional<PageKind> kind = frame_.kind(relation_, index_, block, page);
				if (!kind || *kind == PageKind::kOverflow)
					return;
				for_each_list(block, page, [&](unsigned item, NodeId node, unsigned level, std::byte *at, LinkList list) {
					if (!leads_to_dead(list))
						return;
					std::span<NodeId> ids = ids_.subspan(n * store_.max_links(), list.count());
					std::copy(list.ids, list.ids + list.count(), ids.begin());
					graph::StoredCode code{nullptr, {0, 0}};
					if (level == 0) {
						std::uint8_t *copy = codes_.data() + n * index_.layout.code_bytes();
						std::memcpy(copy, index_.layout.code(at), index_.layout.code_bytes());
						code = {copy, SlotLayout::factors(at)};
					}
					lists_[n] = {node, level, item, code, ids, found_.subspan(n * store_.max_links(), 0)};
					++n;
				});
			},
			info_->strategy);
		if (n == 0)
			return;
		for (Broken &list : lists_.first(n))
			find_replacements(list);
		pg::crash_point("vacuum.replacements");
		write(block, lists_.first(n));
	}

	void find_replacements(Broken &list)
	{
		if (list.code.code == nullptr)
			store_.codes(std::span<const NodeId>(&list.node, 1), &list.code, pg::context_arena(CurrentMemoryContext));
		std::span<const NodeId> candidates = find_candidates(list);
		if (list.code.code == nullptr || candidates.empty())
			return;
		quantize::Computer computer = quantizer_.query_code(list.code.code, list.code.factors, computer_);
		Neighbour neighbours[kMostCandidates];
		std::size_t n = 0;
		store_.visit(
			candidates,
			[&](const std::byte *slot) {
				bool reaches = SlotLayout::header(slot).level >= list.level;
				return reaches ? computer.distance(index_.layout.code(slot), SlotLayout::factors(slot)) : kBelow;
			},
			[&](std::size_t i, double distance) {
				if (distance < kBelow)
					neighbours[n++] = {candidates[i], distance};
			});
		std::size_t wanted = std::min(n, n_dead_in_list_);
		std::partial_sort(neighbours, neighbours + wanted, neighbours + n,
						  [](const Neighbour &a, const Neighbour &b) { return nearer(a.distance, b.distance); });
		list.found = {list.found.data(), wanted};
		std::copy(neighbours, neighbours + wanted, list.found.begin());
	}

	/// The live nodes that lie behind the dead ones of a list and are not in it, in order of their ids.
	std::span<const NodeId> find_candidates(const Broken &list)
	{
		n_candidates_ = 0;
		n_dead_ = 0;
		for (NodeId id : list.ids)
			if (dead_.contains(id) && n_dead_ < kMostDead)
				ways_[n_dead_++] = id;
		n_dead_in_list_ = n_dead_;
		if (list.level == 0) {
			for (std::size_t i = 0; i < n_dead_; ++i)
				take(detours_.around(ways_[i]));
			tidy(list);
		}
		if (n_candidates_ < n_dead_in_list_) {
			for (std::size_t i = 0; i < n_dead_; ++i)  // grows: the dead may lead to further dead
				take({links_.data(), store_.links(ways_[i], list.level, links_.data())});
			tidy(list);
		}
		return {candidates_, n_candidates_};
	}

	void take(std::span<const NodeId> ids)
	{
		for (NodeId id : ids) {
			if (live_.contains(id)) {
				if (n_candidates_ == kMostCandidates)
					return;
				candidates_[n_candidates_++] = id;
			}
			else if (dead_.contains(id) && n_dead_ < kMostDead && std::find(ways_, ways_ + n_dead_, id) == ways_ + n_dead_)
				ways_[n_dead_++] = id;
		}
	}

	/// Leaves of the candidates each one once, and none that the list has.
	void tidy(const Broken &list)
	{
		std::sort(candidates_, candidates_ + n_candidates_);
		NodeId *end = std::unique(candidates_, candidates_ + n_candidates_);
		end = std::remove_if(candidates_, end, [&](NodeId id) {
			return id == list.node || std::find(list.ids.begin(), list.ids.end(), id) != list.ids.end();
		});
		n_candidates_ = static_cast<std::size_t>(end - candidates_);
	}

	/// Writes what was found over the dead links. An insert may have changed a list meanwhile, even have made room for itself
	/// where a dead link was.
	void write(BlockNumber block, std::span<const Broken> broken)
	{
		pg::PageChange change(relation_, true);
		Page page = change.lock(block);
		std::size_t at = 0;
		for_each_list(block, page, [&](unsigned item, NodeId, unsigned, std::byte *, LinkList list) {
			while (at < broken.size() && broken[at].item < item)
				++at;
			std::span<const Neighbour> found;
			if (at < broken.size() && broken[at].item == item)
				found = broken[at].found;
			for (unsigned i = list.count(); i-- > 0;) {
				if (!dead_.contains(list.ids[i]))
					continue;
				while (!found.empty() && list.contains(found.front().id))
					found = found.subspan(1);
				if (found.empty())
					list.remove(i);
				else
					list.replace(i, found.front().id, found.front().distance);
			}
		});
		change.commit();
		pg::crash_point("vacuum.repair");
	}

	const IndexVacuumInfo *info_;
	Relation relation_;
	const Index &index_;
	const NodeSet &dead_;
	const NodeSet &live_;
	const Detours &detours_;
	PageStore store_;
	quantize::Quantizer quantizer_;
	GroupFrame frame_;

	std::span<Broken> lists_;  // of one page
	std::span<NodeId> ids_;
	std::span<Neighbour> found_;
	std::span<std::uint8_t> codes_;

	std::span<std::uint8_t> computer_;  // these are used for one list
	std::span<NodeId> links_;
	std::size_t n_candidates_ = 0;
	std::size_t n_dead_ = 0;
	std::size_t n_dead_in_list_ = 0;
	NodeId candidates_[kMostCandidates];
	NodeId ways_[kMostDead];
};

}  // namespace

void repair_links(Vacuum &vacuum, const NodeSet &dead, const NodeSet &live, std::size_t dead_count)
{
	Arena arena = pg::context_arena(CurrentMemoryContext);
	std::size_t room = static_cast<std::size_t>(maintenance_work_mem) * 1024 / 2;
	Detours detours(vacuum, dead, live, dead_count, room, arena);
	Repair(vacuum, dead, live, detours, arena).run();
}

}  // namespace vectorizer::hnsw
