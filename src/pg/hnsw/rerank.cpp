#include "pg/hnsw/rerank.hpp"

#include "core/prefetch.hpp"
#include "pg/hnsw/index.hpp"
#include "pg/page.hpp"

extern "C" {
#include "access/heapam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "storage/bufmgr.h"
}

namespace vectorizer::hnsw {

Rerank::Rerank(IndexScanDesc scan, Metric metric, MemoryContext context)
	: index_(scan->indexRelation), heap_(scan->heapRelation), snapshot_(scan->xs_snapshot), metric_(metric),
	  is_heap_(heap_->rd_tableam == GetHeapamTableAmRoutine()), asks_ahead_(pg::asks_ahead(heap_)), glance_(heap_)
{
	MemoryContext before = MemoryContextSwitchTo(context);
	info_ = BuildIndexInfo(index_);
	estate_ = CreateExecutorState();
	fetch_ = table_index_fetch_begin(heap_);
	slot_ = table_slot_create(heap_, nullptr);
	GetPerTupleExprContext(estate_)->ecxt_scantuple = slot_;
	row_context_ = AllocSetContextCreate(context, "hnsw rerank row", ALLOCSET_DEFAULT_SIZES);
	heap_blocks_ = RelationGetNumberOfBlocks(heap_);
	pg::BufferHints::fit(heap_blocks_);
	MemoryContextSwitchTo(before);
}

namespace {

BlockNumber block_of(RowPointer row)
{
	return (static_cast<BlockNumber>(row.block_high) << 16) | row.block_low;
}

}  // namespace

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

void Rerank::prefetch_page(RowPointer row) const
{
	if (!is_heap_ || !row.valid() || row.offset > MaxHeapTuplesPerPage)
		return;
	const pg::Buffered *at = glance_.find(block_of(row));
	if (asks_ahead_ && (at == nullptr || !glance_.holds(at, block_of(row))) && block_of(row) < heap_blocks_)
		pg::ask_for_page(heap_, block_of(row));
	if (at != nullptr) {
		prefetch(at);
		prefetch(PageGetItemId(const_cast<char *>(pg::Glance::bytes(at)), row.offset));
	}
}

void Rerank::prefetch_row(RowPointer row) const
{
	constexpr std::size_t kMost = 12 * kCacheLine;  // the processor itself goes on
	if (!is_heap_ || !row.valid() || row.offset > MaxHeapTuplesPerPage)
		return;
	const pg::Buffered *at = glance_.find(block_of(row));
	if (at == nullptr || !glance_.holds(at, block_of(row)))
		return;
	const char *page = pg::Glance::bytes(at);
	const std::size_t offset = ItemIdGetOffset(PageGetItemId(const_cast<char *>(page), row.offset));
	if (offset < BLCKSZ)
		prefetch(page + offset, std::min(kMost, BLCKSZ - offset));
}

/// Pins the row's page for the table fetch, which looks first whether it has the page already: where this backend saw the
/// page last costs less to ask than the buffer table does.
void Rerank::pin(BlockNumber block)
{
	auto *fetch = reinterpret_cast<IndexFetchHeapData *>(fetch_);
	if (BufferIsValid(fetch->xs_cbuf)) {
		if (BufferGetBlockNumber(fetch->xs_cbuf) == block)
			return;
		ReleaseBuffer(fetch->xs_cbuf);
		fetch->xs_cbuf = InvalidBuffer;
	}
	fetch->xs_cbuf = pg::pin_page(heap_, block);
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
	if (is_heap_)
		pin(block);
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
