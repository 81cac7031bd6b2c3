// Rows that wait for the embedding of an endpoint: taking some, and storing what has come for them. A row has generation 0 while it
// waits (src/pg/collection/README.md); what was asked for is stored if the row still says it.
//
// All functions need a transaction with an SPI connection and an active snapshot. None waits for a lock of a collection's table: somebody who
// waits for a query's embedding may hold it up.
#pragma once

#include "pg/embedder/endpoint.hpp"

namespace vectorizer::pg {

/// A collection that an endpoint embeds.
struct AskedCollection {
	int64 id;
	int64 endpoint;
	bool beside;  // in the columns of what it will be embedded by

	bool operator==(const AskedCollection &) const = default;
};

/// Those of this database, palloc'd: not those of projects that are paused, or restored and not resumed.
std::span<const AskedCollection> asked_collections();

/// A row that waits. Palloc'd.
struct WaitingRow {
	int64 id;
	std::string_view heading;  // null data(): none
	std::string_view hash;     // of the content
	std::string_view text;     // in UTF-8, under its heading; of both no more than max_characters
};

struct WaitingRows {
	std::span<const WaitingRow> rows;  // by id; without those that were refused and are not due
	int64 last;                        // id that the look ended at
	bool more;                         // there may be rows behind it
	bool busy;                         // somebody has the table locked: nothing was looked at
};

/// Up to `limit` rows of a collection with ids above `after`. Nothing if it is gone, or has another model.
WaitingRows waiting_rows(const AskedCollection &collection, int64 after, int limit, int32 max_characters);

/// What a row was asked for as, by whoever stores what came of it.
struct AskedRow {
	int64 id;
	std::string_view heading;
	std::string_view hash;
};

enum class Stored {
	kDone,
	kBusy,  // somebody changes the collection, has its table locked or is writing some of the rows: those are not stored, try again
	kGone,  // it is gone or has another model: what came is of no use
};

/// Gives rows their embeddings, values[i * dimension...] where given[i], but for those that say something else by now; those that it had refused are forgotten. *stored is how many.
/// Without values the rows have no embedding. `one_by_one`: a row that cannot be written, whatever raises that, is noted as refused, and the others are.
Stored store_embeddings(const AskedCollection &collection, int32 dimension, std::span<const AskedRow> rows, const float *values,
						const bool *given, bool one_by_one, int64 *stored);

struct BlankRows {
	std::span<const WaitingRow> others;
	int64 stored;
	Stored outcome;  // of those that are blank; kDone: or there were none
};

/// Rows that say nothing have no embedding, and need none: they wait no more. Nobody is asked.
BlankRows store_blank(const AskedCollection &collection, int32 dimension, std::span<const WaitingRow> rows);

/// Counts a collection's waiting rows, where it shows; only while something waits is there a row. False: somebody has its table locked.
bool count_waiting(const AskedCollection &collection);

/// Has the watcher look at a dynamic collection, once this transaction commits.
void have_looked_at(const AskedCollection &collection);

/// Notes why a collection's rows cannot be asked for.
void note_trouble(const AskedCollection &collection, const char *error);

/// Forgets refusals of rows that are gone, say something else or wait no more, unless somebody has the table locked.
void prune_refused(const AskedCollection &collection);

/// What became of asking an endpoint: so many rows were stored.
void note_success(const AskedCollection &collection, int64 stored);
void note_failure(int64 endpoint, int32 failures, TimestampTz next_try, const char *reason);

}  // namespace vectorizer::pg
