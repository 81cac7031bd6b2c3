#include "pg/collection/refresh.hpp"

#include "pg/collection/held.hpp"
#include "pg/collection/identity.hpp"
#include "pg/collection/spi.hpp"
#include "pg/collection/tend.hpp"
#include "pg/workspace/transaction.hpp"

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
	explicit RefreshHost(const RefreshOptions &options) : options_(options) {}

	/// Whether a batch was the last for now.
	bool stopped() const { return stopped_; }

	void report(const char *, int64) override {}

	void announce(const char *phase) override
	{
		if (options_.commits)
			pgstat_report_activity(STATE_RUNNING, psprintf("%s of a vectorizer collection", phase));
	}

	bool end_batch() override
	{
		next_batch(options_.commits, options_.notifier);
		stopped_ = options_.commits && options_.deadline != 0 && GetCurrentTimestamp() > options_.deadline;
		return !stopped_;
	}

private:
	const RefreshOptions &options_;
	bool stopped_ = false;
};

void lock_collection(int64 id, bool commits)
{
	LOCKTAG tag;
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, catalogue_table("collection"), static_cast<uint32>(id), static_cast<uint16>(id >> 32));
	if (LockAcquire(&tag, ExclusiveLock, commits, commits) == LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("somebody else has the collection refreshed now")));
}

}  // namespace

bool refresh(int64 collection, const RefreshOptions &options, MemoryContext context, int64 *rows)
{
	*rows = 0;
	lock_collection(collection, options.commits);
	MemoryContext outer = MemoryContextSwitchTo(context);
	const std::span<Collection> found = load_collection(collection);
	MemoryContextSwitchTo(outer);
	if (found.empty() || !found[0].dynamic)
		return false;
	spi_run("SELECT vectorizer.count_dynamic($1, $2)", {param(collection), param(options.written)});
	*rows = spi_int64(0, 1);
	RefreshHost host(options);
	tend(found[0], *rows, hold_in<ModelReader>(context), context, host);
	return host.stopped();
}

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_run_refresh(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	if (IsolationUsesXactSnapshot())
		ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
						errmsg("a collection is refreshed in a transaction of isolation level READ COMMITTED"),
						errdetail("This one does not see what others have written since it began.")));
	SPI_connect();
	int64 rows;
	refresh(PG_GETARG_INT64(0), {}, CurrentMemoryContext, &rows);
	SPI_finish();
	PG_RETURN_INT64(rows);
}
