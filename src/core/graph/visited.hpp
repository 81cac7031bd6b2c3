// The nodes a search has evaluated, each with its distance from the query.
#pragma once

#include "core/arena.hpp"
#include "core/graph/links.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

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
		return note({&id, 1}, &id, &at) == 1;
	}

	/// Makes room for so many more.
	void reserve(std::size_t more)
	{
		while (2 * (used_ + more) > table_.size())
			grow();
	}

	/// Notes all of them, writes those that are new to `fresh`, which may be where `ids` are, and their places, which are good until the next
	/// reserve() or insert(); returns their number. Without a branch that depends on what is new: of a node's links a quarter is.
	/// REQUIRES: room reserved; room in both for as many as there are ids.
	std::size_t note(std::span<const NodeId> ids, NodeId *fresh, std::uint32_t *places)
	{
		// The compiler must take it that what is written may be a member.
		Entry *const table = table_.data();
		const std::uint32_t last = static_cast<std::uint32_t>(table_.size() - 1);
		const unsigned shift = shift_;
		std::size_t n = 0;
		for (NodeId id : ids) {
			std::uint32_t at = first_place(id, shift);
			while (table[at].id != id && table[at].id != kNoNode)
				at = (at + 1) & last;
			fresh[n] = id;
			places[n] = at;
			n += table[at].id != id;
			table[at].id = id;  // the distance is unknown as long as there is no id
		}
		used_ += n;
		return n;
	}

	void set_distance(std::uint32_t place, double distance) { table_[place].distance = static_cast<float>(distance); }

	bool find(NodeId id, double *distance) const override
	{
		const Entry &entry = table_[place(id)];
		if (entry.id != id || !(entry.distance < __builtin_inff()))
			return false;
		*distance = entry.distance;
		return true;
	}

	bool contains(NodeId id) const { return table_[place(id)].id == id; }
	std::size_t size() const { return used_; }

	void clear()
	{
		std::memset(table_.data(), kNothing, table_.size_bytes());
		used_ = 0;
	}

private:
	struct Entry {
		NodeId id;
		float distance;
	};
	// Of an entry without an id: the bytes of kNoNode, and of a distance that is no number.
	static constexpr int kNothing = 0xFF;
	static_assert(kNoNode == 0xFFFFFFFF);

	static std::uint32_t first_place(NodeId id, unsigned shift) { return (id * std::uint32_t{0x9E3779B1}) >> shift; }

	std::size_t place(NodeId id) const
	{
		std::size_t at = first_place(id, shift_);
		while (table_[at].id != id && table_[at].id != kNoNode)
			at = (at + 1) & (table_.size() - 1);
		return at;
	}

	void allot(std::size_t slots)
	{
		table_ = arena_.array<Entry>(slots);
		shift_ = 32 - static_cast<unsigned>(__builtin_ctzll(slots));
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
