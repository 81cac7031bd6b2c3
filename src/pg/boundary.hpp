// The one crossing between C++ exceptions and Postgres errors.
//
// guard(f) runs f and turns whatever C++ exception leaves it into an ereport, raised after the handler is left, so that
// no exception object is jumped over: vectorizer::Error keeps its code and hint, bad_alloc becomes 53200, the rest XX000.
// A Postgres error raised inside f goes through as the longjmp it is: f then must hold nothing with a destructor that
// matters at the place where it calls the server (docs/architecture.md, "Two kinds of core code").
//
// Every extern "C" entry whose body can throw is `return guard([&] { ... });`.
#pragma once

#include "core/arena.hpp"
#include "core/error.hpp"
#include "core/stop.hpp"
#include "pg/pg.hpp"

namespace vectorizer::pg {

/// What an exception said, on the stack. Filled inside a handler, raised outside it.
struct PendingError {
	int sqlstate = 0;  // 0: none
	char message[512];
	char hint[256];

	void capture() noexcept;            // REQUIRES: called inside a catch block
	[[noreturn]] void raise() const;
};

template <typename Function>
auto guard(Function &&function) -> decltype(function())
{
	PendingError pending;
	try {
		return function();
	}
	catch (...) {
		pending.capture();
	}
	pending.raise();
}

/// Asks whether a cancel or a shutdown is waiting to be served. Given to long loops of core.
Stop interrupt_pending();

/// An arena over a memory context: allocate() raises 53200 when there is no memory. Large blocks are allowed.
Arena context_arena(MemoryContext context);

}  // namespace vectorizer::pg
