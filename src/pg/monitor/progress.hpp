// What vectorizer.activity shows: one row a worker and project, written in the transaction of each batch.
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::pg {

struct Progress {
	int64 project;
	const char *worker;     // "watcher" or "sync"
	const char *phase;      // "scanning", "reading", "training", "embedding", "indexing", "idle", "failed"
	int64 files_done = 0;   // up to date
	int64 files_total = 0;  // found
	int64 rows = 0;         // chunks; while embedding, those that have been
};

/// Writes the row. `error` null leaves the last error alone, "" clears it. Needs an SPI connection.
void report_progress(const Progress &progress, const char *error);

}  // namespace vectorizer::pg
