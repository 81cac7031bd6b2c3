// A binary heap over arena memory: what std::priority_queue would be if it needed no destructor.
#pragma once

#include "core/arena.hpp"

#include <algorithm>
#include <cstddef>

namespace vectorizer::graph {

/// `Before{}(a, b)`: a comes out before b. Grows by doubling; outgrown memory stays with the arena.
template <typename T, typename Before>
class Heap {
public:
	explicit Heap(const Arena &arena) : arena_(arena) {}

	bool empty() const { return size_ == 0; }
	std::size_t size() const { return size_; }
	const T &top() const { return items_[0]; }

	void push(const T &item)
	{
		if (size_ == items_.size())
			grow();
		items_[size_++] = item;
		std::push_heap(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(size_), after);
	}

	T pop()
	{
		std::pop_heap(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(size_), after);
		return items_[--size_];
	}

	void clear() { size_ = 0; }

	/// The items in no particular order.
	std::span<T> items() { return items_.first(size_); }

private:
	static bool after(const T &a, const T &b) { return Before{}(b, a); }

	void grow()
	{
		std::span<T> larger = arena_.array<T>(std::max<std::size_t>(64, items_.size() * 2));
		std::copy(items_.begin(), items_.end(), larger.begin());
		items_ = larger;
	}

	Arena arena_;
	std::span<T> items_;
	std::size_t size_ = 0;
};

}  // namespace vectorizer::graph
