// Places for new nodes and chunks: the tails in the metapage, groups, the free space map.
#pragma once

#include "pg/hnsw/index.hpp"

namespace vectorizer::hnsw {

/// A node to be written: everything but its place.
struct NewNode {
	std::span<const std::uint8_t> code;
	quantize::Factors factors;
	RowPointer row;
	unsigned level;
	std::span<const graph::Neighbour> *levels;  // links of level 0..level
};

/// Where write_node() put it, and how high it came to stand: lower than asked where its group had no room for more upper
/// links.
struct Written {
	NodeId id;
	unsigned level;
};

/// Writes the node with all its links into a free slot, in one WAL record.
Written write_node(Relation relation, const Index &index, const NewNode &node, bool logged);

/// Moves the tail that nodes or chunks come from to the next block, claiming a group where that is needed, unless somebody
/// else has moved it on from `seen` already. Returns the tail.
BlockNumber advance_tail(Relation relation, const Index &index, PageKind kind, BlockNumber seen, bool logged);

/// Clears a chunk on a locked page for another node. REQUIRES: no chain leads to it.
void free_chunk(Page page, unsigned index);

/// Hangs one more row on a live node whose code is equal. False if the node no longer is what the caller saw.
bool add_row(Relation relation, const Index &index, NodeId id, std::span<const std::uint8_t> code,
			 quantize::Factors factors, RowPointer row, bool logged);

}  // namespace vectorizer::hnsw
