#include "pg/workspace/registry.hpp"

#include "pg/shared.hpp"
#include "pg/workspace/worker.hpp"

#include <csignal>

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
#include "storage/ipc.h"
#include "storage/proc.h"

PG_FUNCTION_INFO_V1(vectorizer_wake_watcher);
PG_FUNCTION_INFO_V1(vectorizer_watcher_state);
}

namespace vectorizer::pg {

constinit Registry *registry = nullptr;

namespace {

constinit bool wake_at_commit = false;
constinit bool callback_registered = false;
constinit int n_written_here = 0;  // by this transaction, as in DatabaseSlot
constinit Oid written_here[kMostWritten] = {};

/// Puts a table down as written, if it is not.
void add_written(Oid table, int &count, Oid (&tables)[kMostWritten])
{
	if (count > kMostWritten || std::find(tables, tables + count, table) != tables + count)
		return;
	if (count < kMostWritten)
		tables[count] = table;
	++count;
}

void tell_of_writes()
{
	with_slot(MyDatabaseId, [](DatabaseSlot *slot) {
		if (slot == nullptr)
			return;
		const bool known = slot->n_written > 0 && slot->watcher_latch != nullptr;
		for (const Oid table : std::span(written_here, static_cast<std::size_t>(std::min(n_written_here, kMostWritten))))
			add_written(table, slot->n_written, slot->written);
		if (n_written_here > kMostWritten)
			slot->n_written = n_written_here;
		if (known)
			return;  // and the watcher has been woken for it
		if (slot->watcher_latch != nullptr) {
			SetLatch(slot->watcher_latch);
		}
		else if (!slot->wanted) {
			slot->wanted = true;
			++slot->wishes;
			if (registry->launcher_latch != nullptr)
				SetLatch(registry->launcher_latch);
		}
	});
}

void at_transaction_end(XactEvent event, void *)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	if (n_written_here > 0 && event != XACT_EVENT_ABORT && registry_exists())
		tell_of_writes();
	if (wake_at_commit && event == XACT_EVENT_COMMIT)
		want_watcher(MyDatabaseId);
	n_written_here = 0;
	wake_at_commit = false;
}

void hear_of_transaction_end()
{
	if (!callback_registered)
		RegisterXactCallback(at_transaction_end, nullptr);
	callback_registered = true;
}

void detach_launcher(int, Datum)
{
	LWLockAcquire(registry->lock, LW_EXCLUSIVE);
	registry->launcher_latch = nullptr;
	LWLockRelease(registry->lock);
}

void detach_watcher(int, Datum)
{
	with_slot(MyDatabaseId, [](DatabaseSlot *slot) {
		if (slot != nullptr && slot->watcher_pid == MyProcPid) {
			slot->watcher_pid = 0;
			slot->watcher_latch = nullptr;
		}
	});
}

void detach_trainer(int, Datum)
{
	with_slot(MyDatabaseId, [](DatabaseSlot *slot) {
		if (slot != nullptr && slot->trainer_pid == MyProcPid)
			slot->trainer_pid = 0;
		if (slot != nullptr && is_idle(*slot))
			slot->database = InvalidOid;
	});
}

}  // namespace

void request_registry()
{
	Shared<Registry>::reserve("vectorizer registry", registry);
}

bool registry_exists()
{
	return registry != nullptr;
}

DatabaseSlot *find_slot(Oid database)
{
	DatabaseSlot *free_slot = nullptr;
	for (DatabaseSlot &slot : registry->slots) {
		if (slot.database == database)
			return &slot;
		if (!OidIsValid(slot.database) && free_slot == nullptr)
			free_slot = &slot;
	}
	if (free_slot != nullptr) {
		memset(free_slot, 0, sizeof(*free_slot));
		free_slot->database = database;
	}
	return free_slot;
}

void want_watcher(Oid database)
{
	if (!registry_exists())
		return;
	bool full = false;
	with_slot(database, [&](DatabaseSlot *slot) {
		full = slot == nullptr;
		if (full)
			return;
		slot->wanted = true;
		slot->not_before = 0;
		++slot->wishes;
		if (slot->watcher_latch != nullptr)
			SetLatch(slot->watcher_latch);
		else if (registry->launcher_latch != nullptr)
			SetLatch(registry->launcher_latch);
	});
	if (full)
		ereport(WARNING, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						  errmsg("more than %d databases have vectorizer projects: this one is not watched", kMaxDatabases)));
}

void note_write(Oid table)
{
	hear_of_transaction_end();
	add_written(table, n_written_here, written_here);
}

bool anything_written()
{
	bool anything = false;
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) { anything = slot != nullptr && slot->n_written > 0; });
	return anything;
}

int take_written(Oid (&tables)[kMostWritten])
{
	int count = 0;
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) {
		if (slot == nullptr)
			return;
		count = std::exchange(slot->n_written, 0);
		std::copy_n(slot->written, std::min(count, kMostWritten), tables);
	});
	return std::min(count, kMostWritten + 1);
}

