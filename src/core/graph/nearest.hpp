// The results of a best-first search, and which of them is expanded next: one sorted array.
//
// A search of Malkov & Yashunin (2016, algorithm 2) keeps its results in one heap and what is to be expanded in another, but
// whatever is worth expanding is a result: it expands the nearest result that has not been expanded. Here results lie in
// order, each with a mark, and a cursor stands at the first without one. Taking one in moves some hundred bytes, which costs
// less than the mispredicted branches of two heaps. Where widths reach thousands, both cost the same.
#pragma once

#include "core/arena.hpp"

#include <simde/x86/sse.h>

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
		if (marks_.size() < most_) {
			distances_ = arena_.array<float>(most_);
			marks_ = arena_.array<std::uint32_t>(most_);
		}
		note_bounds();
	}

	/// Of all that are kept, nearest first.
	std::size_t size() const { return size_; }
	Place operator[](std::size_t i) const { return {distances_[i], marks_[i] >> 1, marks_[i] & 1}; }
	std::size_t results() const { return std::min(size_, width_); }
	bool full() const { return size_ >= width_; }

	/// The distance of the farthest result. REQUIRES: full().
	float worst() const { return worst_; }

	/// Whether what lies so far away would be a result, or would be kept.
	bool is_result(float distance) const { return size_ < width_ || distance < worst_; }
	bool is_kept(float distance) const { return size_ < most_ || distance < farthest_; }

	/// The first result that has not been expanded. REQUIRES: anything_to_expand().
	bool anything_to_expand() const { return next_ < results(); }
	Place next() const { return (*this)[next_]; }

	/// Marks it as expanded and returns it.
	Place expand_next()
	{
		marks_[next_] |= 1;
		const Place place = next();
		while (next_ < size_ && (marks_[next_] & 1) != 0)
			++next_;
		return place;
	}

	/// Takes one in: whether one had to go for it, which is then in `lost`. REQUIRES: is_kept().
	bool insert(Place place, Place *lost)
	{
		const std::size_t at = place_of(place.distance);
		const bool loses = size_ == most_;
		if (loses)
			*lost = (*this)[size_ - 1];
		else
			++size_;
		put(distances_, at, place.distance);
		put(marks_, at, std::uint32_t{place.index} << 1 | place.expanded);
		if (at <= next_)
			next_ = place.expanded == 0 ? at : std::min(next_ + 1, size_);
		note_bounds();
		return loses;
	}

private:
	/// Behind all that are as near. Without a branch that depends on the distances: by halves, and of the last few the number of those
	/// that are not farther, four at a time, which does not wait for one comparison to begin the next.
	std::size_t place_of(float distance) const
	{
		constexpr std::size_t kFew = 64;
		const float *from = distances_.data();
		std::size_t n = size_;
		while (n > kFew) {
			const std::size_t half = n / 2;
			from += from[half - 1] <= distance ? half : 0;
			n -= half;
		}
		const simde__m128 all = simde_mm_set1_ps(distance), one = simde_mm_set1_ps(1);
		simde__m128 counts = simde_mm_setzero_ps();
		std::size_t i = 0;
		for (; i + 4 <= n; i += 4)
			counts = simde_mm_add_ps(counts, simde_mm_and_ps(simde_mm_cmple_ps(simde_mm_loadu_ps(from + i), all), one));
		float lanes[4];
		simde_mm_storeu_ps(lanes, counts);
		auto count = static_cast<std::size_t>(lanes[0] + lanes[1] + (lanes[2] + lanes[3]));
		for (; i < n; ++i)
			count += from[i] <= distance;
		return static_cast<std::size_t>(from - distances_.data()) + count;
	}

	/// Makes room for it there; the last goes where there is none.
	template <typename T>
	void put(std::span<T> values, std::size_t at, T value)
	{
		std::memmove(values.data() + at + 1, values.data() + at, (size_ - 1 - at) * sizeof(T));
		values[at] = value;
	}

	void note_bounds()
	{
		if (size_ > 0 && size_ >= width_)
			worst_ = distances_[width_ - 1];
		if (size_ > 0 && size_ >= most_)
			farthest_ = distances_[most_ - 1];
	}

	Arena arena_;
	std::span<float> distances_;
	std::span<std::uint32_t> marks_;  // Place::index twice, and Place::expanded
	std::size_t width_ = 0, most_ = 0;
	std::size_t size_ = 0;
	std::size_t next_ = 0;  // the first that is not expanded, or size_
	float worst_ = 0, farthest_ = 0;  // once it is full
};

}  // namespace vectorizer::graph
