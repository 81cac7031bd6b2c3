// The ways round dead nodes: for each of them, the live nodes nearest to it among its own neighbours on level 0.
//
// Repair asks for these once for every link to a dead node, which is some thirty times a dead node: so they are chosen once,
// by the edge lengths in the dead node's list, and kept: four bytes each.
#pragma once

#include "pg/hnsw/vacuum_parts.hpp"

namespace vectorizer::hnsw {

class Detours {
public:
	/// Reads the lists of `dead`, which has `count` nodes. Keeps fewer ways a node, even none, where `room` bytes are too few.
	Detours(Vacuum &vacuum, const NodeSet &dead, const NodeSet &live, std::size_t count, std::size_t room,
			const Arena &arena);

	/// At most kMost, nearest first, without kNoNode.
	std::span<const NodeId> around(NodeId dead) const
	{
		std::span<const NodeId> all = ways_.subspan(rank(dead) * each_, each_);
		return all.first(static_cast<std::size_t>(std::find(all.begin(), all.end(), kNoNode) - all.begin()));
	}

private:
	static constexpr std::size_t kMost = 8;

	/// How many nodes of the set come before this one.
	std::size_t rank(NodeId id) const
	{
		std::uint64_t before = (std::uint64_t{1} << (id % 64)) - 1;
		return ranks_[id / 64] + static_cast<std::size_t>(std::popcount(dead_.words()[id / 64] & before));
	}

	const NodeSet &dead_;
	std::size_t each_;                  // ways kept a node
	std::span<std::uint32_t> ranks_;    // nodes of the set before each word of it
	std::span<NodeId> ways_;            // `each_` for every dead node; kNoNode: none
};

}  // namespace vectorizer::hnsw
