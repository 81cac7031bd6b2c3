// Best-first search (Malkov & Yashunin 2016, algorithm 2), made so that it can go on after it has stopped.
#pragma once

#include "core/graph/heap.hpp"
#include "core/graph/store.hpp"
#include "core/graph/visited.hpp"
#include "core/stop.hpp"

namespace vectorizer::graph {

/// Searches one level, widening round by round. After a round nearest() holds the best nodes that no earlier round has
/// returned; what was evaluated and was not good enough waits for the next round. Tombstones are walked through and never
/// returned.
template <Store S>
class Search {
public:
	/// kOnce: there will be one round, so that nothing is kept for further ones. Memory comes from the arena and is never
	/// given back.
	enum class Use { kOnce, kRounds };
	Search(S &store, const quantize::Computer &computer, unsigned level, Use use, std::size_t expected, const Arena &arena)
		: store_(store), computer_(computer), level_(level), use_(use), visited_(arena, expected),
		  frontier_(arena), nearest_(arena), waiting_(arena), links_(arena.array<NodeId>(store.max_links())) {}

	/// Begins at these nodes.
	void start(std::span<const NodeId> entries)
	{
		std::span<NodeId> fresh = links_;
		std::size_t n = 0;
		for (NodeId id : entries) {
			if (n == fresh.size()) {
				evaluate(fresh.first(n), 0);
				n = 0;
			}
			if (visited_.insert(id))
				fresh[n++] = id;
		}
		evaluate(fresh.first(n), 0);
	}

	/// One round: expands nodes nearest first until `ef` results are nearer than anything left to expand. Returns false if
	/// the stop predicate said so: the results are then whatever had been found.
	bool round(std::size_t ef, Stop stop)
	{
		nearest_.clear();
		while (nearest_.size() < ef && !waiting_.empty()) {
			Candidate candidate = waiting_.pop();
			queue(candidate);
			nearest_.push(candidate);
		}

		while (!frontier_.empty()) {
			if (nearest_.size() >= ef && nearer(nearest_.top().distance, frontier_.top().distance))
				return true;
			if (stop())
				return false;
			expand(frontier_.pop().id, ef);
		}
		return true;
	}

	/// What the last round found, in no particular order.
	std::span<Candidate> nearest() { return nearest_.items(); }

	/// No node is left to expand: the graph has nothing more to give. Candidates may still wait for a round.
	bool exhausted() const { return frontier_.empty(); }
	bool anything_waiting() const { return !waiting_.empty(); }

	/// The best of those that no round has returned yet. REQUIRES: anything_waiting().
	const Candidate &first_waiting() const { return waiting_.top(); }

	/// Takes up nodes that the graph did not lead to (a sweep finds those). REQUIRES: none of them was visited.
	void add(std::span<NodeId> ids)
	{
		for (NodeId id : ids)
			visited_.insert(id);
		evaluate(ids, 0);
	}

	Visited &visited() { return visited_; }
	std::size_t evaluations() const { return evaluations_; }
	std::size_t hops() const { return hops_; }

private:
	void expand(NodeId id, std::size_t ef)
	{
		++hops_;
		unsigned count = store_.links(id, level_, links_.data());
		std::size_t fresh = 0;
		for (unsigned i = 0; i < count; ++i)
			if (visited_.insert(links_[i]))
				links_[fresh++] = links_[i];
		evaluate(links_.first(fresh), ef);
	}

	/// ef 0: everything waits for the next round.
	void evaluate(std::span<NodeId> ids, std::size_t ef)
	{
		evaluations_ += ids.size();
		store_.visit(ids, [&](NodeId id, const std::byte *slot) {
			const SlotHeader &header = SlotLayout::header(slot);
			// A slot that was reused meanwhile may hold a node that does not reach this level.
			bool live = header.state == static_cast<std::uint8_t>(State::kLive) && header.level >= level_;
			quantize::Factors factors = SlotLayout::factors(slot);
			double distance = computer_.distance(store_.layout().code(slot), factors);
			float error = use_ == Use::kRounds ? static_cast<float>(computer_.error(factors, distance)) : 0.0f;
			take({distance, error, id, header.duplicates, header.row, header.generation, live, false}, ef);
		});
	}

	/// Sorts an evaluated node in. What is worse than the ef-th result is dropped by standard HNSW; a later round may want it,
	/// so it waits, and is queued for expansion only when it is a result.
	void take(Candidate candidate, std::size_t ef)
	{
		visited_.set_distance(candidate.id, candidate.distance);
		bool full = nearest_.size() >= ef;
		bool good = !full || (ef > 0 && nearer(candidate.distance, nearest_.top().distance));
		if (!candidate.live) {
			if (good || keeps(ef))
				queue(candidate);
			return;
		}
		if (good) {
			queue(candidate);
			if (full) {
				Candidate worst = nearest_.pop();
				if (keeps(ef))
					waiting_.push(worst);
			}
			nearest_.push(candidate);
		}
		else if (keeps(ef))
			waiting_.push(candidate);
	}

	/// Whether what is not good enough for this round is kept for another.
	bool keeps(std::size_t ef) const { return use_ == Use::kRounds || ef == 0; }

	void queue(Candidate &candidate)
	{
		if (candidate.queued)
			return;
		candidate.queued = true;
		frontier_.push(candidate);
	}

	S &store_;
	quantize::Computer computer_;
	unsigned level_;
	Use use_;
	Visited visited_;
	Heap<Candidate, Nearer> frontier_;
	Heap<Candidate, Farther> nearest_;  // its top is the worst of them
	Heap<Candidate, Nearer> waiting_;
	std::span<NodeId> links_;
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
	auto improve = [&](NodeId id, const std::byte *slot) {
		double distance = computer.distance(store.layout().code(slot), SlotLayout::factors(slot));
		if (!known || nearer(distance, best_distance)) {
			best = id;
			best_distance = distance;
			known = true;
		}
	};
	store.visit({&entry, 1}, improve);
	for (unsigned level = from; known && level >= to && level > 0; --level) {
		for (bool moved = true; moved;) {
			NodeId at = best;
			unsigned count = store.links(at, level, links.data());
			store.visit(links.first(count), improve);
			moved = best != at;
		}
	}
	return best;
}

}  // namespace vectorizer::graph
