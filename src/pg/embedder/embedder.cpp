// The embedder's process: requests of rows and of queries run beside one another (core/remote), and it waits for their sockets and for its
// latch.
#include "pg/embedder/embedder.hpp"

#include "pg/background.hpp"
#include "pg/collection/held.hpp"
#include "pg/compat.hpp"
#include "pg/embedder/answering.hpp"
#include "pg/embedder/asking.hpp"
#include "pg/embedder/interrupts.hpp"
#include "pg/embedder/wishes.hpp"

#include <csignal>

extern "C" {
#include "access/xlog.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
}

namespace vectorizer::pg {

namespace {

constexpr int64 kLinger = 5 * USECS_PER_MINUTE;  // without anything to do, until it leaves
constexpr int64 kLongestSleep = 60'000;          // milliseconds
constexpr int kMostSteps = 100;                  // between looks at what others want

class Embedder {
public:
	/// Does what there is to do, with memory of the current context. Milliseconds to sleep; -1: until somebody wakes it.
	long round()
	{
		note_wishes();
		take_finished();
		take_queries();
		if (!RecoveryInProgress()) {  // else, once this server is no standby any more, its watcher looks for rows that wait
			for (int i = 0; i < kMostSteps && asking_.step(); ++i) {
				serve_interrupts();
				worked_ = GetCurrentTimestamp();
				take_finished();
				take_queries();
			}
		}
		if (asking_.running())
			pgstat_report_activity(STATE_RUNNING, "asking for embeddings");
		else
			pgstat_report_activity(STATE_IDLE, nullptr);
		return sleep();
	}

	/// Whether it has had nothing to do for long, and nobody has asked for anything meanwhile: it is gone then as far as others know.
	bool leaves() { return idle() && GetCurrentTimestamp() - worked_ > kLinger && embedder_may_leave(wishes_.all); }

	void reload() { endpoints_.expire(); }
	const remote::Client &client() const { return client_; }

private:
	bool idle() const { return answering_.idle() && (asking_.idle() || RecoveryInProgress()); }

	void note_wishes()
	{
		const EmbedderWishes wishes = embedder_wishes();
		if (wishes.changes != wishes_.changes)
			endpoints_.expire();
		if (wishes.rows != wishes_.rows)
			asking_.list();
		if (wishes.all != wishes_.all)
			worked_ = GetCurrentTimestamp();
		wishes_ = wishes;
	}

	void take_queries()
	{
		if (answering_.take())
			worked_ = GetCurrentTimestamp();
	}

	void take_finished()
	{
		guard([&] { finished_ = client_.advance(told_to_end()); });
		for (remote::Finished &each : finished_) {
			if (!answering_.finish(each))
				asking_.finish(each);
		}
	}

	long sleep()
	{
		const TimestampTz now = GetCurrentTimestamp();
		int64 due = RecoveryInProgress() ? AskingForRows::kNever : asking_.due();
		if (idle())
			due = std::min(due, std::max(worked_ + kLinger, now) + USECS_PER_SEC);
		const int64 left = due == AskingForRows::kNever ? -1 : std::clamp<int64>((due - now + 999) / 1000, 0, kLongestSleep);
		const int64 timeout = client_.timeout_ms();
		return static_cast<long>(left < 0 ? timeout : timeout < 0 ? left : std::min(left, timeout));
	}

	remote::Client client_;
	Endpoints endpoints_;
	Answering answering_{client_, endpoints_};
	AskingForRows asking_{client_, endpoints_};
	std::vector<remote::Finished> finished_;
	EmbedderWishes wishes_{};
	TimestampTz worked_ = GetCurrentTimestamp();
};

void refuse_at_exit(int, Datum)
{
	refuse_queries("the embedder has ended; ask again");
}

/// For the latch, one of the client's sockets, or so many milliseconds (-1: no limit).
void wait_for(const remote::Client &client, long milliseconds)
{
	const std::vector<remote::Interest> &interests = client.interests();
	WaitEventSet *set = compat::create_wait_event_set(static_cast<int>(interests.size()) + 2);
	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
	AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
	for (const remote::Interest &each : interests)
		AddWaitEventToSet(set, (each.read ? WL_SOCKET_READABLE : 0) | (each.write ? WL_SOCKET_WRITEABLE : 0), each.fd, nullptr, nullptr);
	WaitEvent event;
	WaitEventSetWait(set, milliseconds, &event, 1, PG_WAIT_EXTENSION);
	FreeWaitEventSet(set);
}

}  // namespace

void start_embedder(Oid database)
{
	BackgroundWorkerHandle *handle =
		start_background({"vectorizer_embedder_main", "vectorizer embedder", "database", database, InvalidOid, 0, true});
	noted_start(database, handle != nullptr);
	if (handle != nullptr)
		pfree(handle);
}

void init_embedder()
{
	define_endpoint_settings();
	init_queries();
}

}  // namespace vectorizer::pg

extern "C" void vectorizer_embedder_main(Datum argument)
{
	using namespace vectorizer::pg;
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGPIPE, SIG_IGN);  // of a connection that the other side has closed
	connect_background(DatumGetObjectId(argument));
	// No lock is worth waiting for while queries wait.
	SetConfigOption("lock_timeout", "200ms", PGC_SUSET, PGC_S_OVERRIDE);
	if (!attach_embedder())
		proc_exit(0);
	before_shmem_exit(refuse_at_exit, Datum{0});

	Embedder &embedder = hold_in<Embedder>(TopMemoryContext);
	MemoryContext work = AllocSetContextCreate(TopMemoryContext, "vectorizer embedder", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(work);
	while (!embedder.leaves()) {
		const long sleep = embedder.round();
		if (sleep != 0)
			wait_for(embedder.client(), sleep);
		ResetLatch(MyLatch);
		serve_interrupts();
		MemoryContextReset(work);
		if (ConfigReloadPending) {
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			embedder.reload();
		}
	}
	proc_exit(0);
}
