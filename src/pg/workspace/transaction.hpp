// A background process's transactions, and batches of work that are one each.
#pragma once

#include "core/workspace/notifier.hpp"
#include "pg/boundary.hpp"
#include "pg/collection/spi.hpp"

extern "C" {
#include "access/xact.h"
#include "pgstat.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
}

namespace vectorizer::pg {

/// Begins one, with an SPI connection and a snapshot.
inline void begin_transaction()
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
}

inline void commit_transaction()
{
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(false);
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
	return error;
}

/// Whether somebody else has what f wanted.
inline bool is_busy(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE || error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
}

/// Has this process wait for no lock for long, or, false, as long as it takes: a user may keep a row locked that one of many projects
/// and collections needs.
inline void bound_lock_waits(bool bound)
{
	SetConfigOption("lock_timeout", bound ? "10s" : "0", PGC_SUSET, PGC_S_OVERRIDE);
}

/// Ends a batch: with a commit and a new transaction, or, in a transaction of somebody else, by making what it wrote visible. The
/// notifier may be null.
inline void next_batch(bool commits, workspace::Notifier *notifier)
{
	if (!commits) {
		CommandCounterIncrement();
		CHECK_FOR_INTERRUPTS();
		return;
	}
	commit_transaction();
	CHECK_FOR_INTERRUPTS();
	if (notifier != nullptr)  // a queue that is read does not overflow
		guard([&] { notifier->read(); });
	begin_transaction();
}

}  // namespace vectorizer::pg
