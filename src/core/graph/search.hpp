// Best-first search (Malkov & Yashunin 2016, algorithm 2), made so that it can go on after it has stopped.
#pragma once

#include "core/graph/heap.hpp"
#include "core/graph/store.hpp"
#include "core/graph/visited.hpp"
#include "core/stop.hpp"

#include <cmath>
#include <utility>

namespace vectorizer::graph {

/// A node as a search saw it.
struct Candidate {
	double distance;            // estimated from its code
	quantize::Factors factors;  // of the code: the estimate's error follows from them
	NodeId id;
	bool live;                  // false: a tombstone, to walk through only
	bool queued;                // queued for expansion, or expanded
};
static_assert(sizeof(Candidate) == 24);

/// How long a link to a node nearer to the query than `within` may be, from a node that is `distance` away: squared sides of a
/// triangle, as all but inner products are (an L1 distance is one, of other points: Schoenberg 1938), and an angle at the node of 60 degrees at least. A
/// neighbour beyond is not evaluated. After CRouting ("Reducing Expensive Distance Calls in Graph-Based Approximate Nearest
/// Neighbor Search", 2025). Measured, 100,000 word vectors of 300 dimensions: of the neighbours met 22 in 100 lie beyond, of
/// those that are nearer than `within` .3; recall@10 of .95 and .97 comes with 15 in 100 evaluations less. A wider angle
/// gives up more of both, and loses what it saves to a larger ef.
inline double reach(Metric metric, double distance, double within)
{
	if (metric == Metric::kInnerProduct)
		return kAnyDistance;
	distance = std::max(distance, 0.0);
	const double side = std::sqrt(distance) / 2 + std::sqrt(std::max(within - distance * 3 / 4, 0.0));
	return side * side;
}

/// Searches one level, widening round by round. After a round nearest() holds the best nodes that no earlier round has
/// returned; what was evaluated and was not good enough waits for the next round. Tombstones are walked through and never
/// returned.
template <Store S>
class Search {
public:
	/// kOnce: there will be one round, and the distances of all that it evaluates are kept. Memory comes from the arena and is never given back.
	enum class Use { kOnce, kRounds };
	Search(S &store, const quantize::Computer &computer, unsigned level, Use use, std::size_t expected, const Arena &arena,
		   std::size_t runners_up = 0)
		: store_(store), computer_(computer), level_(level), use_(use), runners_up_(runners_up), visited_(arena, expected),
		  candidates_(arena), frontier_(arena), nearest_(arena), waiting_(arena), taken_(arena), cut_(arena),
		  links_(arena.array<NodeId>(store.max_links())), places_(arena.array<std::uint32_t>(store.max_links())) {}

	/// Begins at these nodes.
	void start(std::span<const NodeId> entries) { evaluate_new(entries, 0); }

	/// One round: expands nodes nearest first until `ef` results are nearer than anything left to expand. Returns false if
	/// the stop predicate said so: the results are then whatever had been found.
	bool round(std::size_t ef, Stop stop)
	{
		nearest_.clear();
		arrange_waiting();
		while (nearest_.size() < ef && !waiting_.empty())
			take_up(waiting_.pop());
		note_first_waiting();
		for (Place place : cut_)
			frontier_.push(place);
		cut_.clear();

		while (!frontier_.empty()) {
			if (nearest_.size() >= ef && nearest_.top().distance < frontier_.top().distance)
				return true;
			if (stop())
				return false;
			const Place place = frontier_.pop();
			prefetch_next();
			expand(place, ef);
		}
		return true;
	}

	/// A round that expands nothing: finds the nearest of those that wait, as long as they are `wanted`. If these are more than `most`,
	/// it returns false, and nothing has changed.
	template <typename Wanted>
	bool take_waiting(Wanted &&wanted, std::size_t most)
	{
		arrange_waiting();
		while (!waiting_.empty() && taken_.size() <= most && wanted(candidates_[waiting_.top().index]))
			taken_.append(waiting_.pop());
		const bool few = taken_.size() <= most;
		if (few)
			nearest_.clear();
		for (Place place : taken_)
			few ? take_up(place) : waiting_.push(place);
		taken_.clear();
		note_first_waiting();
		return few;
	}

	/// How many nodes the last round found, and each of them, in no particular order.
	std::size_t found() const { return nearest_.size(); }
	const Candidate &found(std::size_t i) const { return candidates_[nearest_[i].index]; }

	/// Runs f on the runners-up, in no particular order. REQUIRES: kOnce, after the round.
	template <typename Function>
	void for_runners_up(Function f)
	{
		waiting_.keep_first(runners_up_);
		for (std::size_t i = 0; i < waiting_.size(); ++i)
			f(candidates_[waiting_[i].index]);
	}

