// The locks of those who tend a collection or alter it: of a dynamic collection as such, and of any collection's table. Whoever asks for
// a table that is written and read all the time keeps everybody who comes later waiting behind him: so it is asked for in short attempts.
#pragma once

#include "pg/workspace/subtransaction.hpp"
#include "pg/workspace/transaction.hpp"

namespace vectorizer::pg {

/// Holds a dynamic collection against looks and whoever alters it, until the transaction ends, or, `session`, until unlock_projects().
/// False if it is taken and `wait` is not set. No SQL command can take this lock.
bool lock_collection(int64 id, bool session, bool wait);

/// Whether somebody waits for the collection that this session or transaction holds.
bool collection_is_wanted(int64 id);

inline constexpr int kPatience = 700;  // milliseconds; less than the deadlock_timeout of those who would be told of a deadlock

/// Locks a table within so many milliseconds, or raises 55P03; at once, 40P01, where whoever has it waits for what this transaction holds:
/// he would be told a second later, and fail. Autovacuum gives way.
void lock_table(Oid table, LOCKMODE mode, int milliseconds);

void pause_between_attempts();

/// Runs work(patience), which locks and then does what the locks are for, in a subtransaction; some times over where locks are not to be
/// had in so many milliseconds. Null: it was done.
template <typename Work>
ErrorData *in_attempts(Work &&work)
{
	constexpr int kAttempts = 5;
	constexpr int kAttemptPatience = 200;
	for (int attempt = 1;; ++attempt) {
		ErrorData *error = in_subtransaction([&] { work(kAttemptPatience); });
		if (error == nullptr || error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE || attempt == kAttempts)
			return error;
		pause_between_attempts();
	}
}

}  // namespace vectorizer::pg
