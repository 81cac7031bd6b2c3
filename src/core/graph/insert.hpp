// Finding a new node's place in the graph (Malkov & Yashunin 2016, algorithm 1). Writing it there is the store's affair:
// slot first, then a link back from every neighbour (links.hpp, LinkList::admit).
#pragma once

#include "core/graph/search.hpp"
#include "core/graph/select.hpp"

#include <cstring>
#include <new>

namespace vectorizer::graph {

inline constexpr unsigned kMaxLevel = 15;

struct InsertParameters {
	unsigned m;
	unsigned ef_construction;
	unsigned own_links = 0;  // that a new node makes on level 0, m to 2m; 0: m
	unsigned runners_up = 0; // on level 0, which it chooses among beside the ef_construction nearest
};

/// The neighbours chosen for a new node. Everything in it lives in the arena it was found with.
struct Neighbourhood {
	std::span<Neighbour> levels[kMaxLevel + 1];  // nearest first; those above the node's level are empty
	std::span<const NodeId> nearest;             // the best on level 0, nearest first,
	std::span<const StoredCode> codes;           // and their codes: to look for an equal one
	const KnownDistances *known[kMaxLevel + 1];  // every distance that the search on that level evaluated
	bool complete;                               // false: the stop predicate ended it
};

/// What a new node knows of its level, once its own links are chosen.
class FromNew final : public KnownDistances {
public:
	FromNew(const KnownDistances &known, std::span<const Neighbour> own) : known_(known), own_(own) {}
	bool find(NodeId id, double *distance) const override { return known_.find(id, distance); }
	bool leads_to(NodeId id) const override
	{
		return std::any_of(own_.begin(), own_.end(), [&](const Neighbour &neighbour) { return neighbour.id == id; });
	}

private:
	const KnownDistances &known_;
	std::span<const Neighbour> own_;
};

/// Searches the place of a node that `computer` speaks for. `entry` is a node of level `entry_level`. `self` is left out
/// (a node that is linked once more).
template <Store S>
Neighbourhood find_neighbourhood(S &store, const quantize::Quantizer &quantizer, const quantize::Computer &computer,
								 NodeId entry, unsigned entry_level, unsigned level, NodeId self,
								 const InsertParameters &parameters, const Arena &arena, Stop stop)
{
	Neighbourhood found{};
	found.complete = true;
	NodeId begin = entry;
	if (entry_level > level)
		begin = descend(store, computer, entry, entry_level, level + 1, arena);

	std::span<NodeId> entries = arena.array<NodeId>(parameters.ef_construction);
	entries[0] = begin;
	std::size_t n_entries = 1;
	for (unsigned at = std::min(level, entry_level) + 1; at-- > 0;) {
		const std::size_t runners_up = at == 0 ? parameters.runners_up : 0;
		auto *search = new (arena.array<Search<S>>(1).data()) Search<S>(
			store, computer, at, Search<S>::Use::kOnce, parameters.ef_construction * (at == 0 ? 16 : 4), arena, runners_up);
		search->start(entries.first(n_entries));
		found.complete = search->round(parameters.ef_construction, stop);
		if (!found.complete)
			return found;

		const std::size_t n_found = search->found_and_runners_up();
		std::span<Neighbour> candidates = arena.array<Neighbour>(n_found);
		std::span<NodeId> ids = arena.array<NodeId>(n_found);
		std::size_t n = 0, n_best = 0;
		for (std::size_t i = 0; i < n_found; ++i) {
			const Candidate &candidate = search->found(i);
			if (n_best < entries.size())
				entries[n_best++] = candidate.id;
			if (candidate.id != self) {
				ids[n] = candidate.id;
				candidates[n++] = {candidate.id, candidate.distance};
			}
		}
		std::span<StoredCode> codes = arena.array<StoredCode>(n);
		store.codes(std::span<const NodeId>(ids.first(n)), codes.data(), arena);
		const unsigned most = at == 0 && parameters.own_links > 0 ? parameters.own_links : parameters.m;
		std::size_t chosen = select_neighbours(quantizer, candidates.first(n), codes, most, arena);

		found.levels[at] = candidates.first(chosen);
		found.known[at] = &search->visited();
		if (at == 0) {
			found.nearest = ids.first(n);
			found.codes = codes;
		}
		if (n_best > 0)  // else: only tombstones there; begin below where we began here
			n_entries = n_best;
	}
	return found;
}

/// The node among the nearest that holds an equal code and equal factors, kNoNode if none does.
inline NodeId find_equal(const Neighbourhood &found, std::span<const std::uint8_t> code, quantize::Factors factors)
{
	for (std::size_t i = 0; i < found.nearest.size(); ++i) {
		const StoredCode &other = found.codes[i];
		if (other.code != nullptr && other.factors.scale == factors.scale && other.factors.norm == factors.norm &&
			std::memcmp(other.code, code.data(), code.size()) == 0)
			return found.nearest[i];
	}
	return kNoNode;
}

}  // namespace vectorizer::graph
