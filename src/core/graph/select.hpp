// Choosing a node's neighbours (Malkov & Yashunin 2016, algorithm 4), on codes.
#pragma once

#include "core/graph/store.hpp"

#include <algorithm>

namespace vectorizer::graph {

/// A candidate for a node's list of neighbours, with its distance from that node.
struct Neighbour {
	NodeId id;
	double distance;
	bool hidden = false;  // a chosen one stands in front of it
};

struct NearestNeighbourFirst {
	bool operator()(const Neighbour &a, const Neighbour &b) const { return nearer(a.distance, b.distance); }
};

/// Reorders `candidates` (nearest first on entry) so that the chosen ones stand first, and returns their number, at most
/// `most`: those that no chosen one stands in front of, then, while there is room, the nearest of the others (the paper's
/// keepPrunedConnections: measured to give equal recall with fewer hops). `codes[i]` is that of candidates[i].
std::size_t select_neighbours(const quantize::Quantizer &quantizer, std::span<Neighbour> candidates,
							  std::span<StoredCode> codes, std::size_t most, const Arena &arena);

}  // namespace vectorizer::graph
