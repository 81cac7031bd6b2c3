#include "pg/collection/locks.hpp"

#include "pg/collection/collection.hpp"
#include "pg/collection/identity.hpp"
#include "pg/collection/spi.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/guc.h"

PG_FUNCTION_INFO_V1(vectorizer_lock_chunks);
}

namespace vectorizer::pg {

namespace {

constexpr long kPauseMicroseconds = 300'000;

LOCKTAG collection_lock(int64 id)
{
	LOCKTAG tag;
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, catalogue_table("collection"), static_cast<uint32>(id), static_cast<uint16>(id >> 32));
	return tag;
}

void set_here(const char *setting, const char *value)
{
	set_config_option(setting, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/// Locks a table if a moment comes in which nobody has it. Who queues for it and keeps writers out already is a deadlock for whoever
/// has read it and goes on to write; who asks again and again is none.
bool lock_unqueued(Oid table, LOCKMODE mode)
{
	constexpr int kAsked = 50;
	constexpr long kBetweenMicroseconds = 20'000;
	for (int i = 0; i < kAsked; ++i) {
		if (ConditionalLockRelationOid(table, mode))
			return true;
		pg_usleep(kBetweenMicroseconds);
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

}  // namespace

bool lock_collection(int64 id, bool session, bool wait)
{
	const LOCKTAG tag = collection_lock(id);
	return LockAcquire(&tag, ExclusiveLock, session, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

bool collection_is_wanted(int64 id)
{
	const LOCKTAG tag = collection_lock(id);
	return LockHasWaiters(&tag, ExclusiveLock, true);
}

void lock_table(Oid table, LOCKMODE mode, int milliseconds)
{
	const int level = NewGUCNestLevel();
	set_here("lock_timeout", psprintf("%d", milliseconds));
	set_here("deadlock_timeout", "10");
	LockRelationOid(table, mode);
	AtEOXact_GUC(false, level);
}

void pause_between_attempts()
{
	pg_usleep(kPauseMicroseconds);
	CHECK_FOR_INTERRUPTS();
}

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_lock_chunks(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	const bool alone = PG_GETARG_BOOL(1);
	SPI_connect();
	const std::span<const Collection> found = load_collection(PG_GETARG_INT64(0));
	if (found.empty())
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("the collection does not exist any more")));
	ErrorData *error = nullptr;
	if (!alone || !lock_unqueued(found[0].table, AccessExclusiveLock))
		error = in_attempts([&](int patience) { lock_table(found[0].table, alone ? AccessExclusiveLock : ShareRowExclusiveLock, patience); });
	if (error != nullptr && is_busy(error))
		ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
						errmsg("collection \"%s\" cannot be altered now: somebody reads or writes it, and does not end", found[0].name),
						errhint("Try again; pg_stat_activity shows transactions that are open for long.")));
	if (error != nullptr)
		ReThrowError(error);
	SPI_finish();
	PG_RETURN_VOID();
}