	/// No node is left to expand: the graph has nothing more to give. Candidates may still wait for a round.
	bool exhausted() const { return frontier_.empty() && cut_.empty(); }
	bool anything_waiting() const { return !waiting_.empty(); }

	/// The best of those that no round has returned yet. REQUIRES: anything_waiting().
	const Candidate &first_waiting() const { return candidates_[first_waiting_.index]; }

	/// Takes up nodes that the graph did not lead to (a sweep finds those). REQUIRES: none of them was visited.
	void add(std::span<const NodeId> ids) { evaluate_new(ids, 0); }

	Visited &visited() { return visited_; }
	std::size_t evaluations() const { return evaluations_; }
	std::size_t hops() const { return hops_; }

private:
	/// A candidate in a heap. Estimates that differ by less than a float's precision come in any order.
	struct Place {
		float distance;
		std::uint32_t index;
	};
	struct NearestFirst {
		bool operator()(const Place &a, const Place &b) const { return a.distance < b.distance; }
	};
	struct FarthestFirst {
		bool operator()(const Place &a, const Place &b) const { return a.distance > b.distance; }
	};
	static constexpr Place kNone{__builtin_inff(), 0};

	struct Seen {
		double distance;
		quantize::Factors factors;
		bool live;
	};

	/// The links of the node to be expanded next, as it seems.
	void prefetch_next()
	{
		if (level_ == 0 && !frontier_.empty())
			store_.prefetch_links(candidates_[frontier_.top().index].id);
	}

	void expand(Place place, std::size_t ef)
	{
		++hops_;
		double most = kAnyDistance;
		if (nearest_.size() >= ef) {
			most = reach(store_.metric(), place.distance, nearest_.top().distance);
			if (use_ == Use::kRounds && most < kAnyDistance)
				cut_.append(place);
		}
		unsigned count = store_.links(candidates_[place.index].id, level_, links_.data(), most);
		evaluate_new(links_.first(count), ef);
	}

	/// Whether what lies so far away is among the ef nearest, for now.
	bool is_result(float distance, std::size_t ef) const
	{
		return nearest_.size() < ef || (ef > 0 && distance < nearest_.top().distance);
	}

	/// Evaluates those that no one has visited. ef 0: everything waits for the next round. `ids` may be links_.
	void evaluate_new(std::span<const NodeId> ids, std::size_t ef)
	{
		while (!ids.empty()) {
			std::span<const NodeId> some = ids.first(std::min(ids.size(), links_.size()));
			ids = ids.subspan(some.size());
			visited_.reserve(some.size());
			std::size_t fresh = 0;
			for (NodeId id : some)
				if (std::uint32_t place = visited_.note(id); place != Visited::kSeen) {
					links_[fresh] = id;
					places_[fresh++] = place;
				}
			evaluate(links_.first(fresh), ef);
		}
	}

	void evaluate(std::span<const NodeId> ids, std::size_t ef)
	{
		evaluations_ += ids.size();
		auto read = [&](const std::byte *slot) { return look(slot); };
		auto sort_in = [&](std::size_t i, const Seen &seen) {
			if (use_ == Use::kOnce)
				visited_.set_distance(places_[i], seen.distance);
			take({seen.distance, seen.factors, ids[i], seen.live, false}, ef);
		};
		store_.visit(ids, read, sort_in, [&](NodeId id, const std::byte *slot) { take_beside(id, slot, ef); });
	}

	/// Evaluates what lies beside a node whose page had to be read, and takes it up if it is good enough now; else it is as if it had
	/// not been seen. After the block search of Starling (see page_order.hpp), section 5. Not for an inserter (kOnce), to whom the
	/// nearest that links lead to must be the nearest.
	void take_beside(NodeId id, const std::byte *slot, std::size_t ef)
	{
		if (use_ == Use::kOnce || level_ > 0 || ef == 0 || visited_.contains(id))
			return;
		++evaluations_;
		const Seen seen = look(slot);
		if (seen.live && is_result(static_cast<float>(seen.distance), ef)) {
			visited_.insert(id);
			take({seen.distance, seen.factors, id, true, false}, ef);
		}
	}

	Seen look(const std::byte *slot) const
	{
		const SlotHeader &header = SlotLayout::header(slot);
		// A slot that was reused meanwhile may hold a node that does not reach this level.
		const bool live = header.state == static_cast<std::uint8_t>(State::kLive) && header.level >= level_;
		const quantize::Factors factors = SlotLayout::factors(slot);
		return {computer_.distance(store_.layout().code(slot), factors), factors, live};
	}

