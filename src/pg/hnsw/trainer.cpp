// The background process that fits one index to its rows, and ends.
#include "pg/background.hpp"
#include "pg/hnsw/measure.hpp"
#include "pg/hnsw/training.hpp"
#include "pg/workspace/registry.hpp"

#include <csignal>

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/pg_index.h"
#include "commands/defrem.h"
#include "commands/tablecmds.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
}

namespace vectorizer::hnsw {

namespace {

/// Set by SIGTERM. What is under way ends as an error ends it, so that it is undone; nothing else is begun.
volatile sig_atomic_t told_to_end = 0;

void end_soon(int signal)
{
	told_to_end = 1;
	StatementCancelHandler(signal);
}

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

void report_failure()
{
	EmitErrorReport();
	AbortCurrentTransaction();
	FlushErrorState();
	MemoryContextSwitchTo(PortalContext);
}

/// The table of an index, locked up to the end of the transaction as VACUUM and REINDEX CONCURRENTLY lock it; null where there is
/// none any more, or where it is locked so and `wait` is false.
Relation lock_table(Oid oid, bool wait)
{
	const Oid table = get_rel_relkind(oid) == RELKIND_INDEX ? IndexGetRelation(oid, true) : InvalidOid;
	if (!OidIsValid(table))
		return nullptr;
	if (wait)
		LockRelationOid(table, ShareUpdateExclusiveLock);
	else if (!ConditionalLockRelationOid(table, ShareUpdateExclusiveLock))
		return nullptr;
	return try_relation_open(table, NoLock);
}

bool is_due(Oid oid)
{
	Relation index = try_relation_open(oid, AccessShareLock);
	if (index == nullptr)
		return false;
	const bool due = index->rd_index->indisvalid && is_hnsw(index) && wants_training(open_index(index), read_meta(index));
	relation_close(index, NoLock);
	return due;
}

/// Measures as the table's owner, whose functions an index's expressions may call. Whether the index is to be built anew.
bool measure(Oid oid, Relation heap)
{
	Oid user;
	int context;
	GetUserIdAndSecContext(&user, &context);
	const int settings = NewGUCNestLevel();  // such a function may change some
	SetUserIdAndSecContext(heap->rd_rel->relowner, context | SECURITY_RESTRICTED_OPERATION);
	const OpenedIndex opened = open_named_index(oid, ShareUpdateExclusiveLock);
	const Index index = open_index(opened.index);
	const bool trainable = quantize::trainable(index.shape);
	const quantize::Evaluation found = measure_index(opened);
	const bool fits = !trainable && quantize::meets_gates(index.shape, found);
	if (fits)
		keep_evidence(opened.index, found);
	close(opened);
	AtEOXact_GUC(false, settings);
	SetUserIdAndSecContext(user, context);
	return found.rows > 0 && !fits;
}

/// The name without what REINDEX CONCURRENTLY appends to that of its new or its old index; all of it if that is not there.
std::string_view without_suffix(std::string_view name)
{
	std::string_view rest = name;
	while (!rest.empty() && rest.back() >= '0' && rest.back() <= '9')
		rest.remove_suffix(1);
	const bool is_one = rest.size() > 6 && (rest.ends_with("_ccnew") || rest.ends_with("_ccold"));
	return is_one ? rest.substr(0, rest.size() - 6) : name;
}

/// A statement's name for a relation, in the memory of the process; null if it is gone.
RangeVar *name_of(Oid oid)
{
	char *name = get_rel_name(oid);
	return name == nullptr ? nullptr : makeRangeVar(get_namespace_name(get_rel_namespace(oid)), name, -1);
}

/// The invalid indexes that a REINDEX CONCURRENTLY of this one has left behind, as DROP INDEX names them; where that got as far as
/// putting the new index in its place, it is one of them itself.
List *leftovers(Oid oid)
{
	Relation heap = lock_table(oid, false);
	const RangeVar *own = heap == nullptr ? nullptr : name_of(oid);
	List *names = NIL;
	if (own != nullptr) {
		const std::string_view base = get_index_isvalid(oid) ? own->relname : without_suffix(own->relname);
		// Not RelationGetIndexList(), which leaves out those that a DROP INDEX CONCURRENTLY has begun with.
		Relation catalogue = table_open(IndexRelationId, AccessShareLock);
		ScanKeyData key;
		ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(RelationGetRelid(heap)));
		SysScanDesc scan = systable_beginscan(catalogue, IndexIndrelidIndexId, true, nullptr, 1, &key);
		for (HeapTuple tuple; HeapTupleIsValid(tuple = systable_getnext(scan));) {
			const auto *index = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
			const RangeVar *name = index->indisvalid ? nullptr : name_of(index->indexrelid);
			if (name == nullptr)
				continue;
			const std::string_view of = without_suffix(name->relname);
			if (of.size() < std::strlen(name->relname) && base.starts_with(of))  // a long name was cut short
				names = lappend(names, list_make2(makeString(name->schemaname), makeString(name->relname)));
		}
		systable_endscan(scan);
		table_close(catalogue, AccessShareLock);
	}
	if (heap != nullptr)
		relation_close(heap, NoLock);
	return names;
}

/// Drops them, in transactions of their own. Does not wait long: whoever uses the table may do so for hours, and this process may
/// have been told to end.
void clean(Oid oid)
{
	SetConfigOption("lock_timeout", "1s", PGC_SUSET, PGC_S_OVERRIDE);
	PG_TRY();
	{
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
	}
	PG_CATCH();
	{
		report_failure();
	}
	PG_END_TRY();
	SetConfigOption("lock_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
}

/// Gives writers a chance to be through: a transaction that has written to the table and then wants a lock that REINDEX's forbids is
/// a deadlock's victim, if REINDEX waits for it already.
void let_writers_end(Oid table)
{
	constexpr int kTries = 50;
	constexpr long kMilliseconds = 100;
	for (int i = 0; i < kTries && !ConditionalLockRelationOid(table, ShareLock); ++i) {
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kMilliseconds, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
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
	Relation heap = lock_table(oid, true);  // rows are often loaded and vacuumed at once
	if (heap == nullptr) {
		commit();
		return;
	}
	bool rebuild = false;
	char *name = get_rel_name(oid);
	LockRelId table = heap->rd_lockInfo.lockRelId;
	LockRelationIdForSession(&table, ShareUpdateExclusiveLock);  // nobody else comes between measuring and building
	if (is_due(oid)) {
		pgstat_report_activity(STATE_RUNNING, psprintf("measuring the codes of index %s", name));
		rebuild = measure(oid, heap);
	}
	relation_close(heap, NoLock);
	commit();
	if (rebuild) {
		begin();
		let_writers_end(table.relId);
		commit();
		ereport(LOG, (errmsg("index \"%s\" is built anew, with codes that fit the rows it has now", name)));
		pgstat_report_activity(STATE_RUNNING, psprintf("REINDEX INDEX CONCURRENTLY %s", name));
		reindex(oid);
	}
	UnlockRelationIdForSession(&table, ShareUpdateExclusiveLock);
}

/// What failed is said in the log, and asked for again when further rows come.
void train_or_clean(Oid oid)
{
	clean(oid);
	PG_TRY();
	{
		train(oid);
	}
	PG_CATCH();
	{
		report_failure();
		clean(oid);
	}
	PG_END_TRY();
	pgstat_report_activity(STATE_IDLE, nullptr);
}

}  // namespace

}  // namespace vectorizer::hnsw

extern "C" void vectorizer_trainer_main(Datum argument)
{
	using namespace vectorizer;
	pqsignal(SIGTERM, hnsw::end_soon);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	Oid database;
	memcpy(&database, MyBgworkerEntry->bgw_extra, sizeof(database));
	pg::connect_background(database);
	if (!pg::attach_trainer())
		proc_exit(0);
	PortalContext = AllocSetContextCreate(TopMemoryContext, "vectorizer trainer", ALLOCSET_DEFAULT_SIZES);
	Oid index = pg::registry_exists() ? pg::next_to_train() : DatumGetObjectId(argument);
	while (OidIsValid(index) && !hnsw::told_to_end) {
		MemoryContextSwitchTo(PortalContext);
		hnsw::train_or_clean(index);
		MemoryContextReset(PortalContext);
		index = pg::registry_exists() ? pg::next_to_train() : InvalidOid;
	}
	proc_exit(0);
}
