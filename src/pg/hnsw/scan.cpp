#include "pg/hnsw/scan_parts.hpp"

#include "pg/hnsw/codebook.hpp"
#include "pg/kept_memory.hpp"

extern "C" {
#include "pgstat.h"
#include "utils/snapmgr.h"
}

namespace vectorizer::hnsw {

namespace {

/// The first round is not narrower, for its order's sake: of ten rows among ten candidates a further round is nearly always
/// due, and the two cost more than one of this width and find less.
constexpr std::size_t kLeastWidth = 16;

/// IndexScanDesc's opaque.
struct ScanState {
	MemoryContext context;  // of the Scan; reset by a rescan
	Scan *scan;
	Rerank *rerank;  // null before the first search
};

/// The query vector of the scan's one ORDER BY key; zeroes where it is NULL: every distance is then NULL, in any order.
const float *query_of(IndexScanDesc scan, const Index &index, const Arena &arena, bool *is_null)
{
	ScanKey key = &scan->orderByData[0];
	*is_null = (key->sk_flags & SK_ISNULL) != 0;
	if (*is_null) {
		std::span<float> zeroes = arena.array<float>(index.shape.dimensions);
		std::fill(zeroes.begin(), zeroes.end(), 0.0f);
		return zeroes.data();
	}
	VectorView query = view_of(key->sk_argument);
	if (query.dimensions != index.shape.dimensions)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("different vector dimensions %u and %u",
																index.shape.dimensions, query.dimensions)));
	return query.x;
}

Scan *begin(IndexScanDesc desc, MemoryContext context)
{
	MemoryContext before = MemoryContextSwitchTo(context);
	Relation relation = desc->indexRelation;
	Arena arena = pg::KeptMemory::borrow(context);
	auto *scan = new (arena.array<Scan>(1).data()) Scan(relation, open_index(relation), arena);
	bool is_null;
	scan->settings = scan_settings();
	scan->query = query_of(desc, scan->index, arena, &is_null);
	scan->strict = scan->settings.iterative_scan != IterativeScan::kRelaxedOrder && !is_null;
	const quantize::Shape &shape = scan->index.shape;
	scan->order_shows = shape.kind == quantize::Kind::kScalar && shape.bits == 8 && shape.metric != Metric::kL1;
	scan->width = static_cast<std::size_t>(scan->settings.ef_search);
	if (scan->settings.iterative_scan != IterativeScan::kOff)
		scan->width = std::max(scan->width, kLeastWidth);
	scan->report.index = RelationGetRelid(relation);
	scan->report.ef_search = scan->settings.ef_search;

	MetaPage meta = read_meta(relation);
	if (meta.entry != kNoNode) {
		quantize::Quantizer quantizer = open_quantizer(relation, scan->index, arena);
		scan->computer = quantizer.query(scan->query, arena);
		scan->finer = scan->computer.finer();
		NodeId entry = meta.entry_level > 0
						   ? graph::descend(scan->store, scan->computer, meta.entry, meta.entry_level, 1, arena)
						   : meta.entry;
		scan->search = new (arena.array<Search>(1).data())
			Search(scan->store, scan->computer, 0, Search::Use::kRounds, scan->width * scan->index.parameters.m, arena);
		scan->search->start({&entry, 1});
	}
	MemoryContextSwitchTo(before);
	return scan;
}

/// Reports the search so far, as one that ends here unless `more`.
void report(const Scan &scan, bool more)
{
	SearchReport report = scan.report;
	if (more)
		report.ending = Ending::kNotAsked;
	if (scan.search != nullptr) {
		report.hops = scan.search->hops();
		report.evaluations = scan.search->evaluations();
	}
	report.pages_glanced = scan.store.glances();
	report.pages_locked = scan.store.locks();
	report_search(report);
}

}  // namespace

IndexScanDesc am_begin_scan(Relation relation, int keys, int order_bys)
{
	IndexScanDesc scan = RelationGetIndexScan(relation, keys, order_bys);
	auto *state = static_cast<ScanState *>(palloc0(sizeof(ScanState)));
	state->context = AllocSetContextCreate(CurrentMemoryContext, "hnsw scan", ALLOCSET_DEFAULT_SIZES);
	scan->opaque = state;
	return scan;
}

void am_rescan(IndexScanDesc scan, ScanKey keys, int n_keys, ScanKey order_bys, int n_order_bys)
{
	auto *state = static_cast<ScanState *>(scan->opaque);
	state->scan = nullptr;
	if (state->rerank != nullptr)
		state->rerank->pause();
	MemoryContextReset(state->context);
	if (keys != nullptr && n_keys > 0)
		std::memmove(scan->keyData, keys, static_cast<std::size_t>(n_keys) * sizeof(ScanKeyData));
	if (order_bys != nullptr && n_order_bys > 0)
		std::memmove(scan->orderByData, order_bys, static_cast<std::size_t>(n_order_bys) * sizeof(ScanKeyData));
}

bool am_get_tuple(IndexScanDesc scan, ScanDirection direction)
{
	auto *state = static_cast<ScanState *>(scan->opaque);
	Assert(ScanDirectionIsForward(direction));
	(void) direction;
	if (state->scan == nullptr) {
		if (scan->numberOfOrderBys == 0)
			ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("cannot scan hnsw index without order")));
		if (!IsMVCCSnapshot(scan->xs_snapshot))
			ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("non-MVCC snapshots are not supported with hnsw")));
		pgstat_count_index_scan(scan->indexRelation);
		if (state->rerank == nullptr) {
			MemoryContext lasting = GetMemoryChunkContext(state);
			state->rerank = new (MemoryContextAlloc(lasting, sizeof(Rerank)))
				Rerank(scan, opclass_of(scan->indexRelation).metric, lasting);
		}
		state->scan = begin(scan, state->context);
	}
	MemoryContext before = MemoryContextSwitchTo(state->context);
	RowPointer row;
	bool found = next_row(*state->scan, *state->rerank, scan->indexRelation, &row);
	report(*state->scan, found);
	MemoryContextSwitchTo(before);
	if (!found)
		return false;
	scan->xs_heaptid = tid_of(row);
	scan->xs_recheck = false;
	scan->xs_recheckorderby = false;
	return true;
}

void am_end_scan(IndexScanDesc scan)
{
	auto *state = static_cast<ScanState *>(scan->opaque);
	if (state->rerank != nullptr)
		state->rerank->release();
	MemoryContextDelete(state->context);
	pfree(state);
	scan->opaque = nullptr;
}

}  // namespace vectorizer::hnsw
