// Growing arrays over arena memory: what std::vector and std::priority_queue would be if they needed no destructor. They
// grow by doubling; outgrown memory stays with the arena.
#pragma once

#include "core/arena.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

namespace vectorizer::graph {

template <typename T>
class Pile {
public:
	explicit Pile(const Arena &arena) : arena_(arena) {}

	bool empty() const { return size_ == 0; }
	std::size_t size() const { return size_; }
	T &operator[](std::size_t i) { return items_[i]; }
	const T &operator[](std::size_t i) const { return items_[i]; }

	void append(const T &item)
	{
		if (size_ == items_.size())
			grow();
		items_[size_++] = item;
	}

	T &last() { return items_[size_ - 1]; }
	void remove_last() { --size_; }
	void clear() { size_ = 0; }

	T *begin() { return items_.data(); }
	T *end() { return items_.data() + size_; }

private:
	void grow()
	{
		std::span<T> larger = arena_.array<T>(std::max<std::size_t>(256, items_.size() * 2));
		std::copy(items_.begin(), items_.end(), larger.begin());
		items_ = larger;
	}

	Arena arena_;
	std::span<T> items_;
	std::size_t size_ = 0;
};

/// `Before{}(a, b)`: a comes out before b.
template <typename T, typename Before>
class Heap {
public:
	explicit Heap(const Arena &arena) : items_(arena) {}

	bool empty() const { return items_.empty(); }
	std::size_t size() const { return items_.size(); }
	const T &top() const { return items_[0]; }
	const T &operator[](std::size_t i) const { return items_[i]; }

	void push(const T &item)
	{
		items_.append(item);
		std::push_heap(items_.begin(), items_.end(), after);
	}

	T pop()
	{
		std::pop_heap(items_.begin(), items_.end(), after);
		T item = items_.last();
		items_.remove_last();
		return item;
	}

	/// Adds an item out of order: arrange() must follow before top() or pop().
	void append(const T &item) { items_.append(item); }
	void arrange() { std::make_heap(items_.begin(), items_.end(), after); }

	void clear() { items_.clear(); }

private:
	static bool after(const T &a, const T &b) { return Before{}(b, a); }

	Pile<T> items_;
};

}  // namespace vectorizer::graph
