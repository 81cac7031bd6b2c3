#include "pg/collection/refresh.hpp"

#include "pg/collection/held.hpp"
#include "pg/collection/identity.hpp"
#include "pg/collection/spi.hpp"
#include "pg/collection/tend.hpp"

extern "C" {
#include "access/xact.h"
#include "pgstat.h"
#include "storage/lock.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(vectorizer_run_refresh);
}

namespace vectorizer::pg {

namespace {

class RefreshHost final : public Host {
public:
	explicit RefreshHost(bool commits) : commits_(commits) {}

	void report(const char *, int64) override {}

	void announce(const char *phase) override
	{
		if (commits_)
			pgstat_report_activity(STATE_RUNNING, psprintf("%s of a vectorizer collection", phase));
	}

	bool end_batch() override
	{
		if (!commits_) {
			CommandCounterIncrement();
			CHECK_FOR_INTERRUPTS();
			return true;
		}
		SPI_finish();
		PopActiveSnapshot();
		CommitTransactionCommand();
		pgstat_report_stat(false);
		CHECK_FOR_INTERRUPTS();
		StartTransactionCommand();
		SPI_connect();
		PushActiveSnapshot(GetTransactionSnapshot());
		return true;
	}

private:
	bool commits_;
};

void lock_collection(int64 id, bool commits)
{
	LOCKTAG tag;
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, catalogue_table("collection"), static_cast<uint32>(id), static_cast<uint16>(id >> 32));
	if (LockAcquire(&tag, ExclusiveLock, commits, commits) == LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("somebody else has the collection refreshed now")));
}

}  // namespace

int64 refresh(int64 collection, bool commits, MemoryContext context)
{
	lock_collection(collection, commits);
	MemoryContext outer = MemoryContextSwitchTo(context);
	const std::span<Collection> found = load_collection(collection);
	MemoryContextSwitchTo(outer);
	if (found.empty() || !found[0].dynamic)
		return 0;
	spi_run("SELECT vectorizer.count_dynamic($1)", {param(collection)});
	const int64 rows = spi_int64(0, 1);
	RefreshHost host(commits);
	tend(found[0], rows, hold_in<ModelReader>(context), context, host);
	return rows;
}

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_run_refresh(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	SPI_connect();
	const int64 rows = refresh(PG_GETARG_INT64(0), false, CurrentMemoryContext);
	SPI_finish();
	PG_RETURN_INT64(rows);
}
