// How the embedder hears that it is to end.
#pragma once

#include "core/stop.hpp"
#include "pg/pg.hpp"

namespace vectorizer::pg {

/// Ends the process if it is to end. A cancel outside a transaction is of nobody's query, and no reason to end; it cannot be ignored as a
/// signal, for a lock's time-out comes by it, too.
inline void serve_interrupts()
{
	if (!ProcDiePending)
		QueryCancelPending = false;
	CHECK_FOR_INTERRUPTS();
}

/// Given to long loops of core: whether the process is to end.
inline Stop told_to_end()
{
	return {[](void *) { return ProcDiePending != 0; }, nullptr};
}

}  // namespace vectorizer::pg
