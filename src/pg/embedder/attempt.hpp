// A transaction that may fail without its process.
#pragma once

#include "pg/workspace/transaction.hpp"

namespace vectorizer::pg {

/// Runs f in a transaction of its own. Null if it went well; else what was raised, palloc'd in the current context: it is in the log, and
/// what f wrote is undone.
template <typename Function>
const char *attempt_transaction(Function &&f)
{
	MemoryContext context = CurrentMemoryContext;
	const char *volatile error = nullptr;
	PG_TRY();
	{
		begin_transaction();
		f();
		commit_transaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData()->message;
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CHECK_FOR_INTERRUPTS();
	return error;
}

}  // namespace vectorizer::pg
