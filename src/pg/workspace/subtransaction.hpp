// Work that may fail on its own: a subtransaction that is rolled back alone.
#pragma once

#include "pg/boundary.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/resowner.h"
}

namespace vectorizer::pg {

/// Runs f in a subtransaction. Null if it went well; else what was raised, palloc'd in the current context, and
/// everything that f wrote is undone. What f writes into variables of its caller stays.
template <typename Function>
ErrorData *in_subtransaction(Function &&f)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = nullptr;

	BeginInternalSubTransaction(nullptr);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		guard(f);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

/// Whether an error says something about the server rather than about the work: a cancel, a shutdown, no space.
inline bool fails_everything(const ErrorData *error)
{
	const int category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
	return category == ERRCODE_TO_CATEGORY(ERRCODE_QUERY_CANCELED) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) || error->sqlerrcode == ERRCODE_OUT_OF_MEMORY;
}

}  // namespace vectorizer::pg
