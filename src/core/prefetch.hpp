// Asking the processor for memory ahead of its use.
#pragma once

#include <algorithm>
#include <cstddef>

namespace vectorizer {

inline constexpr std::size_t kCacheLine = 64;

/// Begins to fetch these bytes into the processor's caches.
///
/// The statement at the end is empty, yet the compiler takes it for one with an effect. Without it GCC 12 finds that a
/// function of prefetches alone has none, and drops every call of it that it does not inline. scripts/check.sh counts what
/// is left in the binary (test/objects).
inline void prefetch(const void *from, std::size_t bytes = 1)
{
	const auto *at = static_cast<const std::byte *>(from);
	for (std::size_t i = 0; i < bytes; i += kCacheLine)
		__builtin_prefetch(at + i);
	if (bytes > 1)
		__builtin_prefetch(at + bytes - 1);
	asm volatile("" : : "r"(from));
}

}  // namespace vectorizer
