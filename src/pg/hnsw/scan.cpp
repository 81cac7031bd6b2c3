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

/// No finer estimate from a code of 8 bits is off by so many. Where such errors cannot change the order of a row and of all
/// that may follow it, its exact distance is not asked for: to fetch a vector from out of line costs as much as a hundred
/// estimates.
constexpr double kSigmasOfCertainty = 6;

/// A node whose rows have not been fetched yet.
struct Unfetched {
	double bound;    // a distance that its rows hardly fall below
	double ceiling;  // one that they do not exceed; infinite where the code does not tell
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
	quantize::Computer finer;       // the same for those to be fetched next
	bool strict = true;
	bool order_shows = false;       // in the codes, where they lie far enough apart
	std::size_t width = 0;          // candidates of the next round
	Search *search = nullptr;       // null: the index is empty
	static constexpr unsigned kReady = 8, kMostReady = 16, kRowsPrefetched = 4;
	Ready ready[kMostReady];        // by bound, the last of them first to be fetched
	unsigned n_ready = 0;
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
	const quantize::Shape &shape = scan->index.shape;
	scan->order_shows = shape.kind == quantize::Kind::kScalar && shape.bits == 8 && shape.metric != Metric::kL1;
	scan->width = static_cast<std::size_t>(scan->settings.ef_search);
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

/// How far below its estimate a row may lie. A product code's errors have no such limit: of the true neighbours one in twenty
/// lies more than four sigmas below, some twelve. There all that a round finds is ranked by its rows.
double sigmas_below(const quantize::Shape &shape)
{
	return shape.kind == quantize::Kind::kProduct ? 1e6 : kSigmas;
}

/// What the estimate by one of the query's computers tells of a node.
Unfetched unfetched(const Scan &scan, const quantize::Computer &computer, NodeId node, double estimate, quantize::Factors factors)
{
	const double sigma = computer.error(factors, estimate);
	const bool tells = scan.order_shows && sigma > 0;  // a vector of length zero has none
	const double ceiling = tells ? estimate + kSigmasOfCertainty * sigma : std::numeric_limits<double>::infinity();
	return {estimate - sigmas_below(scan.index.shape) * sigma, ceiling, node};
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
	while (scan.n_ready > 0)
		scan.unfetched.push(scan.ready[--scan.n_ready].node);
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
	for (std::size_t i = 0; i < search.found(); ++i) {
		const graph::Candidate &found = search.found(i);
		scan.unfetched.push(unfetched(scan, scan.computer, found.id, found.distance, found.factors));
	}
	scan.width *= 2;
	++scan.report.rounds;

	auto limit = static_cast<std::uint64_t>(scan.settings.max_scan_tuples);
	if (scan.settings.iterative_scan == IterativeScan::kOff)
		end(scan, Ending::kOneRound);
	else if (limit > 0 && scan.report.rows + scan.unfetched.size() >= limit)
		end(scan, Ending::kTupleLimit);
	return true;
}

/// The sigmas that a further round is run for. Of a product code they reach most of a large table: there it is ef_search that
/// says how many candidates are looked at.
double waiting_sigmas(const quantize::Shape &shape)
{
	return shape.kind == quantize::Kind::kProduct ? 0 : kSigmas;
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

/// Looks up the rows of the nodes to be fetched next, and estimates their distances more finely; some at a time, so that the
/// memory the rows lie in is fetched meanwhile. Whether there are any.
bool make_ready(Scan &scan, const Rerank &rerank)
{
	const bool refill = scan.n_ready == 0;
	auto by_bound = [](const Ready &a, const Ready &b) { return nearer(b.node.bound, a.node.bound); };
	auto wanted = [&] {
		return !scan.unfetched.empty() &&
			   ((refill && scan.n_ready < Scan::kReady) ||
				(scan.n_ready < Scan::kMostReady &&
				 nearer(scan.unfetched.top().bound, scan.ready[scan.n_ready - 1].node.bound)));
	};
	while (wanted()) {
		Ready ready{scan.unfetched.pop(), {}};
		std::optional<PageStore::Rows> rows = scan.store.rows(ready.node.node, [&](const std::byte *slot) {
			const quantize::Factors factors = graph::SlotLayout::factors(slot);
			const double estimate = scan.finer.distance(graph::SlotLayout::code(slot), factors);
			ready.node = unfetched(scan, scan.finer, ready.node.node, estimate, factors);
		});
		if (!rows)
			continue;
		ready.rows = *rows;
		rerank.prefetch_page(ready.rows.first);
		Ready *end = scan.ready + scan.n_ready++;
		Ready *place = std::upper_bound(scan.ready, end, ready, by_bound);
		std::move_backward(place, end, end + 1);
		*place = ready;
	}
	if (refill)
		for (unsigned i = 1; i <= std::min(scan.n_ready, Scan::kRowsPrefetched); ++i)
			rerank.prefetch_row(scan.ready[scan.n_ready - i].rows.first);
	return scan.n_ready > 0;
}

/// Whether a node that has not been fetched may hold a row nearer than this. REQUIRES: make_ready().
bool may_come_before(const Scan &scan, double distance)
{
	return nearer(scan.ready[scan.n_ready - 1].node.bound, distance) ||
		   (!scan.unfetched.empty() && nearer(scan.unfetched.top().bound, distance));
}

/// Whether the next ready node's row comes next, whatever the exact distances are.
bool is_settled(const Scan &scan)
{
	const Ready &next = scan.ready[scan.n_ready - 1];
	const double ceiling = next.node.ceiling;
	if (next.rows.duplicates != kNoChunk || !next.rows.first.valid() || !std::isfinite(ceiling))
		return false;
	if (scan.n_ready > 1 && !nearer(ceiling, scan.ready[scan.n_ready - 2].node.bound))
		return false;
	if (!scan.unfetched.empty() && !nearer(ceiling, scan.unfetched.top().bound))
		return false;
	if (!scan.fetched.empty() && !nearer(ceiling, scan.fetched.top().distance))
		return false;
	const bool not_too_late = scan.report.rows == 0 || nearer(scan.last_distance, next.node.bound);
	return !scan.strict || (not_too_late && !may_be_nearer(scan, ceiling));
}

/// The next row in order, by distance within a round.
bool next_row(Scan &scan, Rerank &rerank, Relation relation, RowPointer *row)
{
	for (;;) {
		CHECK_FOR_INTERRUPTS();
		while (make_ready(scan, rerank) &&
			   (scan.fetched.empty() || may_come_before(scan, scan.fetched.top().distance))) {
			const bool settled = is_settled(scan);
			const Ready next = scan.ready[--scan.n_ready];
			if (settled) {
				scan.last_distance = next.node.ceiling;
				++scan.report.rows;
				*row = next.rows.first;
				return true;
			}
			if (scan.n_ready >= Scan::kRowsPrefetched)
				rerank.prefetch_row(scan.ready[scan.n_ready - Scan::kRowsPrefetched].rows.first);
			fetch_node(scan, rerank, relation, next.node.node, next.rows);
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
