#include "pg/hnsw/build_rows.hpp"

#include "pg/boundary.hpp"
#include "pg/hnsw/build.hpp"
#include "pg/kept_memory.hpp"

extern "C" {
#include "commands/progress.h"
#include "utils/backend_progress.h"
#include "utils/wait_event.h"
}

namespace vectorizer::hnsw {

namespace {

constexpr Size kBatchBlock = 64 * 1024;  // blocks that grew, as by default, would take twice what a batch holds

void wait_for_all(Builder &builder, bool *elected)
{
	*elected = BarrierArriveAndWait(&builder.share->barrier, WAIT_EVENT_PARALLEL_CREATE_INDEX_SCAN);
}

/// The memory is full: one of the participants writes the graph out when all have come here, then all go on on pages.
void go_on_on_pages(Builder &builder)
{
	builder.share->full = true;
	if (builder.reports)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseWrite);
	bool writes = true;
	if (!builder.alone)
		wait_for_all(builder, &writes);
	if (writes)
		write_out(builder);
	else
		builder.graph = nullptr;
	if (!builder.alone)
		wait_for_all(builder, &writes);
	builder.release(builder.release_context, writes);
	if (builder.reports)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhasePages);
}

void count_row(Builder &builder, bool new_node)
{
	builder.share->nodes += new_node ? 1 : 0;
	const std::uint64_t rows = ++builder.share->rows;
	if (builder.reports)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(rows));
}

void insert_batch(Builder &builder)
{
	using Outcome = graph::MemoryGraph::Outcome;
	for (const graph::MemoryGraph::Newcomer *newcomer : builder.batch->arranged()) {
		CHECK_FOR_INTERRUPTS();
		const auto inserted = builder.graph->insert(*newcomer, pg::KeptMemory::borrow(builder.insert_context), pg::interrupt_pending());
		if (inserted.outcome == Outcome::kStopped) {
			CHECK_FOR_INTERRUPTS();
			ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("building an hnsw index was interrupted")));
		}
		count_row(builder, inserted.outcome == Outcome::kAdded);
		MemoryContextReset(builder.insert_context);
	}
	builder.batch->clear();
	MemoryContextReset(builder.batch_context);
}

void add(Builder &builder, VectorView vector, RowPointer row)
{
	if (builder.graph != nullptr) {
		if (!builder.share->full && builder.batch->add(vector.x, row, draw_level(builder.inserter.index, &builder.random),
													   pg::KeptMemory::borrow(builder.row_context))) {
			if (builder.batch->enough())
				insert_batch(builder);
			return;
		}
		insert_batch(builder);
		go_on_on_pages(builder);
	}
	count_row(builder, insert_row(builder.inserter, vector, row));
}

}  // namespace

Builder make_builder(Relation relation, BuildShare *share, unsigned number)
{
	Inserter inserter = make_inserter(relation, false, CurrentMemoryContext);
	const quantize::Shape &stored = inserter.index.shape;
	const quantize::Shape walked = graph::shape_to_build_on(stored);
	Builder builder{inserter,
					walked == stored ? inserter.quantizer : quantize::Quantizer(walked, pg::context_arena(CurrentMemoryContext)),
					share,
					nullptr,
					nullptr,
					nullptr,
					nullptr,
					AllocSetContextCreate(CurrentMemoryContext, "hnsw build row", ALLOCSET_DEFAULT_SIZES),
					AllocSetContextCreate(CurrentMemoryContext, "hnsw build insert", ALLOCSET_DEFAULT_SIZES),
					GenerationContextCreate(CurrentMemoryContext, "hnsw build batch", 0, kBatchBlock, kBatchBlock),
					{},
					true,
					number == 0};
	pg_prng_seed(&builder.random, builder.inserter.index.shape.seed + number);
	return builder;
}

void build_in(Builder &builder, graph::MemoryGraph &graph)
{
	builder.graph = &graph;
	builder.batch = new (palloc(sizeof(graph::Batch))) graph::Batch(graph, pg::context_arena(builder.batch_context));
}

void build_callback(Relation, ItemPointer tid, Datum *values, bool *isnull, bool, void *state)
{
	auto &builder = *static_cast<Builder *>(state);
	if (isnull[0])
		return;
	CHECK_FOR_INTERRUPTS();

	MemoryContext before = MemoryContextSwitchTo(builder.row_context);
	VectorView vector = view_of(values[0]);
	check_dimensions(vector, builder.inserter.index.shape.dimensions);
	if (indexable(builder.inserter.index.shape.metric, vector))
		add(builder, vector, row_of(*tid));
	MemoryContextSwitchTo(before);
	MemoryContextReset(builder.row_context);
}

void end_rows(Builder &builder)
{
	if (builder.graph != nullptr)
		insert_batch(builder);
	if (!builder.alone)
		BarrierDetach(&builder.share->barrier);  // arriving would begin the next stage if all others are yet to attach
}

void write_out(Builder &builder)
{
	if (builder.graph == nullptr)
		return;
	if (builder.reports)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseWrite);
	write_graph(builder.inserter.relation, builder.inserter.index, *builder.graph);
	builder.graph = nullptr;
}

}  // namespace vectorizer::hnsw
