#include "pg/hnsw/rerank.hpp"

#include "pg/hnsw/index.hpp"

extern "C" {
#include "catalog/index.h"
#include "executor/executor.h"
#include "storage/bufmgr.h"
}

namespace vectorizer::hnsw {

void Rerank::init(IndexScanDesc scan, Metric metric, MemoryContext context)
{
	MemoryContext before = MemoryContextSwitchTo(context);
	index_ = scan->indexRelation;
	heap_ = scan->heapRelation;
	snapshot_ = scan->xs_snapshot;
	metric_ = metric;
	info_ = BuildIndexInfo(index_);
	estate_ = CreateExecutorState();
	fetch_ = table_index_fetch_begin(heap_);
	slot_ = table_slot_create(heap_, nullptr);
	GetPerTupleExprContext(estate_)->ecxt_scantuple = slot_;
	row_context_ = AllocSetContextCreate(context, "hnsw rerank row", ALLOCSET_DEFAULT_SIZES);
	heap_blocks_ = RelationGetNumberOfBlocks(heap_);
	MemoryContextSwitchTo(before);
}

void Rerank::release()
{
	table_index_fetch_end(fetch_);
	ExecDropSingleTupleTableSlot(slot_);
	FreeExecutorState(estate_);
}

void Rerank::pause()
{
	table_index_fetch_reset(fetch_);
}

bool Rerank::exact(RowPointer row, const float *query, std::uint32_t dimensions, double *distance)
{
	ItemPointerData tid = tid_of(row);
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(&tid);
	if (block >= heap_blocks_) {
		heap_blocks_ = RelationGetNumberOfBlocks(heap_);
		if (block >= heap_blocks_)
			ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
							errmsg("index \"%s\" points to row (%u,%u) beyond the end of its table",
								   RelationGetRelationName(index_), block, row.offset),
							errhint("REINDEX it; its table is not affected.")));
	}
	bool call_again = false;
	if (!table_index_fetch_tuple(fetch_, &tid, snapshot_, slot_, &call_again, nullptr))
		return false;

	MemoryContext before = MemoryContextSwitchTo(row_context_);
	Datum value[INDEX_MAX_KEYS];
	bool is_null[INDEX_MAX_KEYS];
	FormIndexDatum(info_, slot_, estate_, value, is_null);
	bool usable = !is_null[0];
	if (usable) {
		VectorView vector = view_of(value[0]);
		check_dimensions(vector, dimensions);
		*distance = quantize::exact_distance(metric_, query, vector.x, dimensions);
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(row_context_);
	ResetPerTupleExprContext(estate_);
	ExecClearTuple(slot_);
	return usable;
}

}  // namespace vectorizer::hnsw
