// Which nodes share a page: a hop evaluates the neighbours of one node, and the fewer pages these lie on, the fewer are read, or
// their addresses translated. After the block shuffling of Wang et al., "Starling: An I/O-Efficient Disk-Resident Graph Index
// Framework for High-Dimensional Vector Similarity Search on Data Segment" (SIGMOD 2024), section 4.
#pragma once

#include "core/graph/memory_graph.hpp"

namespace vectorizer::graph {

/// The nodes of `order` page by page. A page begins with the first node of the order that has no page yet; the next is always the
/// one that most links of level 0 lead to from the page's nodes, those that are not hidden counting more. Six bytes a node from the arena. Fewer nodes if the stop predicate
/// said so.
std::span<NodeId> page_order(MemoryGraph &graph, std::span<const NodeId> order, unsigned per_page, const Arena &arena, Stop stop);

}  // namespace vectorizer::graph
