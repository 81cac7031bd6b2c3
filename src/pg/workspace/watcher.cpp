// The watcher: keeps the projects of one database up to date. Sleeps until the kernel tells of a change, somebody sets its
// latch, or a scan is due; leaves when there is nothing to watch, or when somebody needs the database for himself.
#include "pg/background.hpp"
#include "pg/collection/held.hpp"
#include "pg/collection/identity.hpp"
#include "pg/monitor/progress.hpp"
#include "pg/workspace/pass.hpp"
#include "pg/workspace/project.hpp"
#include "pg/workspace/registry.hpp"
#include "pg/workspace/transaction.hpp"
#include "pg/workspace/worker.hpp"
#include "pg/workspace/written.hpp"

#include <optional>

extern "C" {
#include "commands/extension.h"
#include "postmaster/interrupt.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
}

namespace vectorizer::pg {

namespace {

constexpr int64 kSliceMicroseconds = 3 * USECS_PER_SEC;  // of one project, while others may be due

constexpr int64 kMostPatience = 5;                       // debounce intervals until a tree that never rests is looked at
constexpr int64 kBlindInterval = 5 * USECS_PER_SEC;      // between scans of a tree whose changes are not told
constexpr int64 kLongestRetry = USECS_PER_MINUTE;        // between passes that fail
constexpr int64 kShortestRest = USECS_PER_SEC / 2;       // between two looks at losses
constexpr long kMomentMilliseconds = 100;                // of other things, when something was told
constexpr int64 kLongestSleep = 3600 * 1000;             // milliseconds

struct Due {
	int64 project;
	int64 interval;             // microseconds between scans
	int64 debounce;             // and of rest after a change
	TimestampTz scan;           // when everything is due; 0: now
	TimestampTz retry;          // when a file that failed is due; 0: there is none
	TimestampTz changed_first;  // when the changes that wait were heard; 0: there are none
	TimestampTz changed_last;
	uint64 told;                // by the notifier, by then
	int64 losses;               // PassResult::losses, when there last were some; -1: there are none
	TimestampTz losses_at;      // when that was first so
	int failures;               // passes in a row that failed

	TimestampTz ready() const
	{
		return changed_first == 0 ? 0 : std::min(changed_last + debounce, changed_first + kMostPatience * debounce);
	}

	/// When there is something to do. After a failure that is everything, when its time has come.
	TimestampTz next() const
	{
		TimestampTz soonest = scan;
		if (failures > 0)
			return soonest;
		for (const TimestampTz each : {retry, ready()}) {
			if (each != 0)
				soonest = std::min(soonest, each);
		}
		return soonest;
	}
};

class Watcher {
public:
	Watcher()
		: context_(AllocSetContextCreate(TopMemoryContext, "vectorizer pass", ALLOCSET_DEFAULT_SIZES)),
		  list_context_(AllocSetContextCreate(TopMemoryContext, "vectorizer projects", ALLOCSET_DEFAULT_SIZES)),
		  hearing_(hold_in<Hearing>(TopMemoryContext))
	{
		ReserveExternalFD();
		guard([&] {
			try {
				hearing_.notifier.emplace();
			}
			catch (const Error &error) {  // then everything is scanned, as often as that takes
				hearing_.deaf = error.what();
			}
		});
	}

	/// Readable when there are changes to hear; PGINVALID_SOCKET if there never will be.
	pgsocket socket() const { return hearing_.notifier ? hearing_.notifier->fd() : PGINVALID_SOCKET; }

