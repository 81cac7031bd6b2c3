#include "pg/hnsw/scan.hpp"

#include "core/graph/search.hpp"
#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"
#include "pg/hnsw/codebook.hpp"
#include "pg/hnsw/last_search.hpp"
#include "pg/hnsw/page_store.hpp"
#include "pg/hnsw/rerank.hpp"

#include <tuple>

extern "C" {
#include "pgstat.h"
#include "utils/snapmgr.h"
}

namespace vectorizer::hnsw {

namespace {

/// A candidate counts as worse than a row whose exact distance lies this many sigmas below its estimate. One in a thousand
/// is nearer than that all the same, and then comes too late.
constexpr double kSigmas = 3;

/// A node whose rows have not been fetched yet.
struct Unfetched {
	double bound;  // a distance that its rows hardly fall below
	NodeId node;
};

/// The same with its rows looked up: fetched next.
struct Ready {
	Unfetched node;
	PageStore::Rows rows;
};

/// A row with its exact distance.
struct Fetched {
	double distance;
	RowPointer row;
};

struct RowOrder {
	bool operator()(RowPointer a, RowPointer b) const
	{
		return std::tie(a.block_high, a.block_low, a.offset) < std::tie(b.block_high, b.block_low, b.offset);
	}
};

struct BoundFirst {
	bool operator()(const Unfetched &a, const Unfetched &b) const { return nearer(a.bound, b.bound); }
};
struct DistanceFirst {
	bool operator()(const Fetched &a, const Fetched &b) const { return nearer(a.distance, b.distance); }
};

using Search = graph::Search<PageStore>;

/// One scan, from its first tuple to its end or rescan. Lives in the scan's memory context.
struct Scan {
	Scan(Relation relation, const Index &facts, const Arena &memory)
		: index(facts), arena(memory), store(relation, facts), unfetched(memory), fetched(memory), rows(memory) {}

	Index index;
	Arena arena;
	PageStore store;
	ScanSettings settings{};
	const float *query = nullptr;
	quantize::Computer computer;    // the query's
	bool strict = true;
	std::size_t width = 0;          // candidates of the next round
	Search *search = nullptr;       // null: the index is empty
	static constexpr unsigned kReady = 8, kRowsPrefetched = 4;
	Ready ready[kReady];            // nearer than any unfetched node, nearest first
	unsigned first_ready = 0, end_ready = 0;
	graph::Heap<Unfetched, BoundFirst> unfetched;
	graph::Heap<Fetched, DistanceFirst> fetched;
	graph::Heap<RowPointer, RowOrder> rows;  // of one node, in the table's order
	bool ended = false;             // no further rounds
	double last_distance = 0;       // of the row returned last
	SearchReport report{};
};
static_assert(std::is_trivially_destructible_v<Scan>);

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
	Arena arena = pg::context_arena(context);
	auto *scan = new (arena.array<Scan>(1).data()) Scan(relation, open_index(relation), arena);
	bool is_null;
	scan->settings = scan_settings();
	scan->query = query_of(desc, scan->index, arena, &is_null);
	scan->strict = scan->settings.iterative_scan != IterativeScan::kRelaxedOrder && !is_null;
	scan->width = static_cast<std::size_t>(scan->settings.ef_search);
	scan->report.index = RelationGetRelid(relation);
	scan->report.ef_search = scan->settings.ef_search;

