// What a scan consists of. scan.cpp begins and ends one, scan_rounds.cpp finds nodes, scan_rows.cpp brings their rows in order.
#pragma once

#include "core/graph/search.hpp"
#include "pg/hnsw/last_search.hpp"
#include "pg/hnsw/page_store.hpp"
#include "pg/hnsw/rerank.hpp"
#include "pg/hnsw/scan.hpp"

#include <tuple>

namespace vectorizer::hnsw {

/// A node whose rows have not been fetched yet.
struct Unfetched {
	double bound;    // a distance that its rows hardly fall below
	double top;      // one that they hardly exceed; infinite where the code's error is not known
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
	unsigned rounds_for_order = 0;
	bool ended = false;             // no further rounds
	double last_distance = 0;       // of the row returned last
	SearchReport report{};
};
static_assert(std::is_trivially_destructible_v<Scan>);

// scan_rounds.cpp

/// What the estimate by one of the query's computers tells of a node.
Unfetched unfetched(const Scan &scan, const quantize::Computer &computer, NodeId node, double estimate, quantize::Factors factors);

/// Widens the search by one round. False if there is nothing more to find, or to be looked for.
bool widen(Scan &scan, Relation relation);

/// Whether a node that waits for a further round may hold a nearer row than one of this distance, and not too many rounds have been
/// run for that reason.
bool order_wants_more(const Scan &scan, double distance);

/// Does what order wants before a row of this distance is returned; whether anything was to be done. While fewer rows than ef_search
/// have been returned and few nodes may hold a nearer one, these are taken up, unless codes show the order; else the search is
/// widened.
bool look_further(Scan &scan, Relation relation, double distance);

// scan_rows.cpp

/// The next row in order, by distance within a round.
bool next_row(Scan &scan, Rerank &rerank, Relation relation, RowPointer *row);

}  // namespace vectorizer::hnsw