	/// Does what is due. Returns milliseconds to sleep; -1 if there is nothing to watch.
	long round()
	{
		heard_ = hear();
		written_.hear(GetCurrentTimestamp());
		if (next() <= GetCurrentTimestamp()) {
			if (!refresh())
				return -1;
			settle_watcher();
			for (Due &each : std::span(due_, count_)) {
				if (each.next() <= GetCurrentTimestamp())
					look(each);
				CHECK_FOR_INTERRUPTS();
			}
			if (written_.next() <= GetCurrentTimestamp()) {
				pgstat_report_activity(STATE_RUNNING, "looking at vectorizer collections that were written");
				written_.look(context_, hearing_.notifier ? &*hearing_.notifier : nullptr,
							  count_ > 0 ? GetCurrentTimestamp() + kSliceMicroseconds : 0);
				pgstat_report_activity(STATE_IDLE, nullptr);
			}
			heard_ = hear() || heard_;
		}
		const TimestampTz now = GetCurrentTimestamp();
		for (Due &each : std::span(due_, count_))  // should the clock have been set back
			each.scan = std::min(each.scan, now + each.interval);
		return static_cast<long>(std::clamp<int64>((next() - now + 999) / 1000, 0, kLongestSleep));
	}

	/// Whether something was told just now. More will be: to be woken by each event would take more time than what they say.
	bool heard() const { return heard_; }

	/// All projects are due: somebody has changed something.
	void hurry()
	{
		hurried_ = true;
		written_.hurry();
		for (Due &each : std::span(due_, count_))
			each.scan = 0;
	}

private:
	struct Hearing {
		std::optional<workspace::Notifier> notifier;
		std::string deaf;  // why there is none
		workspace::Changes heard;
	};

	TimestampTz next() const
	{
		if (hurried_)
			return 0;
		TimestampTz soonest = written_.next();
		for (const Due &each : std::span(due_, count_))
			soonest = std::min(soonest, each.next());
		return soonest;
	}

	bool hear()
	{
		if (!hearing_.notifier)
			return false;
		const bool heard = guard([&] { return hearing_.notifier->read(); });
		const TimestampTz now = GetCurrentTimestamp();
		for (Due &each : std::span(due_, count_)) {
			const uint64 told = hearing_.notifier->told(each.project);
			if (told == each.told)
				continue;
			each.told = told;
			each.changed_last = now;
			if (each.changed_first == 0)
				each.changed_first = now;
		}
		return heard;
	}

	/// Reads the list of projects. False if there is nothing to watch.
	bool refresh()
	{
		hurried_ = false;
		begin_transaction();
		std::span<Due> fresh{};
		if (OidIsValid(get_extension_oid("vectorizer", true))) {
			const uint64 found = spi_run("SELECT id, (extract(epoch FROM scan_interval) * 1000000)::bigint,"
										 " (extract(epoch FROM debounce) * 1000000)::bigint FROM vectorizer.project"
										 " WHERE enabled AND armed_for = $1 ORDER BY id",
										 {param(place())});
			fresh = {static_cast<Due *>(MemoryContextAllocZero(list_context_, sizeof(Due) * (found + 1))), found};
			for (uint64 i = 0; i < found; ++i) {
				const int64 id = spi_int64(i, 1);
				if (const Due *old = find(id))
					fresh[i] = *old;
				else
					fresh[i].losses = -1;
				fresh[i].project = id;
				fresh[i].interval = spi_int64(i, 2);
				fresh[i].debounce = spi_int64(i, 3);
				fresh[i].scan = std::min(fresh[i].scan, GetCurrentTimestamp() + fresh[i].interval);
			}
			written_.refresh();
		}
		else {
			written_ = {};
		}
		commit_transaction();
		for (const Due &old : std::span(due_, count_)) {
			if (hearing_.notifier && std::ranges::none_of(fresh, [&](const Due &each) { return each.project == old.project; }))
				guard([&] { hearing_.notifier->forget(old.project); });
		}
		if (due_ != nullptr)
			pfree(due_);
		due_ = fresh.data();
		count_ = fresh.size();
		return count_ > 0 || written_.any();
	}

	const Due *find(int64 project) const
	{
		for (const Due &each : std::span(due_, count_)) {
			if (each.project == project)
				return &each;
		}
		return nullptr;
	}

