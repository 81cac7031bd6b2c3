// What a dynamic collection needs after it was written: rows that no model had embedded yet get their embeddings, the model is
// trained when it is time, rows are counted.
#pragma once

#include "core/workspace/notifier.hpp"
#include "pg/pg.hpp"

extern "C" {
#include "utils/timestamp.h"
}

namespace vectorizer::pg {

struct RefreshOptions {
	bool commits = false;        // after each batch
	bool written = true;         // since the last look, as far as is known
	TimestampTz deadline = 0;    // a committing look stops at the first batch after it; 0: none
	workspace::Notifier *notifier = nullptr;  // is read between batches; may be null
};

struct RefreshResult {
	int64 rows = 0;        // that the collection has
	bool stopped = false;  // early: another look should follow
	int seconds = 0;       // after which another look should follow; 0: none need
};

/// Looks at a dynamic collection, or at nothing if it is gone. `context` is for what is held over batches.
///
/// With `commits` every batch is a transaction of its own, and the collection's lock is a session's: the caller releases it
/// (unlock_projects()). Where others hold what is needed: 55P03, at once for the collection's lock with `commits`, after a moment for
/// writers. REQUIRES: a transaction with an SPI connection and an active snapshot; there is one at the end, too.
RefreshResult refresh(int64 collection, const RefreshOptions &options, MemoryContext context);

}  // namespace vectorizer::pg
