// A buffer with an inaccessible page on both sides: a kernel that reads one byte beyond either end dies.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <new>

namespace vectorizer::simd::test {

class Guarded {
public:
	explicit Guarded(std::size_t bytes) : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE)))
	{
		usable_ = (bytes + page_ - 1) / page_ * page_ + page_;
		void *map = mmap(nullptr, usable_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map == MAP_FAILED)
			throw std::bad_alloc();
		base_ = static_cast<std::uint8_t *>(map);
		if (mprotect(begin(), usable_, PROT_READ | PROT_WRITE) != 0)
			throw std::bad_alloc();
	}
	~Guarded() { munmap(base_, usable_ + 2 * page_); }
	Guarded(const Guarded &) = delete;
	Guarded &operator=(const Guarded &) = delete;

	/// `count` values that end where the second guard page starts.
	template <typename T>
	T *last(std::size_t count)
	{
		return reinterpret_cast<T *>(begin() + usable_ - count * sizeof(T));
	}

	/// Values that start where the first guard page ends.
	template <typename T>
	T *first()
	{
		return reinterpret_cast<T *>(begin());
	}

private:
	std::uint8_t *begin() { return base_ + page_; }

	std::size_t page_;
	std::size_t usable_;
	std::uint8_t *base_;
};

}  // namespace vectorizer::simd::test