	/// One slice of a pass, over everything if that is due, else over what has changed.
	void look(Due &due)
	{
		const bool everything = due.scan <= GetCurrentTimestamp();
		bound_lock_waits(true);
		PG_TRY();
		{
			pgstat_report_activity(STATE_RUNNING, "keeping a vectorizer project up to date");
			begin_transaction();
			if (lock_project(due.project, true, false)) {
				pass(due, everything);
				unlock_projects();
			}
			else {
				// Somebody has the project, perhaps since he asked this pass to end: go on soon after him.
				commit_transaction();
				due.scan = GetCurrentTimestamp() + std::min<int64>(due.interval, USECS_PER_SEC);
				due.changed_first = due.retry = 0;
			}
		}
		PG_CATCH();
		{
			failed(due.project);
			const int64 patience = kBlindInterval << std::min(due.failures++, 10);
			due.scan = GetCurrentTimestamp() + std::max<int64>(USECS_PER_SEC, std::min({patience, due.interval, kLongestRetry}));
			due.changed_first = due.retry = 0;
		}
		PG_END_TRY();
		bound_lock_waits(false);
		pgstat_report_activity(STATE_IDLE, nullptr);
		MemoryContextReset(context_);
	}

	/// Begins in a transaction and ends it.
	void pass(Due &due, bool everything)
	{
		const TimestampTz begun = GetCurrentTimestamp();
		workspace::Notifier *notifier = hearing_.notifier ? &*hearing_.notifier : nullptr;
		if (notifier != nullptr)  // what comes from now on is for the next pass
			guard([&] { hearing_.heard = notifier->take(due.project); });
		due.changed_first = 0;
		everything = everything || hearing_.heard.all;
		const int64 second_look = std::max<int64>(due.debounce, kShortestRest);
		const bool second = everything && begun - due.losses_at >= second_look;

		const Runner runner{"watcher",
							true,
							count_ > 1 ? begun + kSliceMicroseconds : 0,
							everything ? nullptr : &hearing_.heard,
							notifier,
							second ? due.losses : -1};
		const PassResult result = run_pass(due.project, runner, context_);
		const bool told = note_hearing(due.project);
		commit_transaction();

		const TimestampTz now = GetCurrentTimestamp();
		const int64 soon = std::min(due.interval, kBlindInterval);
		if (everything) {
			due.scan = begun + due.interval;
			due.failures = 0;
		}
		if (!told || (result.hard_links && !everything))
			due.scan = std::min(due.scan, begun + soon);
		if ((everything || result.losses >= 0) && result.losses != due.losses) {
			due.losses = result.losses;
			due.losses_at = now;
		}
		if (due.losses >= 0)
			due.scan = std::min(due.scan, due.losses_at + second_look);
		if (result.scan_at != 0)
			due.scan = std::min(due.scan, result.scan_at);
		if (result.more)
			due.scan = 0;
		due.retry = result.retry_at == 0 ? 0 : std::max(result.retry_at, now + soon);
	}

	/// Writes down, where it shows, how changes of a project are noticed. Whether they are told.
	bool note_hearing(int64 project)
	{
		const char *deaf = hearing_.notifier ? hearing_.notifier->blind(project) : hearing_.deaf.c_str();
		const char *noticed = deaf == nullptr ? "events" : psprintf("scans: %s", deaf);
		spi_run("UPDATE vectorizer.progress SET noticed_by = $2 WHERE project_id = $1 AND worker = 'watcher'"
				" AND noticed_by IS DISTINCT FROM $2",
				{param(project), param(noticed)});
		return deaf == nullptr;
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
		bound_lock_waits(false);

		begin_transaction();
		report_progress({project, "watcher", "failed", 0, 0, 0}, error->message);
		commit_transaction();
		MemoryContextSwitchTo(caller);
	}

	MemoryContext context_;
	MemoryContext list_context_;
	Hearing &hearing_;
	Due *due_ = nullptr;
	std::size_t count_ = 0;
	WrittenCollections written_;
	bool hurried_ = true;
	bool heard_ = false;
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
		if (sleep > 0) {
			const bool hears = watcher->socket() != PGINVALID_SOCKET && !watcher->heard();
			WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH | (hears ? WL_SOCKET_READABLE : 0),
							  watcher->socket(), watcher->heard() ? std::min(sleep, kMomentMilliseconds) : sleep,
							  PG_WAIT_EXTENSION);
		}
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
