// Best-first search (Malkov & Yashunin 2016, algorithm 2), made so that it can go on after it has stopped.
#pragma once

#include "core/graph/heap.hpp"
#include "core/graph/nearest.hpp"
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
		  candidates_(arena), nearest_(arena), aside_(arena), waiting_(arena), taken_(arena), cut_(arena),
		  links_(arena.array<NodeId>(store.max_links())), places_(arena.array<std::uint32_t>(store.max_links())) {}

	/// Begins at these nodes.
	void start(std::span<const NodeId> entries) { evaluate_new(entries, false); }

	/// One round: expands nodes nearest first until `ef` results are nearer than anything left to expand. Returns false if
	/// the stop predicate said so: the results are then whatever had been found.
	bool round(std::size_t ef, Stop stop)
	{
		begin_results(ef, runners_up_);
		arrange_waiting();
		while (nearest_.size() < ef + runners_up_ && !waiting_.empty())
			take_up(waiting_.pop());
		note_first_waiting();
		for (Place place : cut_)
			aside_.push(place);
		cut_.clear();

		while (anything_to_expand()) {
			if (stop())
				return false;
			const Place place = next_is_aside() ? aside_.pop() : nearest_.expand_next();
			prefetch_next();
			expand(place);
		}
		return true;
	}

	/// A round that expands nothing: finds the nearest of those that wait, as long as they are `wanted`. If these are more than `most`,
	/// it returns false, and nothing has changed. REQUIRES: kRounds.
	template <typename Wanted>
	bool take_waiting(Wanted &&wanted, std::size_t most)
	{
		arrange_waiting();
		while (!waiting_.empty() && taken_.size() <= most && wanted(candidates_[waiting_.top().index]))
			taken_.append(waiting_.pop());
		const bool few = taken_.size() <= most;
		if (few)
			begin_results(taken_.size(), 0);
		for (Place place : taken_)
			few ? take_up(place) : waiting_.push(place);
		taken_.clear();
		note_first_waiting();
		return few;
	}

	/// How many nodes the last round found, and each of them, nearest first.
	std::size_t found() const { return nearest_.results(); }
	const Candidate &found(std::size_t i) const { return candidates_[nearest_[i].index]; }

	/// The same with the runners-up behind them. REQUIRES: kOnce.
	std::size_t found_and_runners_up() const { return nearest_.size(); }

	/// No node is left to expand: the graph has nothing more to give. Candidates may still wait for a round.
	bool exhausted() const { return aside_.empty() && cut_.empty() && !nearest_.anything_to_expand(); }
	bool anything_waiting() const { return !waiting_.empty(); }

	/// The best of those that no round has returned yet. REQUIRES: anything_waiting().
	const Candidate &first_waiting() const { return candidates_[first_waiting_.index]; }

	/// Takes up nodes that the graph did not lead to (a sweep finds those). REQUIRES: none of them was visited.
	void add(std::span<const NodeId> ids) { evaluate_new(ids, false); }

	Visited &visited() { return visited_; }
	std::size_t evaluations() const { return evaluations_; }
	std::size_t hops() const { return hops_; }

