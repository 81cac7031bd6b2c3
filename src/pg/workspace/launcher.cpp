// The launcher: connected to no database, so that it stands in nobody's way. At its start every database gets a watcher
// once, which leaves again where it finds nothing to watch; from then on watchers are started on request.
#include "pg/background.hpp"
#include "pg/embedder/embedder.hpp"
#include "pg/workspace/registry.hpp"
#include "pg/workspace/worker.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
}

namespace vectorizer::pg {

namespace {

constexpr int kRetryMilliseconds = 5000;

/// A watcher that this launcher has registered and not yet seen end.
struct Started {
	Oid database;
	BackgroundWorkerHandle *handle;
};

/// Every database that can be connected to, except templates, asks for a watcher.
void want_watchers_everywhere()
{
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	Relation databases = table_open(DatabaseRelationId, AccessShareLock);
	TableScanDesc scan = table_beginscan_catalog(databases, 0, nullptr);
	HeapTuple tuple;
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != nullptr) {
		const auto *database = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
		if (database->datallowconn && !database->datistemplate)
			want_watcher(database->oid);
	}
	table_endscan(scan);
	table_close(databases, AccessShareLock);
	PopActiveSnapshot();
	CommitTransactionCommand();
}

BackgroundWorkerHandle *start_watcher(Oid database)
{
	return start_background({"vectorizer_watcher_main", "vectorizer watcher", "database", database, InvalidOid, MyProcPid});
}

class Launcher {
public:
	/// Forgets watchers that have ended, starts those that are wanted. Returns milliseconds to sleep, -1 for no limit.
	long round()
	{
		const TimestampTz now = GetCurrentTimestamp();
		for (int i = 0; i < count_; ++i) {
			pid_t pid;
			if (GetBackgroundWorkerPid(started_[i].handle, &pid) == BGWH_STOPPED)
				forget(i--);
		}
		if (!watch_enabled)
			return -1;

		long sleep = start_embedders(now);
		Oid due = InvalidOid;
		bool one_is_starting = false;
		for_each_slot([&](DatabaseSlot &slot) {
			one_is_starting = one_is_starting || slot.starting;
			if (!slot.wanted || slot.watcher_pid != 0 || slot.starting || slot.holders > 0)
				return;
			if (slot.not_before > now)
				sleep = shorter(sleep, static_cast<long>((slot.not_before - now) / 1000 + 1));
			else if (!OidIsValid(due))
				due = slot.database;
		});
		if (!OidIsValid(due) || one_is_starting)
			return sleep;
		return start(due) ? shorter(sleep, kRetryMilliseconds) : 0;
	}

private:
	static long shorter(long a, long b) { return a < 0 ? b : std::min(a, b); }

	/// Embedders are started by who needs them; this is for those that have ended and should not have, or could not be started. Milliseconds
	/// until it has to be called again, -1 for no limit.
	static long start_embedders(TimestampTz now)
	{
		long sleep = -1;
		Oid due = InvalidOid;
		for_each_slot([&](DatabaseSlot &slot) {
			if (!slot.embedder_wanted || slot.embedder_pid != 0 || slot.holders > 0)
				return;
			sleep = kRetryMilliseconds;
			if (OidIsValid(due) || (now >= slot.embedder_started && now - slot.embedder_started < kRetryMilliseconds * int64{1000}))
				return;
			slot.embedder_started = now;
			due = slot.database;
		});
		if (OidIsValid(due))
			start_embedder(due);
		return sleep;
	}

	bool start(Oid database)
	{
		BackgroundWorkerHandle *handle = start_watcher(database);
		bool told = false;
		with_slot(database, [&](DatabaseSlot *slot) {
			if (slot == nullptr)
				return;
			told = slot->no_worker_slot;
			slot->no_worker_slot = handle == nullptr;
			slot->starting = handle != nullptr;
			if (handle == nullptr)
				slot->not_before = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kRetryMilliseconds);
		});
		if (handle == nullptr) {
			if (!told)
				ereport(WARNING, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
								  errmsg("no worker slot is free for the vectorizer watcher of database %u", database),
								  errhint("Raise max_worker_processes. It is tried again every %d seconds.",
										  kRetryMilliseconds / 1000)));
			return false;
		}
		started_[count_++] = {database, handle};
		return true;
	}

	/// A watcher has ended. Where one is still wanted, it failed: the next waits a moment, up to a minute.
	void forget(int i)
	{
		with_slot(started_[i].database, [&](DatabaseSlot *slot) {
			if (slot == nullptr)
				return;
			slot->starting = false;
			if (slot->wanted && slot->holders == 0) {
				slot->not_before =
					TimestampTzPlusMilliseconds(GetCurrentTimestamp(), std::min(1000 << slot->failures, 60000));
				slot->failures = std::min(slot->failures + 1, 6);
			}
			else if (is_idle(*slot)) {
				slot->database = InvalidOid;
			}
		});
		pfree(started_[i].handle);
		started_[i] = started_[--count_];
	}

	Started started_[2 * kMaxDatabases];
	int count_ = 0;
};

}  // namespace

void register_launcher()
{
	BackgroundWorker worker{};
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = 5;
	snprintf(worker.bgw_library_name, BGW_MAXLEN, "vectorizer");
	snprintf(worker.bgw_function_name, BGW_MAXLEN, "vectorizer_launcher_main");
	snprintf(worker.bgw_name, BGW_MAXLEN, "vectorizer launcher");
	snprintf(worker.bgw_type, BGW_MAXLEN, "vectorizer launcher");
	RegisterBackgroundWorker(&worker);
}

}  // namespace vectorizer::pg

extern "C" void vectorizer_launcher_main(Datum)
{
	using namespace vectorizer::pg;
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
	attach_launcher();
	want_watchers_everywhere();

	auto *launcher = new (MemoryContextAllocZero(TopMemoryContext, sizeof(Launcher))) Launcher;
	MemoryContextSwitchTo(TopMemoryContext);
	for (;;) {
		const long sleep = launcher->round();
		WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (sleep >= 0 ? WL_TIMEOUT : 0), sleep, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending) {
			const bool was_enabled = watch_enabled;
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			if (watch_enabled && !was_enabled)
				want_watchers_everywhere();
		}
	}
}
