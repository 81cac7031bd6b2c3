#include "pg/collection/refresh.hpp"

#include "pg/collection/held.hpp"
#include "pg/collection/locks.hpp"
#include "pg/collection/spi.hpp"
#include "pg/collection/tend.hpp"
#include "pg/workspace/registry.hpp"
#include "pg/workspace/transaction.hpp"

extern "C" {
#include "access/xact.h"
#include "pgstat.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(vectorizer_run_refresh);
PG_FUNCTION_INFO_V1(vectorizer_hold_collection);
}

namespace vectorizer::pg {

namespace {

/// What it has to say shows to others where each batch is committed.
class RefreshHost final : public Host {
public:
	RefreshHost(int64 collection, const RefreshOptions &options) : collection_(collection), options_(options) {}

	void report(const char *phase, int64 rows) override
	{
		if (options_.commits && rows > 0)
			note_phase(phase, rows);
	}

	void announce(const char *phase) override
	{
		if (!options_.commits)
			return;
		note_phase(phase, 0);
		next_batch(true, options_.notifier);
	}

	bool end_batch() override
	{
		next_batch(options_.commits, options_.notifier);
		result_.stopped = options_.commits && ((options_.deadline != 0 && GetCurrentTimestamp() > options_.deadline) ||
											   collection_is_wanted(collection_));
		return !result_.stopped;
	}

	bool commits() const override { return options_.commits; }

	void come_back(int seconds) override { result_.seconds = seconds; }

	RefreshResult end(int64 rows)
	{
		if (!result_.stopped)
			note_phase(nullptr, 0);
		result_.rows = rows;
		return result_;
	}

private:
	void note_phase(const char *phase, int64 rows)
	{
		spi_run("SELECT vectorizer.note_phase($1, $2, $3)",
				{param(collection_), phase == nullptr ? null_param(TEXTOID) : param(phase), param(rows)});
	}

	int64 collection_;
	const RefreshOptions &options_;
	RefreshResult result_;
};

}  // namespace

RefreshResult refresh(int64 collection, const RefreshOptions &options, MemoryContext context)
{
	if (!lock_collection(collection, options.commits, !options.commits))
		ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("somebody else has the collection refreshed now")));
	MemoryContext outer = MemoryContextSwitchTo(context);
	const std::span<Collection> found = load_collection(collection);
	MemoryContextSwitchTo(outer);
	if (found.empty() || !found[0].dynamic)
		return {};
	spi_run("SELECT vectorizer.count_dynamic($1, $2)", {param(collection), param(options.written)});
	const int64 rows = spi_int64(0, 1);
	RefreshHost host(collection, options);
	tend(found[0], rows, hold_in<ModelReader>(context), context, host);
	return host.end(rows);
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
	const int64 rows = refresh(PG_GETARG_INT64(0), {}, CurrentMemoryContext).rows;
	SPI_finish();
	PG_RETURN_INT64(rows);
}

extern "C" PGDLLEXPORT Datum vectorizer_hold_collection(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	const int64 id = PG_GETARG_INT64(0);
	lock_collection(id, false, true);
	SPI_connect();
	// Its table may be gone, which is why somebody drops it.
	spi_run("SELECT pg_catalog.to_regclass(pg_catalog.format('vectorizer_data.%I', name))::oid::int8 FROM vectorizer.collection WHERE id = $1", {param(id)});
	if (SPI_processed > 0 && spi_int64(0, 1) != 0)
		note_write(static_cast<Oid>(spi_int64(0, 1)));
	SPI_finish();
	PG_RETURN_VOID();
}
