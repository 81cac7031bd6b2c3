// Local repair: a list with links to dead nodes is chosen anew, from its live neighbours and from those of the dead. It reads
// codes only, never vectors: nothing protects a vacuum's view of the heap.
#include "pg/hnsw/vacuum_parts.hpp"

#include "core/graph/select.hpp"
#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"
#include "pg/hnsw/codebook.hpp"
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

/// Of the candidates, those that are weighed against each other and against the live neighbours: the nearest.
constexpr std::size_t kMostWeighed = 128;
constexpr std::size_t kMostNear = std::max<std::size_t>(kMostCandidates, kMostWeighed + 2 * kMaxM);

/// Eighths of its room to which a list is filled: one that gets no longer than it was loses recall with every vacuum, and
/// longer ones are slower to search.
constexpr std::size_t kFilled = 7;

/// The distance of a node that does not reach the level of the list.
constexpr double kBelow = std::numeric_limits<double>::infinity();

/// A list with dead links, as it was when it was read.
struct Broken {
	NodeId node;
	unsigned level;
	unsigned item;  // slot on a node page, entry on an auxiliary page
	graph::StoredCode code;
	std::span<Neighbour> links;
	std::span<Neighbour> chosen;  // what shall be in it

	/// Whether a link to that node would be nothing new.
	bool leads_to(NodeId id) const
	{
		return id == node || std::any_of(links.begin(), links.end(), [&](const Neighbour &link) { return link.id == id; });
	}

	bool unchanged(const LinkList &list) const
	{
		return std::equal(list.ids, list.ids + list.count(), links.begin(), links.end(),
						  [](NodeId id, const Neighbour &link) { return id == link.id; });
	}
};

