// A background process's transactions.
#pragma once

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

}  // namespace vectorizer::pg
