// Working memory that a backend keeps between uses.
//
// What a scan takes from a memory context goes back to the system at its end, and the next scan has the kernel clear and map
// every page of it anew: a fifth of the time of a short search. So a backend keeps a few blocks of it. A user borrows one for
// as long as a memory context of its own lives, an error included; users that are open at once have one each.
//
// Blocks grow to what their users asked for. All that are kept have at most kMostKept bytes; what goes beyond comes from the
// user's context. A backend that has borrowed none for kIdleSeconds, or up to twice as long, gives their pages to the system and keeps
// the addresses.
#pragma once

#include "core/arena.hpp"
#include "pg/pg.hpp"

namespace vectorizer::pg {

class KeptMemory {
public:
	static constexpr std::size_t kMostKept = std::size_t{8} << 20;
	static constexpr std::size_t kLargest = std::size_t{4} << 20;  // of one block
	static constexpr int kIdleSeconds = 5;

	/// An arena for the time until `owner` is reset or deleted; then all of its memory is gone. allocate() raises 53200 when
	/// there is no memory.
	static Arena borrow(MemoryContext owner);
};

}  // namespace vectorizer::pg
