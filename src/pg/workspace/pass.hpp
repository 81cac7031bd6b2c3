// One pass over a project: scan its collections, compare with the catalogue, bring chunks up to date, see to the models.
//
// The pass consists of batches. The watcher commits after each one; vectorizer.sync() runs all of them in its caller's
// transaction. Whatever a pass leaves undone, the next one finds by comparing again: nothing is kept between passes.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "utils/timestamp.h"
}

namespace vectorizer::pg {

/// How batches end.
struct Runner {
	const char *worker;   // "watcher": commits; "sync": does not
	bool commits;
	TimestampTz deadline; // a committing pass stops at the first batch after it; 0: none
};

struct PassResult {
	int64 files = 0;      // found, wanted by a pattern and readable as it seems
	int64 added = 0;
	int64 changed = 0;
	int64 deleted = 0;
	int64 skipped = 0;    // known by now to be skipped, with their reason in vectorizer.files
	int64 failed = 0;     // in this pass
	int64 chunks = 0;     // of the project, after the pass
	int64 pending_deletions = 0;
	bool more = false;    // stopped early: another pass should follow at once
};

/// REQUIRES: a transaction with an SPI connection and an active snapshot (a committing pass ends with new ones), the
/// project's lock, and a context for what the pass holds, which outlives its transactions and is the caller's to reset.
/// Raises what stops the whole pass: the root, a model; failures of single files are recorded.
PassResult run_pass(int64 project, const Runner &runner, MemoryContext context);

}  // namespace vectorizer::pg
