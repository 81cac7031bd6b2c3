#include "pg/hnsw/build_parallel.hpp"

#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"
#include "pg/hnsw/build.hpp"
#include "pg/hnsw/build_memory.hpp"

#include <cmath>

extern "C" {
#include "access/parallel.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "commands/progress.h"
#include "executor/instrument.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "storage/condition_variable.h"
#include "storage/spin.h"
#include "tcop/tcopprot.h"
#include "utils/backend_progress.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

PGDLLEXPORT void vectorizer_hnsw_build_worker(dsm_segment *segment, shm_toc *toc);
}

namespace vectorizer::hnsw {

namespace {

// Keys of the parallel context's memory.
enum Key : std::uint64_t {
	kKeyBuild = 0x5658000000000001,
	kKeyMemory,
	kKeyScan,
	kKeyQuery,
	kKeyWal,
	kKeyBuffers,
};

struct ParallelBuild {
	Oid heap;
	Oid index;
	bool concurrent;
	BuildShare share;

	slock_t lock;              // of what follows
	int done;                  // participants that have scanned all they could
	double heap_rows;
	bool broken_hot_chain;
	ConditionVariable ended;   // of a participant's scan
};

/// What a participant has at hand, beside the table and the index.
struct Place {
	ParallelBuild *build;
	SharedMemory *memory;
	ParallelTableScanDesc scan;
	dsm_segment *segment;
};

void release_chunks(void *context, bool writer)
{
	auto *chunks = static_cast<SharedChunks *>(context);
	if (writer)
		chunks->give_back();
	chunks->unmap();
}

/// One participant's part: scans and inserts until the table has no more blocks. The leader, number 0, then waits for all
/// others, and writes the graph out if nobody has.
void participate(const Place &place, SharedChunks &chunks, Relation heap, Relation relation, IndexInfo *info, unsigned number,
				 int participants)
{
	ParallelBuild *build = place.build;
	BuildShare *share = &build->share;
	Builder builder = make_builder(relation, share, number);
	builder.alone = false;
	graph::MemoryGraph graph(builder.code(), builder.inserter.index.parameters, share->graph, chunks.source(),
							 pg::context_arena(CurrentMemoryContext));
	builder.release = release_chunks;
	builder.release_context = &chunks;

	int stage = BarrierAttach(&share->barrier);
	if (stage == kStageWriting)
		BarrierArriveAndWait(&share->barrier, WAIT_EVENT_PARALLEL_CREATE_INDEX_SCAN);
	if (stage == kStageMemory)
		build_in(builder, graph);
	if (number > 0)
		pg::crash_point("worker.begin");
	TableScanDesc scan = table_beginscan_parallel(heap, place.scan);
	double heap_rows = table_index_build_scan(heap, relation, info, true, number == 0, build_callback, &builder, scan);
	if (number > 0)
		pg::crash_point("worker.scanned");
	end_rows(builder);

	SpinLockAcquire(&build->lock);
	++build->done;
	build->heap_rows += heap_rows;
	build->broken_hot_chain = build->broken_hot_chain || info->ii_BrokenHotChain;
	SpinLockRelease(&build->lock);
	ConditionVariableSignal(&build->ended);
	if (number > 0) {
		chunks.unmap();
		return;
	}

	auto all_done = [&] {
		SpinLockAcquire(&build->lock);
		bool all = build->done == participants;
		SpinLockRelease(&build->lock);
		return all;
	};
	while (!all_done()) {
		constexpr long kReportEvery = 200;  // milliseconds
		ConditionVariableTimedSleep(&build->ended, kReportEvery, WAIT_EVENT_PARALLEL_CREATE_INDEX_SCAN);
		if (share->full)
			pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhasePages);
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(share->rows.load()));
	}
	ConditionVariableCancelSleep();
	if (share->full)
		builder.graph = nullptr;
	write_out(builder);
	chunks.unmap();
	info->ii_BrokenHotChain = build->broken_hot_chain;
}

