#include "pg/hnsw/last_search.hpp"

#include "pg/hnsw/open.hpp"

extern "C" {
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(vectorizer_last_search);
PGDLLEXPORT Datum vectorizer_last_search(PG_FUNCTION_ARGS);
}

namespace vectorizer::hnsw {

namespace {

constinit SearchReport last{};

const char *name_of(Ending ending)
{
	switch (ending) {
		case Ending::kNotAsked: return "no more rows were asked for";
		case Ending::kEveryRow: return "every row was looked at";
		case Ending::kOneRound: return "vectorizer.iterative_scan is off";
		case Ending::kTupleLimit: return "vectorizer.max_scan_tuples was reached";
	}
	return "unknown";
}

Datum last_search(FunctionCallInfo fcinfo)
{
	TupleDesc columns = row_columns(fcinfo);
	if (!OidIsValid(last.index))
		PG_RETURN_NULL();
	auto big = [](std::uint64_t value) { return Int64GetDatum(static_cast<int64>(value)); };
	Datum values[] = {
		ObjectIdGetDatum(last.index), Int32GetDatum(last.ef_search), Int32GetDatum(static_cast<int32>(last.rounds)),
		big(last.hops), big(last.evaluations), big(last.pages_glanced), big(last.pages_locked),
		BoolGetDatum(last.swept), big(last.heap_fetches), big(last.rows), big(last.dropped),
		CStringGetTextDatum(name_of(last.ending)),
	};
	bool nulls[lengthof(values)] = {};
	Assert(columns->natts == lengthof(values));
	return HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
}

}  // namespace

void report_search(const SearchReport &report)
{
	last = report;
}

}  // namespace vectorizer::hnsw

extern "C" Datum vectorizer_last_search(PG_FUNCTION_ARGS)
{
	return vectorizer::hnsw::last_search(fcinfo);
}
