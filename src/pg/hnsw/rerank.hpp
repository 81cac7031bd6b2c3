// The exact distance of a heap row, seen through the scan's snapshot.
#pragma once

#include "pg/glance.hpp"
#include "pg/hnsw/opclass.hpp"

extern "C" {
#include "access/relscan.h"
#include "access/tableam.h"
#include "nodes/execnodes.h"
}

namespace vectorizer::hnsw {

/// Fetches rows by a table fetch of its own, with no index lock held, and evaluates the index's expression where it has
/// one. Made for one scan, in a context that lives as long; release() must be called before the scan ends.
class Rerank {
public:
	Rerank(IndexScanDesc scan, Metric metric, MemoryContext context);
	void release();

	/// Lets go of the heap page that the last fetch pinned.
	void pause();

	/// Begins to fetch the row's page, from its file if need be, and then the row, into the processor's caches: for exact() to come
	/// soon. Nothing for a row pointer that is none.
	void prefetch_page(RowPointer row) const;
	void prefetch_row(RowPointer row) const;

	/// False if the snapshot sees no version of the row. `query` has the index's dimensions.
	bool exact(RowPointer row, const float *query, std::uint32_t dimensions, double *distance);

private:
	void pin(BlockNumber block);

	Relation index_;
	Relation heap_;
	Snapshot snapshot_;
	Metric metric_;
	IndexInfo *info_;
	EState *estate_;
	IndexFetchTableData *fetch_;
	TupleTableSlot *slot_;
	MemoryContext row_context_;   // reset for every row: detoasted values and the like
	BlockNumber heap_blocks_;
	bool is_heap_;                // its pages are those of the access method heap
	bool asks_ahead_;             // for them
	pg::Glance glance_;           // at the heap's pages
};

}  // namespace vectorizer::hnsw