/// Reserves a part of the parallel context's memory.
void reserve(ParallelContext *context, Size bytes)
{
	shm_toc_estimate_chunk(&context->estimator, bytes);
	shm_toc_estimate_keys(&context->estimator, 1);
}

void *allot(ParallelContext *context, Key key, Size bytes)
{
	void *memory = shm_toc_allocate(context->toc, bytes);
	shm_toc_insert(context->toc, key, memory);
	return memory;
}

/// How many workers the server plans. It asks how large the table is; what is stored out of line counts here, too.
int planned_workers(Relation heap, Relation relation)
{
	const int nest = NewGUCNestLevel();
	if (OidIsValid(heap->rd_rel->reltoastrelid)) {
		Relation toast = table_open(heap->rd_rel->reltoastrelid, AccessShareLock);
		const double own = RelationGetNumberOfBlocks(heap);
		const double all = own + RelationGetNumberOfBlocks(toast);
		table_close(toast, AccessShareLock);
		const char *least = psprintf("%.0f", std::floor(min_parallel_table_scan_size * (all > 0 ? own / all : 1)));
		SetConfigOption("min_parallel_table_scan_size", least, PGC_USERSET, PGC_S_SESSION);
	}
	const int workers = plan_create_index_workers(RelationGetRelid(heap), RelationGetRelid(relation));
	AtEOXact_GUC(true, nest);
	return workers;
}

}  // namespace

int workers_for_build(Relation heap, Relation relation, const IndexInfo *info, const Index &index)
{
	int workers = info->ii_ParallelWorkers;  // the server plans them for kinds of index it knows
	if (workers == 0)
		workers = planned_workers(heap, relation);
	if (workers == 0)
		return 0;
	const graph::MemorySizes sizes(index.parameters.m, graph::BuildCode::bytes(index.shape));
	const auto limit = static_cast<double>(memory_limit());
	const std::size_t expected = static_cast<std::size_t>(std::min(sizes.graph_bytes(expected_rows(heap)) * 1.2, limit)) +
								 SharedMemory::size(memory_limit(), sizes);
	return shared_memory_available(expected) ? workers : 0;
}

