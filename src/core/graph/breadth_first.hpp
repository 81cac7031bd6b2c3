// The order in which a graph is laid down, and the certainty that a walk reaches all of it.
#pragma once

#include "core/graph/memory_graph.hpp"

namespace vectorizer::graph {

/// The graph's nodes in the order of a walk along the links of level 0 from the entry point. A node that nothing leads to gets
/// a link first, from the nearest of its own neighbours that is reached; where that one's list is full, the farthest link gives
/// way that the walk did not need. Thus all are reached, but for nodes that have no reached neighbour: these come last.
/// Eight bytes a node from the arena. Fewer nodes if the stop predicate said so. REQUIRES: nobody else inserts.
std::span<NodeId> breadth_first(MemoryGraph &graph, const Arena &arena, Stop stop);

}  // namespace vectorizer::graph
