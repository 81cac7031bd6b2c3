#include "pg/hnsw/build_rows.hpp"

#include "pg/boundary.hpp"
#include "pg/hnsw/build.hpp"

extern "C" {
#include "commands/progress.h"
#include "utils/backend_progress.h"
#include "utils/wait_event.h"
}

namespace vectorizer::hnsw {

namespace {

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

/// Returns false if the graph has outgrown its memory.
bool add_in_memory(Builder &builder, VectorView vector, RowPointer row)
{
	using Outcome = graph::MemoryGraph::Outcome;
	const auto inserted = builder.graph->insert(vector.x, row, draw_level(builder.inserter.index, &builder.random),
												pg::context_arena(builder.row_context), pg::interrupt_pending());
	if (inserted.outcome == Outcome::kStopped) {
		CHECK_FOR_INTERRUPTS();
		ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("building an hnsw index was interrupted")));
	}
	builder.share->nodes += inserted.outcome == Outcome::kAdded ? 1 : 0;
	return inserted.outcome != Outcome::kFull;
}

void add(Builder &builder, VectorView vector, RowPointer row)
{
	if (builder.graph != nullptr) {
		if (!builder.share->full && add_in_memory(builder, vector, row))
			return;
		go_on_on_pages(builder);
	}
	builder.share->nodes += insert_row(builder.inserter, vector, row) ? 1 : 0;
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
					AllocSetContextCreate(CurrentMemoryContext, "hnsw build row", ALLOCSET_DEFAULT_SIZES),
					{},
					true,
					number == 0};
	pg_prng_seed(&builder.random, builder.inserter.index.shape.seed + number);
	return builder;
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
	if (indexable(builder.inserter.index.shape.metric, vector)) {
		add(builder, vector, row_of(*tid));
		const std::uint64_t rows = ++builder.share->rows;
		if (builder.reports)
			pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(rows));
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(builder.row_context);
}

void leave_build(Builder &builder)
{
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