	/// Sorts an evaluated node in. What is worse than the ef-th result is dropped by standard HNSW; a later round may want it,
	/// or who asks for runners-up, so it waits, and is queued for expansion only when it is a result.
	void take(const Candidate &candidate, std::size_t ef)
	{
		auto distance = static_cast<float>(candidate.distance);
		bool full = nearest_.size() >= ef;
		bool good = is_result(distance, ef);
		if (!good && ef > 0 && !wanted_later(distance))
			return;
		Place place{distance, static_cast<std::uint32_t>(candidates_.size())};
		candidates_.append(candidate);
		if (!candidate.live) {
			queue(place);
			return;
		}
		if (!good) {
			wait(place);
			return;
		}
		queue(place);
		if (full) {
			Place worst = nearest_.pop();
			if (wanted_later(worst.distance))
				wait(worst);
		}
		nearest_.push(place);
	}

	bool wanted_later(float distance) const { return use_ == Use::kRounds || distance < farthest_runner_up_; }

	/// One that waited is a result of this round.
	void take_up(Place place)
	{
		queue(place);
		nearest_.push(place);
	}

	/// REQUIRES: they are arranged.
	void note_first_waiting() { first_waiting_ = waiting_.empty() ? kNone : waiting_.top(); }

	void arrange_waiting()
	{
		if (!std::exchange(arranged_, true))
			waiting_.arrange();
	}

	void wait(Place place)
	{
		waiting_.append(place);
		arranged_ = false;
		if (place.distance < first_waiting_.distance || waiting_.size() == 1)
			first_waiting_ = place;
		if (use_ == Use::kOnce && waiting_.size() >= 4 * std::max<std::size_t>(runners_up_, 64))
			drop_losers();
	}

	void drop_losers()
	{
		waiting_.keep_first(runners_up_);
		farthest_runner_up_ = -__builtin_inff();
		for (std::size_t i = 0; i < waiting_.size(); ++i)
			farthest_runner_up_ = std::max(farthest_runner_up_, waiting_[i].distance);
	}

	void queue(Place place)
	{
		Candidate &candidate = candidates_[place.index];
		if (candidate.queued)
			return;
		candidate.queued = true;
		frontier_.push(place);
		if (frontier_.top().index == place.index)
			prefetch_next();
	}

	S &store_;
	quantize::Computer computer_;
	unsigned level_;
	Use use_;
	std::size_t runners_up_;
	float farthest_runner_up_ = __builtin_inff();  // or beyond it: what is farther is none
	Visited visited_;
	Pile<Candidate> candidates_;
	Heap<Place, NearestFirst> frontier_;
	Heap<Place, FarthestFirst> nearest_;  // its top is the worst of them
	Heap<Place, NearestFirst> waiting_;   // arranged when some are taken
	bool arranged_ = false;               // they are
	Pile<Place> taken_;                   // from these: empty between calls
	Place first_waiting_ = kNone;
	Pile<Place> cut_;                     // expanded in this round as far as it reached: once more in the next
	std::span<NodeId> links_;
	std::span<std::uint32_t> places_;     // in visited_
	std::size_t evaluations_ = 0;
	std::size_t hops_ = 0;
};

/// Walks from `entry` on level `from` down to level `to`, on each to the nearest node that greedy steps reach (the upper
/// part of algorithm 5). Returns the id to begin at on the level below; `entry` where it names no node any more.
template <Store S>
NodeId descend(S &store, const quantize::Computer &computer, NodeId entry, unsigned from, unsigned to, const Arena &arena)
{
	std::span<NodeId> links = arena.array<NodeId>(store.max_links());
	NodeId best = entry;
	double best_distance = 0;
	bool known = false;
	Visited visited(arena, 8 * links.size());
	auto improve = [&](std::span<NodeId> ids) {
		visited.reserve(ids.size());
		auto last = std::remove_if(ids.begin(), ids.end(), [&](NodeId id) { return visited.note(id) == Visited::kSeen; });
		store.visit(
			std::span<const NodeId>(ids.begin(), last),
			[&](const std::byte *slot) {
				return computer.distance(store.layout().code(slot), SlotLayout::factors(slot));
			},
			[&](std::size_t i, double distance) {
				if (!known || nearer(distance, best_distance)) {
					best = ids[i];
					best_distance = distance;
					known = true;
				}
			});
	};
	links[0] = entry;
	improve(links.first(1));
	for (unsigned level = from; known && level >= to && level > 0; --level) {
		for (bool moved = true; moved;) {
			NodeId at = best;
			unsigned count = store.links(at, level, links.data(), reach(store.metric(), best_distance, best_distance));
			improve(links.first(count));
			moved = best != at;
		}
	}
	return best;
}

}  // namespace vectorizer::graph
