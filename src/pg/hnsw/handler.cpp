// The access method's handler: what hnsw can do, and who does it.
#include "pg/hnsw/build.hpp"
#include "pg/hnsw/cost.hpp"
#include "pg/hnsw/insert.hpp"
#include "pg/hnsw/options.hpp"
#include "pg/hnsw/scan.hpp"
#include "pg/hnsw/vacuum.hpp"
#include "pg/hnsw/validate.hpp"

extern "C" {
#include "access/amapi.h"
#include "commands/vacuum.h"

PG_FUNCTION_INFO_V1(vectorizer_hnsw_handler);
PGDLLEXPORT Datum vectorizer_hnsw_handler(PG_FUNCTION_ARGS);

Datum vectorizer_hnsw_handler(FunctionCallInfo)
{
	using namespace vectorizer::hnsw;
	IndexAmRoutine *am = makeNode(IndexAmRoutine);  // all that is not named is off
	am->amstrategies = 0;
	am->amsupport = 1;
	am->amcanorderbyop = true;
	am->amoptionalkey = true;
	am->amusemaintenanceworkmem = false;
	am->amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL;
	am->amkeytype = InvalidOid;
	am->ambuild = am_build;
	am->ambuildempty = am_build_empty;
	am->aminsert = am_insert;
	am->ambulkdelete = am_bulk_delete;
	am->amvacuumcleanup = am_vacuum_cleanup;
	am->amcostestimate = am_cost_estimate;
	am->amoptions = parse_options;
	am->ambuildphasename = am_phase_name;
	am->amvalidate = am_validate;
	am->ambeginscan = am_begin_scan;
	am->amrescan = am_rescan;
	am->amgettuple = am_get_tuple;
	am->amendscan = am_end_scan;
	PG_RETURN_POINTER(am);
}
}
