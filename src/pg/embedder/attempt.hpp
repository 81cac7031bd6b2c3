// A transaction that may fail without its process.
#pragma once

#include "pg/workspace/transaction.hpp"

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

/// Runs f in a transaction of its own. Null if it went well; else what was raised, palloc'd in the current context, and what f wrote is
/// undone. It is in the log, unless a lock was not to be had.
template <typename Function>
const ErrorData *attempt_transaction(Function &&f)
{
	MemoryContext context = CurrentMemoryContext;
	ErrorData *volatile error = nullptr;
	PG_TRY();
	{
		begin_transaction();
		f();
		commit_transaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
			EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	serve_interrupts();
	return error;
}

inline bool is_busy(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE || error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
}

}  // namespace vectorizer::pg