bool build_in_parallel(Relation heap, Relation relation, IndexInfo *info, const Index &index, int workers,
					   Scanned *scanned)
{
	EnterParallelMode();
	ParallelContext *context = CreateParallelContext("$libdir/vectorizer", "vectorizer_hnsw_build_worker", workers);
	Snapshot snapshot = info->ii_Concurrent ? RegisterSnapshot(GetTransactionSnapshot()) : SnapshotAny;
	const graph::MemorySizes sizes(index.parameters.m, graph::BuildCode::bytes(index.shape));
	const std::size_t most_bytes = graph_limit(static_cast<std::size_t>(workers) + 1);
	const Size memory_bytes = SharedMemory::size(most_bytes, sizes);
	const Size scan_bytes = table_parallelscan_estimate(heap, snapshot);
	const Size wal_bytes = mul_size(sizeof(WalUsage), static_cast<Size>(workers));
	const Size buffers_bytes = mul_size(sizeof(BufferUsage), static_cast<Size>(workers));
	const Size query_bytes = debug_query_string == nullptr ? 0 : std::strlen(debug_query_string) + 1;
	for (Size bytes : {Size{sizeof(ParallelBuild)}, memory_bytes, scan_bytes, wal_bytes, buffers_bytes})
		reserve(context, bytes);
	if (query_bytes > 0)
		reserve(context, query_bytes);
	InitializeParallelDSM(context);

	auto end = [&] {
		if (IsMVCCSnapshot(snapshot))
			UnregisterSnapshot(snapshot);
		DestroyParallelContext(context);
		ExitParallelMode();
	};
	if (context->seg == nullptr) {  // no segment of shared memory was left in the server
		end();
		return false;
	}

	Place place{new (allot(context, kKeyBuild, sizeof(ParallelBuild))) ParallelBuild{},
				static_cast<SharedMemory *>(allot(context, kKeyMemory, memory_bytes)),
				static_cast<ParallelTableScanDesc>(allot(context, kKeyScan, scan_bytes)), context->seg};
	place.build->heap = RelationGetRelid(heap);
	place.build->index = RelationGetRelid(relation);
	place.build->concurrent = info->ii_Concurrent;
	BarrierInit(&place.build->share.barrier, 0);
	SpinLockInit(&place.build->lock);
	ConditionVariableInit(&place.build->ended);
	place.memory->initialize(most_bytes, sizes);
	table_parallelscan_initialize(heap, place.scan, snapshot);
	auto *wal = static_cast<WalUsage *>(allot(context, kKeyWal, wal_bytes));
	auto *buffers = static_cast<BufferUsage *>(allot(context, kKeyBuffers, buffers_bytes));
	if (query_bytes > 0)
		std::memcpy(allot(context, kKeyQuery, query_bytes), debug_query_string, query_bytes);

	// Before there are workers: one that leaves first must not be the last user of the memory.
	SharedChunks chunks(place.memory, place.segment, &place.build->share.graph);
	LaunchParallelWorkers(context);
	if (context->nworkers_launched == 0) {
		WaitForParallelWorkersToFinish(context);
		end();
		return false;
	}
	ereport(DEBUG1, (errmsg_internal("building hnsw index \"%s\" with %d parallel workers",
									 RelationGetRelationName(relation), context->nworkers_launched)));
	// A worker that cannot start must not be waited for: this raises an error then.
	WaitForParallelWorkersToAttach(context);
	participate(place, chunks, heap, relation, info, 0, context->nworkers_launched + 1);
	WaitForParallelWorkersToFinish(context);
	for (int i = 0; i < context->nworkers_launched; ++i)
		InstrAccumParallelQuery(&buffers[i], &wal[i]);
	*scanned = {place.build->heap_rows, place.build->share.rows, place.build->share.nodes};
	end();
	return true;
}

void build_as_worker(dsm_segment *segment, shm_toc *toc)
{
	auto *build = static_cast<ParallelBuild *>(shm_toc_lookup(toc, kKeyBuild, false));
	debug_query_string = static_cast<const char *>(shm_toc_lookup(toc, kKeyQuery, true));
	pgstat_report_activity(STATE_RUNNING, debug_query_string);

	// The locks that the leader holds.
	const LOCKMODE heap_lock = build->concurrent ? ShareUpdateExclusiveLock : ShareLock;
	const LOCKMODE index_lock = build->concurrent ? RowExclusiveLock : AccessExclusiveLock;
	Relation heap = table_open(build->heap, heap_lock);
	Relation relation = index_open(build->index, index_lock);
	IndexInfo *info = BuildIndexInfo(relation);
	info->ii_Concurrent = build->concurrent;

	InstrStartParallelQuery();
	auto *memory = static_cast<SharedMemory *>(shm_toc_lookup(toc, kKeyMemory, false));
	SharedChunks chunks(memory, segment, &build->share.graph);
	participate({build, memory, static_cast<ParallelTableScanDesc>(shm_toc_lookup(toc, kKeyScan, false)), segment}, chunks,
				heap, relation, info, static_cast<unsigned>(ParallelWorkerNumber) + 1, 0);
	InstrEndParallelQuery(&static_cast<BufferUsage *>(shm_toc_lookup(toc, kKeyBuffers, false))[ParallelWorkerNumber],
						  &static_cast<WalUsage *>(shm_toc_lookup(toc, kKeyWal, false))[ParallelWorkerNumber]);

	index_close(relation, index_lock);
	table_close(heap, heap_lock);
}

}  // namespace vectorizer::hnsw

void vectorizer_hnsw_build_worker(dsm_segment *segment, shm_toc *toc)
{
	vectorizer::pg::guard([&] { vectorizer::hnsw::build_as_worker(segment, toc); });
}
