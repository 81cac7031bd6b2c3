// A background process's transactions, and batches of work that are one each.
#pragma once

#include "core/workspace/notifier.hpp"
#include "pg/boundary.hpp"
#include "pg/collection/spi.hpp"

extern "C" {
#include "access/xact.h"
#include "pgstat.h"
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
