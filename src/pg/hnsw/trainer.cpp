// The background process that fits one index to its rows, and ends.
#include "pg/background.hpp"
#include "pg/hnsw/measure.hpp"
#include "pg/hnsw/training.hpp"
#include "pg/workspace/registry.hpp"

extern "C" {
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "commands/defrem.h"
#include "commands/tablecmds.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace vectorizer::hnsw {

namespace {

void begin()
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	MemoryContextSwitchTo(PortalContext);  // what a command is made of outlives the transactions that it is run in
}

void commit()
{
	if (ActiveSnapshotSet())  // else it went with the first of them
		PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(PortalContext);
}

/// The index's table, locked as VACUUM and REINDEX CONCURRENTLY lock it, up to the end of the transaction. Null where the index
/// is gone, is not valid or needs no training, or where somebody else holds such a lock: he may be at the same work.
Relation lock_table(Oid oid)
{
	const Oid table = get_rel_relkind(oid) == RELKIND_INDEX ? IndexGetRelation(oid, true) : InvalidOid;
	if (!OidIsValid(table) || !ConditionalLockRelationOid(table, ShareUpdateExclusiveLock))
		return nullptr;
	Relation heap = try_relation_open(table, NoLock);
	if (heap == nullptr)
		return nullptr;
	Relation index = try_relation_open(oid, AccessShareLock);
	const bool due = index != nullptr && index->rd_index->indisvalid && is_hnsw(index) &&
					 wants_training(open_index(index), read_meta(index));
	if (index != nullptr)
		relation_close(index, NoLock);
	if (due)
		return heap;
	relation_close(heap, NoLock);
	return nullptr;
}

/// Measures as the table's owner, whose functions an index's expressions may call. Whether the index is to be built anew.
bool measure(Oid oid, Relation heap)
{
	Oid user;
	int context;
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(heap->rd_rel->relowner, context | SECURITY_RESTRICTED_OPERATION);
	const OpenedIndex opened = open_named_index(oid, ShareUpdateExclusiveLock);
	const Index index = open_index(opened.index);
	const bool trainable = quantize::trainable(index.shape);
	const quantize::Evaluation found = measure_index(opened);
	const bool fits = !trainable && quantize::meets_gates(index.shape, found);
	if (fits)
		keep_evidence(opened.index, found);
	close(opened);
	SetUserIdAndSecContext(user, context);
	return found.rows > 0 && !fits;
}

/// Whether REINDEX CONCURRENTLY gives its new or old index such a name: the index's, cut short if need be, and _ccnew or _ccold.
bool is_leftover_name(std::string_view name, std::string_view of)
{
	while (!name.empty() && name.back() >= '0' && name.back() <= '9')
		name.remove_suffix(1);
	return (name.ends_with("_ccnew") || name.ends_with("_ccold")) && name.size() > 6 && of.starts_with(name.substr(0, name.size() - 6));
}

/// A statement's name for a relation, in the memory of the process; null if it is gone.
RangeVar *name_of(Oid oid)
{
	char *name = get_rel_name(oid);
	return name == nullptr ? nullptr : makeRangeVar(get_namespace_name(get_rel_namespace(oid)), name, -1);
}

/// The invalid indexes that a REINDEX CONCURRENTLY has left behind, as DROP INDEX names them. Nothing where somebody may be
/// at such a one.
List *leftovers(Oid oid)
{
	const Oid table = get_rel_relkind(oid) == RELKIND_INDEX ? IndexGetRelation(oid, true) : InvalidOid;
	if (!OidIsValid(table) || !ConditionalLockRelationOid(table, ShareUpdateExclusiveLock))
		return NIL;
	Relation heap = try_relation_open(table, NoLock);
	if (heap == nullptr)
		return NIL;
	List *names = NIL;
	ListCell *cell;
	foreach (cell, RelationGetIndexList(heap)) {
		const Oid other = lfirst_oid(cell);
		if (other == oid || get_index_isvalid(other) || !is_leftover_name(get_rel_name(other), get_rel_name(oid)))
			continue;
		const RangeVar *name = name_of(other);
		names = lappend(names, list_make2(makeString(name->schemaname), makeString(name->relname)));
	}
	relation_close(heap, NoLock);
	return names;
}

/// Drops them, in transactions of their own. Does not wait long: whoever uses the table may do so for hours, and this process may
/// have been told to end.
void clean(Oid oid)
{
	SetConfigOption("lock_timeout", "1s", PGC_SUSET, PGC_S_OVERRIDE);
	begin();
	List *names = leftovers(oid);
	commit();
	ListCell *cell;
	foreach (cell, names) {
		begin();
		DropStmt *statement = makeNode(DropStmt);
		statement->removeType = OBJECT_INDEX;
		statement->objects = list_make1(lfirst(cell));
		statement->missing_ok = true;
		statement->concurrent = true;
		RemoveRelations(statement);
		commit();
	}
	SetConfigOption("lock_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
}

/// Runs in transactions of its own, one after the other.
void reindex(Oid oid)
{
	begin();
	ReindexStmt *statement = makeNode(ReindexStmt);
	statement->kind = REINDEX_OBJECT_INDEX;
	statement->relation = name_of(oid);
	statement->params = list_make1(makeDefElem(pstrdup("concurrently"), nullptr, -1));
	if (statement->relation != nullptr)
		ExecReindex(make_parsestate(nullptr), statement, true);
	commit();
}

void train(Oid oid)
{
	begin();
	Relation heap = lock_table(oid);
	bool rebuild = false;
	char *name = nullptr;
	if (heap != nullptr) {
		name = get_rel_name(oid);
		pgstat_report_activity(STATE_RUNNING, psprintf("measuring the codes of index %s", name));
		rebuild = measure(oid, heap);
		relation_close(heap, NoLock);
	}
	commit();
	if (!rebuild)
		return;
	ereport(LOG, (errmsg("index \"%s\" is built anew, with codes that fit the rows it has now", name)));
	pgstat_report_activity(STATE_RUNNING, psprintf("REINDEX INDEX CONCURRENTLY %s", name));
	reindex(oid);
}

/// What failed is said in the log, and tried again when further rows come.
void train_or_clean(Oid oid)
{
	clean(oid);
	PG_TRY();
	{
		train(oid);
	}
	PG_CATCH();
	{
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		MemoryContextSwitchTo(PortalContext);
		clean(oid);
	}
	PG_END_TRY();
}

}  // namespace

}  // namespace vectorizer::hnsw

extern "C" void vectorizer_trainer_main(Datum argument)
{
	using namespace vectorizer;
	pqsignal(SIGTERM, StatementCancelHandler);  // ends what is under way as an error does, so that it is undone
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	Oid database;
	memcpy(&database, MyBgworkerEntry->bgw_extra, sizeof(database));
	pg::connect_background(database);
	if (!pg::attach_trainer())
		proc_exit(0);
	PortalContext = AllocSetContextCreate(TopMemoryContext, "vectorizer trainer", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(PortalContext);
	hnsw::train_or_clean(DatumGetObjectId(argument));
	proc_exit(0);
}
