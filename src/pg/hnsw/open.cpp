#include "pg/hnsw/open.hpp"

#include "pg/hnsw/insert.hpp"

extern "C" {
#include "access/relation.h"
#include "access/table.h"
#include "catalog/index.h"
#include "funcapi.h"
#include "utils/lsyscache.h"
}

namespace vectorizer::hnsw {

OpenedIndex open_named_index(Oid oid, LOCKMODE lock)
{
	// The table first, as everybody does: taking the index's lock first could deadlock.
	Oid table = get_rel_relkind(oid) == RELKIND_INDEX ? IndexGetRelation(oid, true) : InvalidOid;
	Relation heap = OidIsValid(table) ? table_open(table, lock) : nullptr;
	Relation index = relation_open(oid, lock);
	if (index->rd_rel->relkind != RELKIND_INDEX || !is_hnsw(index))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not an hnsw index", RelationGetRelationName(index)),
						index->rd_rel->relkind == RELKIND_PARTITIONED_INDEX
							? errhint("Name the index of one partition.")
							: 0));
	if (RELATION_IS_OTHER_TEMP(index))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("index \"%s\" belongs to another session's temporary table", RelationGetRelationName(index))));
	if (!index->rd_index->indisvalid)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("index \"%s\" is not valid", RelationGetRelationName(index)),
						errhint("A CREATE INDEX CONCURRENTLY has not finished or has failed: drop it or REINDEX it.")));
	return {heap, index, lock};
}

void close(const OpenedIndex &opened)
{
	relation_close(opened.index, opened.lock);
	table_close(opened.heap, opened.lock);
}

bool is_hnsw(Relation index)
{
	return index->rd_indam != nullptr && index->rd_indam->aminsert == am_insert;
}

TupleDesc row_columns(FunctionCallInfo fcinfo)
{
	TupleDesc columns;
	if (get_call_result_type(fcinfo, nullptr, &columns) != TYPEFUNC_COMPOSITE)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("a row type is needed here")));
	return BlessTupleDesc(columns);
}

}  // namespace vectorizer::hnsw
