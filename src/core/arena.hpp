// Memory for code that may be left by a Postgres error, a longjmp that runs no destructor: taken from here, never freed
// one by one, released all at once by whoever owns the arena (a memory context in the server, a list of blocks in tests).
//
// allocate() returns memory aligned to 8 bytes, or does not return (the server raises 53200, tests throw bad_alloc).
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

namespace vectorizer {

struct Arena {
	void *(*allocate_bytes)(void *context, std::size_t bytes);
	void *context;

	/// Memory for `count` values of T, uninitialised.
	template <typename T>
	std::span<T> array(std::size_t count) const
	{
		static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
		return {static_cast<T *>(allocate_bytes(context, count * sizeof(T))), count};
	}
};

}  // namespace vectorizer