	MetaPage meta = read_meta(relation);
	if (meta.entry != kNoNode) {
		quantize::Quantizer quantizer = open_quantizer(relation, scan->index, arena);
		scan->computer = quantizer.query(scan->query, arena);
		NodeId entry = meta.entry_level > 0
						   ? graph::descend(scan->store, scan->computer, meta.entry, meta.entry_level, 1, arena)
						   : meta.entry;
		scan->search = new (arena.array<Search>(1).data())
			Search(scan->store, scan->computer, 0, Search::Use::kRounds, scan->width * 2 * scan->index.parameters.m, arena);
		scan->search->start({&entry, 1});
	}
	MemoryContextSwitchTo(before);
	return scan;
}

/// Takes up every live node that the graph did not lead to: the graph alone leaves some without a link.
void sweep(Scan &scan, Relation relation)
{
	scan.report.swept = true;
	unsigned per_page = scan.index.slots_per_page;
	std::span<NodeId> unseen = scan.arena.array<NodeId>(per_page);
	GroupFrame frame;
	BlockNumber blocks = RelationGetNumberOfBlocks(relation);
	for (BlockNumber block = 1; block < blocks; ++block) {
		CHECK_FOR_INTERRUPTS();
		std::size_t n = 0;
		bool is_node_page = pg::read_page(relation, block, [&](Page page) {
			return frame.kind(relation, scan.index, block, page) == PageKind::kNodes;
		});
		if (is_node_page)
			scan.store.on_node_page(block, [&](Page page) {
				for (unsigned slot = 0; slot < items_on(page, scan.index.layout.slot_bytes()); ++slot) {
					const std::byte *bytes = scan.store.used_slot(block, page, slot);
					NodeId id = node_at(block, slot, per_page);
					if (bytes != nullptr && graph::SlotLayout::header(bytes).state == 1 && !scan.search->visited().contains(id))
						unseen[n++] = id;
				}
			});
		scan.search->add(unseen.first(n));
	}
}

double bound_of(const Scan &scan, const graph::Candidate &node)
{
	return node.distance - kSigmas * scan.computer.error(node.factors, node.distance);
}

/// No further round.
void end(Scan &scan, Ending why)
{
	scan.ended = true;
	scan.report.ending = why;
}

/// Widens the search by one round. False if there is nothing more to find, or to be looked for.
bool widen(Scan &scan, Relation relation)
{
	if (scan.search == nullptr || scan.ended)
		return false;
	while (scan.first_ready < scan.end_ready)
		scan.unfetched.push(scan.ready[--scan.end_ready].node);
	Search &search = *scan.search;
	if (search.exhausted() && !search.anything_waiting()) {
		if (!scan.report.swept)
			sweep(scan, relation);
		if (search.exhausted() && !search.anything_waiting()) {
			end(scan, Ending::kEveryRow);
			return false;
		}
	}
	pg::crash_point("scan.round");
	if (!search.round(scan.width, pg::interrupt_pending()))
		CHECK_FOR_INTERRUPTS();
	for (std::size_t i = 0; i < search.found(); ++i)
		scan.unfetched.push({bound_of(scan, search.found(i)), search.found(i).id});
	scan.width *= 2;
	++scan.report.rounds;

	auto limit = static_cast<std::uint64_t>(scan.settings.max_scan_tuples);
	if (scan.settings.iterative_scan == IterativeScan::kOff)
		end(scan, Ending::kOneRound);
	else if (limit > 0 && scan.report.rows + scan.unfetched.size() >= limit)
		end(scan, Ending::kTupleLimit);
	return true;
}

/// Three sigmas of a product code of few bytes reach most of a large table: to run a further round for, one has to do.
double waiting_sigmas(const quantize::Shape &shape)
{
	return shape.kind == quantize::Kind::kProduct ? 1 : kSigmas;
}

/// Whether a node that waits for the next round may hold a row nearer than this.
bool may_be_nearer(const Scan &scan, double distance)
{
	if (scan.search == nullptr || !scan.search->anything_waiting())
		return false;
	const graph::Candidate &first = scan.search->first_waiting();
	double sigma = scan.computer.error(first.factors, first.distance);
	return nearer(first.distance - waiting_sigmas(scan.index.shape) * sigma, distance);
}

void fetch_row(Scan &scan, Rerank &rerank, RowPointer row)
{
	double distance;
	if (row.valid() && rerank.exact(row, scan.query, scan.index.shape.dimensions, &distance))
		scan.fetched.push({distance, row});
	++scan.report.heap_fetches;
}

/// Adds the rows of a node to scan.rows: its first, and those that were folded into it. Returns the chunk at which their
/// chain broke off, because vacuum has taken it out and freed it meanwhile; kNoChunk if none did. A chunk that was freed and
/// then taken by the same node leads through the chain again. A node that is another one by now has nothing that this
/// snapshot could see.
std::uint32_t collect_rows(Scan &scan, Relation relation, NodeId node, const PageStore::Rows &rows)
{
	if (rows.first.valid())
		scan.rows.push(rows.first);
	ChainGuard guard;
	for (std::uint32_t next = rows.duplicates; next != kNoChunk;) {
		CHECK_FOR_INTERRUPTS();
		guard.meet(relation, next);
		pg::crash_point("scan.chunk");
		if (!scan.store.exists(chunk_block(next)))
			return next;
		Chunk chunk{};
		bool valid = pg::read_page(relation, chunk_block(next), [&](Page page) {
			check_page(relation, chunk_block(next), page, PageKind::kOverflow, sizeof(Chunk), true);
			unsigned at = next % kChunksPerPage;
			if (PageIsNew(page) || at >= items_on(page, sizeof(Chunk)))
				return false;
			chunk = *chunk_of(page, at);
			return chunk.owner == node && chunk.generation == rows.generation && chunk.sound();
		});
		if (!valid)
			return next;
		for (unsigned i = 0; i < chunk.rows_in_use(); ++i)
			scan.rows.push(chunk.rows[i]);
		next = chunk.next;
	}
	return kNoChunk;
}

/// Fetches all rows of a node. Those that this snapshot sees keep their chunk for as long as it lives, but empty chunks before
/// them may go: a chain that breaks off is walked anew.
void fetch_node(Scan &scan, Rerank &rerank, Relation relation, NodeId node, std::optional<PageStore::Rows> rows)
{
	if (rows->duplicates == kNoChunk) {
		fetch_row(scan, rerank, rows->first);
		return;
	}
	scan.rows.clear();
	std::uint32_t broken_before = kNoChunk;
	while (rows) {
		std::uint32_t broken = collect_rows(scan, relation, node, *rows);
		if (broken == kNoChunk)
			break;
		rows = scan.store.rows(node);
		if (rows && broken == broken_before)
			corrupted(relation, chunk_block(broken), "a chain of duplicate rows leads to a chunk of another node");
		broken_before = broken;
	}
	RowPointer last{};
	while (!scan.rows.empty()) {
		RowPointer row = scan.rows.pop();
		if (row != last)
			fetch_row(scan, rerank, row);
		last = row;
	}
}

/// Looks up the rows of the nodes to be fetched next, some at a time, so that the memory they lie in is fetched meanwhile.
/// Whether there are any.
bool make_ready(Scan &scan, const Rerank &rerank)
{
	if (scan.first_ready < scan.end_ready)
		return true;
	scan.first_ready = scan.end_ready = 0;
	while (scan.end_ready < Scan::kReady && !scan.unfetched.empty()) {
		Unfetched node = scan.unfetched.pop();
		if (std::optional<PageStore::Rows> rows = scan.store.rows(node.node)) {
			rerank.prefetch_page(rows->first);
			scan.ready[scan.end_ready++] = {node, *rows};
		}
	}
	for (unsigned i = 0; i < std::min(scan.end_ready, Scan::kRowsPrefetched); ++i)
		rerank.prefetch_row(scan.ready[i].rows.first);
	return scan.end_ready > 0;
}

/// The next row in order, by distance within a round.
bool next_row(Scan &scan, Rerank &rerank, Relation relation, RowPointer *row)
{
	for (;;) {
		CHECK_FOR_INTERRUPTS();
		while (make_ready(scan, rerank) &&
			   (scan.fetched.empty() ||
				nearer(scan.ready[scan.first_ready].node.bound, scan.fetched.top().distance))) {
			unsigned at = scan.first_ready++;
			if (at + Scan::kRowsPrefetched < scan.end_ready)
				rerank.prefetch_row(scan.ready[at + Scan::kRowsPrefetched].rows.first);
			fetch_node(scan, rerank, relation, scan.ready[at].node.node, scan.ready[at].rows);
		}
		if (scan.fetched.empty()) {
			if (!widen(scan, relation))
				return false;
			continue;
		}
		if (scan.strict && may_be_nearer(scan, scan.fetched.top().distance) && widen(scan, relation))
			continue;
		Fetched best = scan.fetched.pop();
		if (scan.strict && scan.report.rows > 0 && nearer(best.distance, scan.last_distance)) {
			++scan.report.dropped;  // found too late
			continue;
		}
		scan.last_distance = best.distance;
		++scan.report.rows;
		*row = best.row;
		return true;
	}
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
