// What backends and our background processes tell each other, in shared memory: which databases want a watcher, which indexes of
// theirs are to be trained, whether endpoints are to be asked, who is at it, and who wants all of them out of the way. There only if
// the library is preloaded.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"
}

namespace vectorizer::pg {

inline constexpr int kMaxDatabases = 128;
inline constexpr int kMostToTrain = 32;
inline constexpr int kMostWritten = 32;

/// From _PG_init while libraries are preloaded: asks for the shared memory.
void request_registry();

bool registry_exists();

/// A database's line. Free: database invalid.
struct DatabaseSlot {
	Oid database;
	bool wanted;             // a watcher should run, or look whether it should
	uint32 wishes;           // counts requests, so that none is lost while a watcher is leaving
	int holders;             // backends that need the database to themselves
	int watcher_pid;         // 0: none
	int trainer_pid;         // of the trainer of its indexes (pg/hnsw/training.hpp); 0: none
	int n_to_train;          // indexes that are to be trained
	Oid to_train[kMostToTrain];
	int embedder_pid;        // of who asks endpoints (pg/embedder); 0: none
	Latch *embedder_latch;   // valid while embedder_pid is set
	bool embedder_wanted;    // one should run, until it leaves by itself
	uint32 embedder_wishes;  // counts requests, as `wishes`
	uint32 row_wishes;       // those of them that are of rows
	uint32 endpoint_changes; // those that say that what is asked has changed
	TimestampTz embedder_started;  // when one was last registered
	bool no_embedder_slot;   // none could be
	bool starting;           // registered, does not know yet whether there is anything to watch
	bool no_worker_slot;     // could not be registered: max_worker_processes
	int n_written;           // dynamic collections that were written since the watcher looked; more than kMostWritten: all may have been
	Oid written[kMostWritten];
	Latch *watcher_latch;    // valid while watcher_pid is set
	int failures;            // starts in a row that did not get as far as attach_watcher()
	TimestampTz not_before;  // of the next start, after a failure
};

/// Whether nobody needs the line any more.
bool is_idle(const DatabaseSlot &slot);

/// Runs f(slot) under the registry's lock, exclusively. f must not raise. The slot of a database that has none is made;
/// null if all are taken.
template <typename Function>
void with_slot(Oid database, Function &&f);

/// Runs f(slot) for all slots in use, under the lock.
template <typename Function>
void for_each_slot(Function &&f);

/// Asks for a watcher of a database and wakes who must hear of it.
void want_watcher(Oid database);

/// Tells the watcher, once this transaction commits, that the table of a dynamic collection was written. Does not raise.
void note_write(Oid table);

/// Whether there is such a table that has not been taken.
bool anything_written();

/// The tables of which that was told, which are forgotten with this. More than fit: kMostWritten + 1.
int take_written(Oid (&tables)[kMostWritten]);

/// The launcher says that it is there.
void attach_launcher();

/// The watcher of this database says that it is there, until it exits. False: it should not be (held, or another one).
bool attach_watcher();

/// Puts an index of this database down to be trained. Whether a trainer must be started for it; so it is, too, where there is no
/// registry.
bool want_training(Oid index);

/// A trainer says that it is there, until next_to_train() has no index for it or it exits. False: it should not be (held, or
/// another one, which will find what this one was started for). Always true where there is no registry.
bool attach_trainer();

/// The next index, taken off the list; none: the trainer is no longer there as far as others know. REQUIRES: registry_exists().
Oid next_to_train();

/// The watcher has found something to watch. The launcher starts one watcher at a time, so that databases without projects, which
/// are all looked at once, take one worker slot and not as many.
void settle_watcher();

/// "running", "starting", ...: what vectorizer.watcher_state() says of this database.
const char *watcher_state(Oid database);

/// Keeps a database free of our processes until release_hold(). Has the present ones leave, and waits for them up to
/// `milliseconds`.
void hold_database(Oid database, int milliseconds);
void release_hold(Oid database);

/// The database is no more.
void forget_database(Oid database);

// Implementation of the templates.

struct Registry {
	LWLock *lock;
	Latch *launcher_latch;  // null: no launcher
	DatabaseSlot slots[kMaxDatabases];
};

extern Registry *registry;

DatabaseSlot *find_slot(Oid database);

template <typename Function>
void with_slot(Oid database, Function &&f)
{
	LWLockAcquire(registry->lock, LW_EXCLUSIVE);
	f(find_slot(database));
	LWLockRelease(registry->lock);
}

template <typename Function>
void for_each_slot(Function &&f)
{
	LWLockAcquire(registry->lock, LW_EXCLUSIVE);
	for (DatabaseSlot &slot : registry->slots) {
		if (OidIsValid(slot.database))
			f(slot);
	}
	LWLockRelease(registry->lock);
}

}  // namespace vectorizer::pg
