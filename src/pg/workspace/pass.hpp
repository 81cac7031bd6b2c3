// One pass over a project, or some paths of it: scan, compare with the catalogue, bring chunks up to date, see to the models.
//
// The pass consists of batches. The watcher commits after each one; vectorizer.sync() runs all of them in its caller's
// transaction. Whatever a pass leaves undone, the next one finds by comparing again: nothing is kept between passes.
#pragma once

#include "core/workspace/notifier.hpp"
#include "pg/pg.hpp"

extern "C" {
#include "utils/timestamp.h"
}

namespace vectorizer::pg {

/// How batches end.
struct Runner {
	const char *worker;        // "watcher": commits; "sync": does not
	bool commits;
	TimestampTz deadline = 0;  // a committing pass stops at the first batch after it; 0: none
	const workspace::Changes *scope = nullptr;  // what to look at, and files that failed and are due; null: everything
	workspace::Notifier *notifier = nullptr;    // is shown the directories; may be null
	int64 losses_before = -1;  // what the pass before, a moment ago, returned as `losses`
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
	bool hard_links = false;    // a file among those in scope has other names, of which nothing was told
	int64 losses = -1;          // so many files are gone that a pass of everything must find the same number again; -1: not so
	TimestampTz retry_at = 0;   // when a file that failed is due; 0: there is none
	TimestampTz scan_at = 0;    // when everything should be looked at again, at the latest; 0: it need not
};

/// REQUIRES: a transaction with an SPI connection and an active snapshot (a committing pass ends with new ones), the
/// project's lock, and a context for what the pass holds, which outlives its transactions and is the caller's to reset.
/// Raises what stops the whole pass: the root, a model; failures of single files are recorded.
PassResult run_pass(int64 project, const Runner &runner, MemoryContext context);

}  // namespace vectorizer::pg
