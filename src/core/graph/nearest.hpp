// The results of a best-first search, and which of them is expanded next: one sorted array.
//
// A search of Malkov & Yashunin (2016, algorithm 2) keeps its results in one heap and what is to be expanded in another, but
// whatever is worth expanding is a result: it expands the nearest result that has not been expanded. Here results lie in
// order, each with a mark, and a cursor stands at the first without one. Taking one in moves some hundred bytes, which costs
// less than the mispredicted branches of two heaps. Where widths reach thousands, both cost the same.
#pragma once

#include "core/arena.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace vectorizer::graph {

/// A candidate of a search, by its number there. Estimates that differ by less than a float's precision come in any order.
struct Place {
	float distance;
	std::uint32_t index : 31;
	std::uint32_t expanded : 1;
};
static_assert(sizeof(Place) == 8);

class Nearest {
public:
	explicit Nearest(const Arena &arena) : arena_(arena) {}

	/// Forgets all. From now on the `width` nearest are results, and of those beyond them the `beyond` nearest are kept, which are
	/// never expanded.
	void begin(std::size_t width, std::size_t beyond)
	{
		width_ = width;
		most_ = width + beyond;
		size_ = next_ = 0;
		if (places_.size() < most_)
			places_ = arena_.array<Place>(most_);
		note_bounds();
	}

	/// Of all that are kept, nearest first.
	std::size_t size() const { return size_; }
	const Place &operator[](std::size_t i) const { return places_[i]; }
	std::size_t results() const { return std::min(size_, width_); }
	bool full() const { return size_ >= width_; }

	/// The distance of the farthest result. REQUIRES: full().
	float worst() const { return worst_; }

	/// Whether what lies so far away would be a result, or would be kept.
	bool is_result(float distance) const { return size_ < width_ || distance < worst_; }
	bool is_kept(float distance) const { return size_ < most_ || distance < farthest_; }

	/// The first result that has not been expanded. REQUIRES: anything_to_expand().
	bool anything_to_expand() const { return next_ < results(); }
	const Place &next() const { return places_[next_]; }

	/// Marks it as expanded and returns it.
	Place expand_next()
	{
		places_[next_].expanded = 1;
		const Place place = places_[next_];
		while (next_ < size_ && places_[next_].expanded != 0)
			++next_;
		return place;
	}

	/// Takes one in: whether one had to go for it, which is then in `lost`. REQUIRES: is_kept().
	bool insert(Place place, Place *lost)
	{
		const std::size_t at = place_of(place.distance);
		const bool loses = size_ == most_;
		if (loses)
			*lost = places_[size_ - 1];
		else
			++size_;
		std::memmove(places_.data() + at + 1, places_.data() + at, (size_ - 1 - at) * sizeof(Place));
		places_[at] = place;
		if (at <= next_)
			next_ = place.expanded == 0 ? at : std::min(next_ + 1, size_);
		note_bounds();
		return loses;
	}

private:
	/// Behind all that are as near. Without a branch that depends on the distances.
	std::size_t place_of(float distance) const
	{
		const Place *from = places_.data();
		for (std::size_t n = size_; n > 0;) {
			const std::size_t half = (n + 1) / 2;
			from += from[half - 1].distance <= distance ? half : 0;
			n -= half;
		}
		return static_cast<std::size_t>(from - places_.data());
	}

	void note_bounds()
	{
		if (size_ > 0 && size_ >= width_)
			worst_ = places_[width_ - 1].distance;
		if (size_ > 0 && size_ >= most_)
			farthest_ = places_[most_ - 1].distance;
	}

	Arena arena_;
	std::span<Place> places_;
	std::size_t width_ = 0, most_ = 0;
	std::size_t size_ = 0;
	std::size_t next_ = 0;  // the first that is not expanded, or size_
	float worst_ = 0, farthest_ = 0;  // once it is full
};

}  // namespace vectorizer::graph
