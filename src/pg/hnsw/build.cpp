#include "pg/hnsw/build.hpp"

#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"
#include "pg/hnsw/build_parallel.hpp"
#include "pg/hnsw/choose.hpp"
#include "pg/hnsw/codebook.hpp"

extern "C" {
#include "access/tableam.h"
#include "access/xloginsert.h"
#include "commands/progress.h"
#include "optimizer/plancat.h"
#include "utils/backend_progress.h"
}

namespace vectorizer::hnsw {

namespace {

/// Builds in this process alone.
Scanned build_alone(Relation heap, Relation relation, IndexInfo *info)
{
	BuildShare share;
	Builder builder = make_builder(relation, &share, 0);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hnsw graph", ALLOCSET_DEFAULT_SIZES);
	const Arena arena = pg::context_arena(context);
	graph::ArenaChunks chunks(arena, graph_limit(1));
	graph::MemoryGraph graph(builder.code(), builder.inserter.index.parameters, chunks.state, chunks.source(), arena);
	builder.release = [](void *memory, bool) { MemoryContextReset(static_cast<MemoryContext>(memory)); };
	builder.release_context = context;
	build_in(builder, graph);
	double heap_rows = table_index_build_scan(heap, relation, info, true, true, build_callback, &builder, nullptr);
	end_rows(builder);
	write_out(builder);
	MemoryContextDelete(context);
	for (MemoryContext used : {builder.row_context, builder.insert_context, builder.batch_context})
		MemoryContextDelete(used);
	return {heap_rows, share.rows, share.nodes};
}

/// Logs all pages, some at a time, so that progress shows.
void log_pages(Relation relation)
{
	constexpr BlockNumber kStep = 1024;
	const BlockNumber blocks = RelationGetNumberOfBlocks(relation);
	report_phase(kPhaseLog, 0);
	pgstat_progress_update_param(PROGRESS_SCAN_BLOCKS_TOTAL, blocks);
	for (BlockNumber from = 0; from < blocks; from += kStep) {
		const BlockNumber to = std::min(from + kStep, blocks);
		log_newpage_range(relation, MAIN_FORKNUM, from, to, true);
		pgstat_progress_update_param(PROGRESS_SCAN_BLOCKS_DONE, to);
	}
}

/// The first page of a fork of an index that has none.
void create_meta_page(Relation relation, ForkNumber fork, const Index &index, const Choice &choice)
{
	Buffer buffer = ReadBufferExtended(relation, fork, P_NEW, RBM_NORMAL, nullptr);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	init_meta_page(BufferGetPage(buffer), index, choice.flags, choice.evidence);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
	if (fork == INIT_FORKNUM)  // the main fork is logged when the build ends; this one must survive whatever happens
		log_newpage_range(relation, fork, 0, 1, true);
}

}  // namespace

IndexBuildResult *am_build(Relation heap, Relation relation, IndexInfo *info)
{
	if (RelationGetNumberOfBlocks(relation) != 0)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
						errmsg("index \"%s\" already contains data", RelationGetRelationName(relation))));
	Choice choice = choose_on_rows(heap, relation, info);
	Index index = make_index(choice.shape, choice.parameters);
	create_meta_page(relation, MAIN_FORKNUM, index, choice);
	pg::crash_point("build.metapage");
	if (!choice.codebook.empty())
		write_codebook(relation, choice.codebook);

	report_phase(kPhaseMemory, expected_rows(heap));
	Scanned scanned;
	const int workers = workers_for_build(heap, relation, info, index);
	if (workers == 0 || !build_in_parallel(heap, relation, info, index, workers, &scanned))
		scanned = build_alone(heap, relation, info);

	{
		pg::PageChange change(relation, false);
		meta_of(change.lock(kMetaBlock))->live = scanned.nodes;
		change.commit();
	}
	pg::crash_point("build.written");
	if (RelationNeedsWAL(relation))
		log_pages(relation);
	pg::crash_point("build.logged");

	auto *result = static_cast<IndexBuildResult *>(palloc(sizeof(IndexBuildResult)));
	result->heap_tuples = scanned.heap_rows;
	result->index_tuples = static_cast<double>(scanned.rows);
	return result;
}

void am_build_empty(Relation relation)
{
	Choice choice = choose(relation);
	create_meta_page(relation, INIT_FORKNUM, make_index(choice.shape, choice.parameters), choice);
}

void report_phase(BuildPhase phase, double rows)
{
	const int parameters[] = {PROGRESS_CREATEIDX_SUBPHASE, PROGRESS_CREATEIDX_TUPLES_TOTAL, PROGRESS_CREATEIDX_TUPLES_DONE,
							  PROGRESS_SCAN_BLOCKS_TOTAL, PROGRESS_SCAN_BLOCKS_DONE};
	const int64 values[] = {phase, static_cast<int64>(rows), 0, 0, 0};
	pgstat_progress_update_multi_param(lengthof(parameters), parameters, values);
}

double expected_rows(Relation heap)
{
	BlockNumber pages;
	double rows, all_visible;
	estimate_rel_size(heap, nullptr, &pages, &rows, &all_visible);
	return rows;
}

char *am_phase_name(int64 phase)
{
	switch (phase) {
		case kPhaseInitialize: return pstrdup("initializing");
		case kPhaseMemory: return pstrdup("building the graph in memory");
		case kPhaseWrite: return pstrdup("writing the graph to pages");
		case kPhasePages: return pstrdup("building on pages, beyond maintenance_work_mem");
		case kPhaseLog: return pstrdup("writing WAL");
		default: return nullptr;
	}
}

}  // namespace vectorizer::hnsw
