// The watcher: keeps the projects of one database up to date. Sleeps on its latch between scans; leaves when there is
// nothing to watch, or when somebody needs the database for himself.
#include "pg/background.hpp"
#include "pg/collection/identity.hpp"
#include "pg/collection/spi.hpp"
#include "pg/monitor/progress.hpp"
#include "pg/workspace/pass.hpp"
#include "pg/workspace/project.hpp"
#include "pg/workspace/registry.hpp"
#include "pg/workspace/worker.hpp"

extern "C" {
#include "access/xact.h"
#include "commands/extension.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
}

namespace vectorizer::pg {

namespace {

constexpr int64 kSliceMicroseconds = 3 * USECS_PER_SEC;  // of one project, while others may be due

struct Due {
	int64 project;
	int64 interval;     // microseconds
	TimestampTz next;   // 0: now
	bool seen;
};

void begin()
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
}

void commit()
{
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(false);
}

class Watcher {
public:
	Watcher()
		: context_(AllocSetContextCreate(TopMemoryContext, "vectorizer pass", ALLOCSET_DEFAULT_SIZES)),
		  list_context_(AllocSetContextCreate(TopMemoryContext, "vectorizer projects", ALLOCSET_DEFAULT_SIZES))
	{
	}

	/// Scans what is due. Returns milliseconds to sleep; -1 if there is nothing to watch.
	long round()
	{
		if (!refresh())
			return -1;
		settle_watcher();
		TimestampTz next = 0;
		for (Due &each : std::span(due_, count_)) {
			if (each.next <= GetCurrentTimestamp())
				each.next = scan(each);
			next = next == 0 ? each.next : std::min(next, each.next);
			CHECK_FOR_INTERRUPTS();
		}
		return std::max<long>(0, static_cast<long>((next - GetCurrentTimestamp()) / 1000));
	}

	/// All projects are due: somebody has changed something.
	void hurry()
	{
		for (Due &each : std::span(due_, count_))
			each.next = 0;
	}

private:
	/// Reads the list of projects. False if there is none to watch.
	bool refresh()
	{
		begin();
		if (!OidIsValid(get_extension_oid("vectorizer", true))) {
			commit();
			count_ = 0;
			return false;
		}
		const uint64 found = spi_run("SELECT id, (extract(epoch FROM scan_interval) * 1000000)::bigint FROM vectorizer.project"
									 " WHERE enabled AND armed_for = $1 ORDER BY id",
									 {param(place())});
		auto *fresh = static_cast<Due *>(MemoryContextAllocZero(list_context_, sizeof(Due) * (found + 1)));
		for (uint64 i = 0; i < found; ++i) {
			fresh[i] = {spi_int64(i, 1), spi_int64(i, 2), 0, false};
			for (const Due &old : std::span(due_, count_)) {
				if (old.project == fresh[i].project)
					fresh[i].next = std::min(old.next, GetCurrentTimestamp() + fresh[i].interval);
			}
		}
		if (due_ != nullptr)
			pfree(due_);
		due_ = fresh;
		count_ = found;
		commit();
		return found > 0;
	}

	/// One slice of a pass. Returns when the project is due again.
	TimestampTz scan(const Due &due)
	{
		TimestampTz next = 0;
		PG_TRY();
		{
			pgstat_report_activity(STATE_RUNNING, "keeping a vectorizer project up to date");
			begin();
			if (lock_project(due.project, true, false)) {
				const TimestampTz begun = GetCurrentTimestamp();
				const Runner runner{"watcher", true, count_ > 1 ? begun + kSliceMicroseconds : 0};
				const PassResult result = run_pass(due.project, runner, context_);
				commit();
				unlock_projects();
				next = result.more ? GetCurrentTimestamp() : begun + due.interval;
			}
			else {
				// Somebody has the project, perhaps since he asked this pass to end: go on soon after him.
				commit();
				next = GetCurrentTimestamp() + std::min<int64>(due.interval, USECS_PER_SEC);
			}
		}
		PG_CATCH();
		{
			failed(due.project);
			next = GetCurrentTimestamp() + std::max<int64>(due.interval, USECS_PER_SEC);
		}
		PG_END_TRY();
		pgstat_report_activity(STATE_IDLE, nullptr);
		MemoryContextReset(context_);
		return next;
	}

	/// A pass has failed: that is one project's error, in its row and in the log, and no reason for this process to end.
	void failed(int64 project)
	{
		MemoryContext caller = MemoryContextSwitchTo(context_);
		ErrorData *error = CopyErrorData();
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		unlock_projects();

		begin();
		report_progress({project, "watcher", "failed", 0, 0, 0}, error->message);
		commit();
		MemoryContextSwitchTo(caller);
	}

	MemoryContext context_;
	MemoryContext list_context_;
	Due *due_ = nullptr;
	std::size_t count_ = 0;
};

/// Whether nobody has asked for anything since `wishes`: then the database needs no watcher from now on.
bool may_leave(uint32 wishes)
{
	bool leave = true;
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) {
		if (slot == nullptr)
			return;
		leave = slot->wishes == wishes;
		if (leave)
			slot->wanted = false;
	});
	return leave;
}

uint32 wishes_now()
{
	uint32 wishes = 0;
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) { wishes = slot != nullptr ? slot->wishes : 0; });
	return wishes;
}

}  // namespace

}  // namespace vectorizer::pg

extern "C" void vectorizer_watcher_main(Datum argument)
{
	using namespace vectorizer::pg;
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	connect_background(DatumGetObjectId(argument));
	if (!attach_watcher())
		proc_exit(1);

	auto *watcher = new (MemoryContextAlloc(TopMemoryContext, sizeof(Watcher))) Watcher;
	for (;;) {
		const uint32 wishes = wishes_now();
		const long sleep = watch_enabled ? watcher->round() : -1;
		if (sleep < 0 && may_leave(wishes))
			proc_exit(0);
		if (sleep > 0)
			WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, sleep, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending) {
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		if (wishes_now() != wishes)
			watcher->hurry();
	}
}