private:
	struct NearestFirst {
		bool operator()(const Place &a, const Place &b) const { return a.distance < b.distance; }
	};
	static constexpr Place kNone{__builtin_inff(), 0, 0};

	struct Seen {
		double distance;
		quantize::Factors factors;
		bool live;
	};

	/// Those of the round before are given away; where it ended before its time, some of them are still to be expanded.
	void begin_results(std::size_t width, std::size_t beyond)
	{
		while (nearest_.anything_to_expand())
			aside_.push(nearest_.expand_next());
		nearest_.begin(width, beyond);
	}

	/// Whether the node to be expanded next is one that is no result of this round.
	bool next_is_aside() const
	{
		return !aside_.empty() &&
			   (!nearest_.anything_to_expand() || aside_.top().distance < nearest_.next().distance);
	}
	bool anything_to_expand() const
	{
		return nearest_.anything_to_expand() ||
			   (!aside_.empty() && !(nearest_.full() && nearest_.worst() < aside_.top().distance));
	}

	/// The links of the node to be expanded next, as it seems.
	void prefetch_next()
	{
		if (level_ > 0)
			return;
		if (next_is_aside())
			store_.prefetch_links(candidates_[aside_.top().index].id);
		else if (nearest_.anything_to_expand())
			store_.prefetch_links(candidates_[nearest_.next().index].id);
	}

	void expand(Place place)
	{
		++hops_;
		double most = kAnyDistance;
		if (nearest_.full()) {
			most = reach(store_.metric(), place.distance, nearest_.worst());
			if (use_ == Use::kRounds && most < kAnyDistance)
				cut_.append(place);
		}
		unsigned count = store_.links(candidates_[place.index].id, level_, links_.data(), most);
		evaluate_new(links_.first(count), true);
	}

	/// Evaluates those that no one has visited. Outside a round everything waits for the next one. `ids` may be links_.
	void evaluate_new(std::span<const NodeId> ids, bool in_round)
	{
		while (!ids.empty()) {
			std::span<const NodeId> some = ids.first(std::min(ids.size(), links_.size()));
			ids = ids.subspan(some.size());
			visited_.reserve(some.size());
			evaluate(links_.first(visited_.note(some, links_.data(), places_.data())), in_round);
		}
	}

	void evaluate(std::span<const NodeId> ids, bool in_round)
	{
		evaluations_ += ids.size();
		auto read = [&](const std::byte *slot) { return look(slot); };
		auto sort_in = [&](std::size_t i, const Seen &seen) {
			if (use_ == Use::kOnce)
				visited_.set_distance(places_[i], seen.distance);
			take(ids[i], seen, in_round);
		};
		store_.visit(ids, read, sort_in, [&](NodeId id, const std::byte *slot) { take_beside(id, slot, in_round); });
	}

	/// Evaluates what lies beside a node whose page had to be read, and takes it up if it is good enough now; else it is as if it had
	/// not been seen. After the block search of Starling (see page_order.hpp), section 5. Not for an inserter (kOnce), to whom the
	/// nearest that links lead to must be the nearest.
	void take_beside(NodeId id, const std::byte *slot, bool in_round)
	{
		if (use_ == Use::kOnce || level_ > 0 || !in_round || visited_.contains(id))
			return;
		++evaluations_;
		const Seen seen = look(slot);
		if (seen.live && nearest_.is_result(to_float(seen.distance))) {
			visited_.insert(id);
			take(id, seen, in_round);
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

	/// Damaged factors may give what is no number: it comes last.
	static float to_float(double distance)
	{
		const auto result = static_cast<float>(distance);
		return result == result ? result : __builtin_inff();
	}

	/// Sorts an evaluated node in. What is worse than the ef-th result is dropped by standard HNSW. A later round may want it: so it
	/// waits, and is expanded only when it is a result.
	void take(NodeId id, const Seen &seen, bool in_round)
	{
		const float distance = to_float(seen.distance);
		if (in_round && use_ == Use::kOnce && !nearest_.is_kept(distance))
			return;
		const Place place{distance, static_cast<std::uint32_t>(candidates_.size()) & 0x7FFFFFFF, 0};
		candidates_.append({seen.distance, seen.factors, id});
		if (!seen.live)
			aside_.push(place);
		else if (in_round && (use_ == Use::kOnce || nearest_.is_result(distance)))
			take_up(place);
		else
			wait(place);
	}

	/// It is a result of this round, or a runner-up.
	void take_up(Place place)
	{
		Place lost;
		if (nearest_.insert(place, &lost) && use_ == Use::kRounds)
			wait(lost);
		if (nearest_.anything_to_expand() && nearest_.next().index == place.index)
			prefetch_next();
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
	}

	S &store_;
	quantize::Computer computer_;
	unsigned level_;
	Use use_;
	std::size_t runners_up_;
	Visited visited_;
	Pile<Candidate> candidates_;
	Nearest nearest_;                     // results of this round; behind them the runners-up
	Heap<Place, NearestFirst> aside_;     // to be expanded, and no results: tombstones, and what earlier rounds have returned
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
		auto last = std::remove_if(ids.begin(), ids.end(), [&](NodeId id) { return !visited.insert(id); });
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
