#include "pg/embedder/wishes.hpp"

#include "pg/embedder/embedder.hpp"
#include "pg/workspace/registry.hpp"

extern "C" {
#include "access/xact.h"
#include "storage/ipc.h"
#include "storage/proc.h"

PG_FUNCTION_INFO_V1(vectorizer_wake_embedder);
PG_FUNCTION_INFO_V1(vectorizer_embedder_state);
}

namespace vectorizer::pg {

namespace {

constexpr int64 kStartPatience = USECS_PER_SEC;  // with an embedder that was registered and is not there yet

constinit std::optional<EmbedderWish> at_commit;
constinit bool callback_registered = false;

void at_transaction_end(XactEvent event, void *)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	if (at_commit && event == XACT_EVENT_COMMIT && registry_exists())
		want_embedder(*at_commit);
	at_commit.reset();
}

void detach_embedder(int, Datum)
{
	with_slot(MyDatabaseId, [](DatabaseSlot *slot) {
		if (slot != nullptr && slot->embedder_pid == MyProcPid) {
			slot->embedder_pid = 0;
			slot->embedder_latch = nullptr;
			if (slot->embedder_wanted && registry->launcher_latch != nullptr)
				SetLatch(registry->launcher_latch);
		}
		if (slot != nullptr && is_idle(*slot))
			slot->database = InvalidOid;
	});
}

}  // namespace

void want_embedder(EmbedderWish wish)
{
	bool start = false;
	bool full = false;
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) {
		full = slot == nullptr;
		if (full)
			return;
		slot->embedder_wanted = true;
		++slot->embedder_wishes;
		slot->row_wishes += wish != EmbedderWish::kQuery ? 1 : 0;
		slot->endpoint_changes += wish == EmbedderWish::kChange ? 1 : 0;
		const TimestampTz now = GetCurrentTimestamp();
		if (slot->embedder_latch != nullptr)
			SetLatch(slot->embedder_latch);
		else
			start = slot->holders == 0 && (now < slot->embedder_started || now - slot->embedder_started > kStartPatience);
		if (start)
			slot->embedder_started = now;
	});
	if (full)
		ereport(WARNING, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						  errmsg("more than %d databases have vectorizer projects: no endpoint is asked for this one", kMaxDatabases)));
	if (start)
		start_embedder(MyDatabaseId);
}

void noted_start(Oid database, bool started)
{
	with_slot(database, [&](DatabaseSlot *slot) {
		if (slot != nullptr)
			slot->no_embedder_slot = !started;
	});
}

void want_embedder_at_commit(EmbedderWish wish)
{
	if (!callback_registered)
		RegisterXactCallback(at_transaction_end, nullptr);
	callback_registered = true;
	if (!at_commit || wish == EmbedderWish::kChange)
		at_commit = wish;
}

EmbedderWishes embedder_wishes()
{
	EmbedderWishes wishes{};
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) {
		if (slot != nullptr)
			wishes = {slot->embedder_wishes, slot->row_wishes, slot->endpoint_changes};
	});
	return wishes;
}

bool attach_embedder()
{
	bool attached = false;
	before_shmem_exit(detach_embedder, Datum{0});
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) {
		if (slot == nullptr || slot->embedder_pid != 0 || slot->holders > 0)
			return;
		slot->embedder_pid = MyProcPid;
		slot->embedder_latch = &MyProc->procLatch;
		slot->embedder_started = 0;
		attached = true;
	});
	return attached;
}

const char *embedder_state()
{
	if (!registry_exists())
		return "not preloaded";
	const char *state = "not running";
	for_each_slot([&](const DatabaseSlot &slot) {  // makes none
		if (slot.database != MyDatabaseId)
			return;
		if (slot.embedder_pid != 0)
			state = "running";
		else if (slot.no_embedder_slot)
			state = "waits for a free worker slot";
	});
	return state;
}

bool embedder_may_leave(uint32 all)
{
	bool leave = true;
	with_slot(MyDatabaseId, [&](DatabaseSlot *slot) {
		if (slot == nullptr)
			return;
		leave = slot->embedder_wishes == all;
		if (leave) {
			slot->embedder_wanted = false;
			slot->embedder_pid = 0;
			slot->embedder_latch = nullptr;
		}
	});
	return leave;
}

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_wake_embedder(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	want_embedder_at_commit(PG_GETARG_BOOL(0) ? EmbedderWish::kChange : EmbedderWish::kRows);
	PG_RETURN_VOID();
}

extern "C" PGDLLEXPORT Datum vectorizer_embedder_state(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_TEXT_P(cstring_to_text(vectorizer::pg::embedder_state()));
}