void attach_launcher()
{
	before_shmem_exit(detach_launcher, Datum{0});
	LWLockAcquire(registry->lock, LW_EXCLUSIVE);
	registry->launcher_latch = &MyProc->procLatch;
	LWLockRelease(registry->lock);
}

bool attach_watcher()
{
	bool attached = false;
	before_shmem_exit(detach_watcher, Datum{0});
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) {
		if (slot == nullptr || slot->watcher_pid != 0 || slot->holders > 0)
			return;
		slot->watcher_pid = MyProcPid;
		slot->watcher_latch = &MyProc->procLatch;
		slot->failures = 0;
		attached = true;
	});
	return attached;
}

bool want_training(Oid index)
{
	if (!registry_exists())
		return true;
	bool start = false;
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) {
		if (slot == nullptr)
			return;
		Oid *end = slot->to_train + slot->n_to_train;
		if (std::find(slot->to_train, end, index) == end && slot->n_to_train < kMostToTrain)
			slot->to_train[slot->n_to_train++] = index;
		start = slot->trainer_pid == 0;
	});
	return start;
}

Oid next_to_train()
{
	Oid next = InvalidOid;
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) {
		if (slot == nullptr || slot->trainer_pid != MyProcPid)
			return;
		if (slot->n_to_train == 0 || slot->holders > 0) {
			slot->trainer_pid = 0;
			return;
		}
		next = slot->to_train[0];
		std::copy(slot->to_train + 1, slot->to_train + slot->n_to_train, slot->to_train);
		--slot->n_to_train;
	});
	return next;
}

bool attach_trainer()
{
	if (!registry_exists())
		return true;
	bool attached = false;
	before_shmem_exit(detach_trainer, Datum{0});
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) {
		if (slot == nullptr || slot->trainer_pid != 0 || slot->holders > 0)
			return;
		slot->trainer_pid = MyProcPid;
		attached = true;
	});
	return attached;
}

bool is_idle(const DatabaseSlot &slot)
{
	return !slot.wanted && !slot.starting && slot.holders == 0 && slot.watcher_pid == 0 && slot.trainer_pid == 0 &&
		   slot.embedder_pid == 0 && !slot.embedder_wanted && slot.n_to_train == 0;
}

void settle_watcher()
{
	with_slot(MyDatabaseId, [](DatabaseSlot *slot) {
		if (slot == nullptr || !slot->starting)
			return;
		slot->starting = false;
		if (registry->launcher_latch != nullptr)
			SetLatch(registry->launcher_latch);
	});
}

const char *watcher_state(Oid database)
{
	if (!registry_exists())
		return "not preloaded";
	if (RecoveryInProgress())
		return "not running on a standby";
	if (!watch_enabled)
		return "switched off";
	const char *state = "not running";
	with_slot(database, [&](DatabaseSlot *slot) {
		if (slot == nullptr)
			return;
		if (slot->holders > 0)
			state = "held";
		else if (slot->watcher_pid != 0)
			state = "running";
		else if (slot->no_worker_slot)
			state = "waits for a free worker slot";
		else if (registry->launcher_latch == nullptr)
			state = "not running";
		else if (slot->wanted)
			state = "starting";
	});
	return state;
}

void hold_database(Oid database, int milliseconds)
{
	constexpr int kStep = 10;
	with_slot(database, [](DatabaseSlot *slot) {
		if (slot != nullptr)
			++slot->holders;
	});
	for (int waited = 0; waited < milliseconds; waited += kStep) {
		int pids[3] = {0, 0, 0};
		bool there = false;
		with_slot(database, [&](DatabaseSlot *slot) {
			if (slot == nullptr)
				return;
			pids[0] = slot->watcher_pid;
			pids[1] = slot->trainer_pid;
			pids[2] = slot->embedder_pid;
			there = std::ranges::any_of(pids, [](int pid) { return pid != 0; }) || slot->starting;
		});
		if (!there)
			return;
		for (int pid : pids)
			if (pid != 0 && waited % 500 == 0)
				kill(pid, SIGTERM);
		pg_usleep(kStep * 1000L);
	}
}

void release_hold(Oid database)
{
	with_slot(database, [](DatabaseSlot *slot) {
		if (slot == nullptr)
			return;
		slot->holders = std::max(slot->holders - 1, 0);
		if (registry->launcher_latch != nullptr)
			SetLatch(registry->launcher_latch);
	});
}

void forget_database(Oid database)
{
	with_slot(database, [](DatabaseSlot *slot) {
		if (slot != nullptr)
			slot->database = InvalidOid;
	});
}

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_wake_watcher(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	(void) fcinfo;
	hear_of_transaction_end();
	wake_at_commit = true;
	PG_RETURN_VOID();
}

extern "C" PGDLLEXPORT Datum vectorizer_watcher_state(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	(void) fcinfo;
	PG_RETURN_TEXT_P(cstring_to_text(watcher_state(MyDatabaseId)));
}
