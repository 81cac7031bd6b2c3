#include "pg/hnsw/build.hpp"

#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"
#include "pg/hnsw/choose.hpp"
#include "pg/hnsw/codebook.hpp"
#include "pg/hnsw/insert.hpp"

extern "C" {
#include "access/tableam.h"
#include "access/xloginsert.h"
#include "commands/progress.h"
#include "utils/backend_progress.h"
}

namespace vectorizer::hnsw {

namespace {

struct Build {
	Inserter inserter;
	graph::MemoryGraph *graph;    // null once it has been written out
	MemoryContext graph_context;
	MemoryContext row_context;    // reset for every row
	std::size_t memory_limit;
	double rows;                  // indexed rows
	std::uint64_t nodes;          // those that are not folded into another
	pg_prng_state random;         // of levels: seeded alike, so that a build in memory of equal rows gives an equal index
};

void write_out(Build &build)
{
	if (build.graph == nullptr)
		return;
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseWrite);
	write_graph(build.inserter.relation, build.inserter.index, *build.graph);
	build.graph = nullptr;
	MemoryContextReset(build.graph_context);
}

void add_row_in_memory(Build &build, VectorView vector, RowPointer row)
{
	bool folded;
	NodeId id = build.graph->insert(vector.x, row, draw_level(build.inserter.index, &build.random),
									pg::context_arena(build.row_context), pg::interrupt_pending(), &folded);
	if (id == kNoNode) {
		CHECK_FOR_INTERRUPTS();
		ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("building an hnsw index was interrupted")));
	}
	build.nodes += folded ? 0 : 1;
}

void build_callback(Relation, ItemPointer tid, Datum *values, bool *isnull, bool, void *state)
{
	auto &build = *static_cast<Build *>(state);
	if (isnull[0])
		return;
	CHECK_FOR_INTERRUPTS();

	MemoryContext before = MemoryContextSwitchTo(build.row_context);
	VectorView vector = view_of(values[0]);
	check_dimensions(vector, build.inserter.index.shape.dimensions);
	if (indexable(build.inserter.index.shape.metric, vector)) {
		if (build.graph != nullptr &&
			build.graph->bytes() + MemoryContextMemAllocated(build.row_context, true) > build.memory_limit) {
			write_out(build);
			pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhasePages);
		}
		if (build.graph != nullptr)
			add_row_in_memory(build, vector, row_of(*tid));
		else
			build.nodes += insert_row(build.inserter, vector, row_of(*tid)) ? 1 : 0;
		++build.rows;
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(build.rows));
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(build.row_context);
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
		write_codebook(relation, choice.codebook, false);

	Build build{make_inserter(relation, false, CurrentMemoryContext),
				nullptr,
				AllocSetContextCreate(CurrentMemoryContext, "hnsw graph", ALLOCSET_DEFAULT_SIZES),
				AllocSetContextCreate(CurrentMemoryContext, "hnsw build row", ALLOCSET_DEFAULT_SIZES),
				static_cast<std::size_t>(maintenance_work_mem) * 1024,
				0,
				0,
				{}};
	pg_prng_seed(&build.random, index.shape.seed);
	graph::MemoryGraph graph(build.inserter.quantizer, index.parameters, pg::context_arena(build.graph_context));
	build.graph = &graph;

	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseMemory);
	double heap_rows = table_index_build_scan(heap, relation, info, true, true, build_callback, &build, nullptr);
	write_out(build);

	{
		pg::PageChange change(relation, false);
		meta_of(change.lock(kMetaBlock))->live = build.nodes;
		change.commit();
	}
	pg::crash_point("build.written");
	if (RelationNeedsWAL(relation)) {
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseLog);
		log_newpage_range(relation, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(relation), true);
	}
	pg::crash_point("build.logged");
	MemoryContextDelete(build.graph_context);
	MemoryContextDelete(build.row_context);

	auto *result = static_cast<IndexBuildResult *>(palloc(sizeof(IndexBuildResult)));
	result->heap_tuples = heap_rows;
	result->index_tuples = build.rows;
	return result;
}

void am_build_empty(Relation relation)
{
	Choice choice = choose(relation);
	create_meta_page(relation, INIT_FORKNUM, make_index(choice.shape, choice.parameters), choice);
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