class Repair {
public:
	Repair(Vacuum &vacuum, const NodeSet &dead, const NodeSet &live, const Arena &arena)
		: info_(vacuum.info), relation_(vacuum.relation), index_(vacuum.index), dead_(dead), live_(live),
		  store_(relation_, index_), quantizer_(open_quantizer(relation_, index_, arena)),
		  lists_(arena.array<Broken>(std::max(index_.slots_per_page, index_.uppers_per_page))),
		  before_(arena.array<Neighbour>(lists_.size() * store_.max_links())),
		  chosen_(arena.array<Neighbour>(lists_.size() * store_.max_links())),
		  own_codes_(arena.array<std::uint8_t>(lists_.size() * index_.layout.code_bytes())),
		  computer_(arena.array<std::uint8_t>(quantizer_.computer_bytes())), links_(arena.array<NodeId>(store_.max_links())),
		  code_bytes_(arena.array<std::uint8_t>(kMostNear * index_.layout.code_bytes()))
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
				if (!kind || *kind == PageKind::kOverflow || *kind == PageKind::kParameters)
					return;
				for_each_list(block, page, [&](unsigned item, NodeId node, unsigned level, std::byte *at, LinkList list) {
					if (!leads_to_dead(list))
						return;
					std::span<Neighbour> links = before_.subspan(n * store_.max_links(), list.count());
					for (unsigned i = 0; i < list.count(); ++i)
						links[i] = {list.ids[i], list.distance(i)};
					graph::StoredCode code{nullptr, {0, 0}};
					if (level == 0) {
						std::uint8_t *copy = own_codes_.data() + n * index_.layout.code_bytes();
						std::memcpy(copy, index_.layout.code(at), index_.layout.code_bytes());
						code = {copy, SlotLayout::factors(at)};
					}
					lists_[n] = {node, level, item, code, links, chosen_.subspan(n * store_.max_links(), 0)};
					++n;
				});
			},
			info_->strategy);
		if (n == 0)
			return;
		for (Broken &list : lists_.first(n))
			choose(list);
		pg::crash_point("vacuum.replacements");
		write(block, lists_.first(n));
	}

	/// Chooses the list anew: from its live neighbours, and the nearest of those that lie behind the dead ones.
	void choose(Broken &list)
	{
		Arena arena = pg::context_arena(CurrentMemoryContext);
		if (list.code.code == nullptr)
			store_.codes(std::span<const NodeId>(&list.node, 1), &list.code, arena);
		if (list.code.code == nullptr)
			return;
		const graph::NearestNeighbourFirst by_distance;
		std::size_t n = measure(list, find_candidates(list));
		if (n > kMostWeighed) {
			std::nth_element(near_, near_ + kMostWeighed, near_ + n, by_distance);
			n = kMostWeighed;
		}
		for (const Neighbour &link : list.links)
			if (!dead_.contains(link.id))
				near_[n++] = link;
		std::sort(near_, near_ + n, by_distance);
		read_codes(n);
		n = graph::select_neighbours(quantizer_, {near_, n}, {codes_, n}, n, arena);
		list.chosen = {list.chosen.data(), fill(list, n)};
		MemoryContextReset(CurrentMemoryContext);
	}

	/// Fills list.chosen from the first n of near_, which select_neighbours() has ordered: those that no other stands in front
	/// of, then the hidden ones, each by distance. Of the hidden ones old links come first: near nodes alone would, vacuum by
	/// vacuum, drive out the long links by which a search gets around. Returns how many were chosen.
	std::size_t fill(const Broken &list, std::size_t n)
	{
		std::size_t most = std::max(list.links.size(), index_.layout.capacity(list.level) * kFilled / 8);
		std::size_t front = std::min<std::size_t>(n, 1);
		while (front < n && !nearer(near_[front].distance, near_[front - 1].distance))
			++front;
		std::size_t chosen = std::min(front, most);
		Neighbour *out = list.chosen.data();
		std::copy(near_, near_ + chosen, out);
		for (bool old : {true, false})
			for (std::size_t i = front; i < n && chosen < most; ++i)
				if (list.leads_to(near_[i].id) == old)
					out[chosen++] = near_[i];
		return chosen;
	}

	/// Puts the candidates that reach the list's level into near_, with their distances. Returns their number.
	std::size_t measure(const Broken &list, std::span<const NodeId> candidates)
	{
		quantize::Computer computer = quantizer_.query_code(list.code.code, list.code.factors, computer_);
		std::size_t n = 0;
		store_.visit(
			candidates,
			[&](const std::byte *slot) {
				bool reaches = SlotLayout::header(slot).level >= list.level;
				return reaches ? computer.distance(index_.layout.code(slot), SlotLayout::factors(slot)) : kBelow;
			},
			[&](std::size_t i, double distance) {
				if (distance < kBelow)
					near_[n++] = {candidates[i], distance};
			});
		return n;
	}

	/// Copies the codes of the first n of near_ to codes_.
	void read_codes(std::size_t n)
	{
		NodeId ids[kMostNear];
		for (std::size_t i = 0; i < n; ++i) {
			ids[i] = near_[i].id;
			codes_[i].code = nullptr;
		}
		std::size_t bytes = index_.layout.code_bytes();
		std::uint8_t *copy = code_bytes_.data();
		store_.visit(
			std::span<const NodeId>(ids, n),
			[&](const std::byte *slot) {
				std::memcpy(copy, index_.layout.code(slot), bytes);
				return SlotLayout::factors(slot);
			},
			[&](std::size_t i, quantize::Factors factors) {
				codes_[i] = {copy, factors};
				copy += bytes;
			});
	}

	/// The live nodes that lie behind the dead ones of a list and are not in it, in order of their ids: from those that the
	/// list leads to, and only where these lead to little that is alive, on through further dead ones.
	std::span<const NodeId> find_candidates(const Broken &list)
	{
		std::size_t n_candidates = 0, n_dead = 0;
		for (const Neighbour &link : list.links)
			if (dead_.contains(link.id) && n_dead < kMostDead)
				ways_[n_dead++] = link.id;
		std::size_t in_list = n_dead;
		for (std::size_t at = 0; at < n_dead; ++at) {
			unsigned n = store_.links(ways_[at], list.level, links_.data());
			for (NodeId id : links_.first(n)) {
				if (live_.contains(id)) {
					if (n_candidates < kMostCandidates && !list.leads_to(id))
						candidates_[n_candidates++] = id;
				}
				else if (n_candidates < in_list && dead_.contains(id) && n_dead < kMostDead &&
						 std::find(ways_, ways_ + n_dead, id) == ways_ + n_dead)
					ways_[n_dead++] = id;
			}
		}
		std::sort(candidates_, candidates_ + n_candidates);
		return {candidates_, static_cast<std::size_t>(std::unique(candidates_, candidates_ + n_candidates) - candidates_)};
	}

	/// Writes the lists that are still as they were read. From one that an insert has changed meanwhile, the dead links are
	/// just taken out.
	void write(BlockNumber block, std::span<const Broken> broken)
	{
		pg::PageChange change(relation_, true);
		Page page = change.lock(block);
		std::size_t at = 0;
		for_each_list(block, page, [&](unsigned item, NodeId, unsigned, std::byte *, LinkList list) {
			while (at < broken.size() && broken[at].item < item)
				++at;
			if (at < broken.size() && broken[at].item == item && broken[at].unchanged(list)) {
				list.clear();
				for (const Neighbour &neighbour : broken[at].chosen)
					list.append(neighbour.id, neighbour.distance, neighbour.hidden);
				return;
			}
			for (unsigned i = list.count(); i-- > 0;)
				if (dead_.contains(list.ids[i]))
					list.remove(i);
		});
		change.commit();
		pg::crash_point("vacuum.repair");
	}

	const IndexVacuumInfo *info_;
	Relation relation_;
	const Index &index_;
	const NodeSet &dead_;
	const NodeSet &live_;
	PageStore store_;
	quantize::Quantizer quantizer_;
	GroupFrame frame_;

	std::span<Broken> lists_;  // of one page
	std::span<Neighbour> before_;
	std::span<Neighbour> chosen_;
	std::span<std::uint8_t> own_codes_;

	std::span<std::uint8_t> computer_;  // these are used for one list
	std::span<NodeId> links_;
	NodeId ways_[kMostDead];
	NodeId candidates_[kMostCandidates];
	Neighbour near_[kMostNear];
	graph::StoredCode codes_[kMostNear];
	std::span<std::uint8_t> code_bytes_;
};

}  // namespace

void repair_links(Vacuum &vacuum, const NodeSet &dead, const NodeSet &live)
{
	Repair(vacuum, dead, live, pg::context_arena(CurrentMemoryContext)).run();
}

}  // namespace vectorizer::hnsw
