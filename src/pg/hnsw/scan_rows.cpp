// The rows of what a scan has found, nearest first.
#include "pg/hnsw/scan_parts.hpp"

#include "pg/crash_point.hpp"

namespace vectorizer::hnsw {

namespace {

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
		if (scan.strict && scan.report.rows > 0 && nearer(ready.node.top, scan.last_distance)) {
			++scan.report.dropped;  // found too late, as its code tells
			continue;
		}
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
	return !scan.strict || (not_too_late && !order_wants_more(scan, ceiling));
}

}  // namespace

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
		if (look_further(scan, relation, scan.fetched.top().distance))
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

}  // namespace vectorizer::hnsw
