// The nodes a search has evaluated, each with its distance from the query.
#pragma once

#include "core/arena.hpp"
#include "core/graph/links.hpp"

#include <algorithm>
#include <cstdint>

namespace vectorizer::graph {

/// An open-addressing hash table over arena memory, at most half full. Ids are never removed.
class Visited final : public KnownDistances {
public:
	Visited(const Arena &arena, std::size_t expected) : arena_(arena)
	{
		std::size_t slots = 64;
		while (slots < expected * 2)
			slots *= 2;
		allot(slots);
	}

	/// Whether the id is new; it is then noted, with no distance yet.
	bool insert(NodeId id)
	{
		reserve(1);
		std::uint32_t at;
		return note(id, &at);
	}

	/// Makes room for so many more.
	void reserve(std::size_t more)
	{
		while (2 * (used_ + more) > table_.size())
			grow();
	}

	/// Notes the id. Whether it is new, and its place, which is good until the next reserve() or insert(). Without a branch that depends
	/// on the answer: of a node's links about half are new. REQUIRES: room reserved.
	bool note(NodeId id, std::uint32_t *at)
	{
		*at = static_cast<std::uint32_t>(place(id));
		Entry &entry = table_[*at];
		const bool fresh = entry.id != id;
		entry = {id, fresh ? kUnknown : entry.distance};
		used_ += fresh;
		return fresh;
	}

	void set_distance(std::uint32_t place, double distance) { table_[place].distance = static_cast<float>(distance); }

	bool find(NodeId id, double *distance) const override
	{
		const Entry &entry = table_[place(id)];
		if (entry.id != id || !(entry.distance < kUnknown))
			return false;
		*distance = entry.distance;
		return true;
	}

	bool contains(NodeId id) const { return table_[place(id)].id == id; }
	std::size_t size() const { return used_; }

	void clear()
	{
		std::fill(table_.begin(), table_.end(), Entry{kNoNode, kUnknown});
		used_ = 0;
	}

private:
	struct Entry {
		NodeId id;
		float distance;
	};
	static constexpr float kUnknown = __builtin_inff();

	std::size_t place(NodeId id) const
	{
		std::size_t at = (id * std::uint64_t{0x9E3779B97F4A7C15}) >> shift_;
		while (table_[at].id != id && table_[at].id != kNoNode)
			at = (at + 1) & (table_.size() - 1);
		return at;
	}

	void allot(std::size_t slots)
	{
		table_ = arena_.array<Entry>(slots);
		shift_ = 64 - static_cast<unsigned>(__builtin_ctzll(slots));
		clear();
	}

	void grow()
	{
		std::span<Entry> old = table_;
		allot(old.size() * 2);
		for (const Entry &entry : old)
			if (entry.id != kNoNode) {
				table_[place(entry.id)] = entry;
				++used_;
			}
	}

	Arena arena_;
	std::span<Entry> table_;
	std::size_t used_ = 0;
	unsigned shift_ = 0;
};

}  // namespace vectorizer::graph
