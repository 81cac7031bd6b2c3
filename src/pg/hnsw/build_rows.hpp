// One participant of CREATE INDEX: takes rows of the table into the graph in memory, and into pages once that is full.
#pragma once

#include "core/graph/batch.hpp"
#include "pg/hnsw/insert.hpp"

extern "C" {
#include "storage/barrier.h"
}

namespace vectorizer::hnsw {

/// What all participants see.
struct BuildShare {
	std::atomic<std::uint64_t> rows{0};    // indexed so far
	std::atomic<std::uint64_t> nodes{0};   // those that are not folded into another
	std::atomic<bool> full{false};         // no memory is left: everybody goes on on pages
	graph::GraphState graph;
	Barrier barrier;                       // on the way from memory to pages; used where there are several participants
};

/// Phases of the barrier. One participant writes the graph out while the others wait.
enum BuildStage : int { kStageMemory = 0, kStageWriting = 1, kStagePages = 2 };

struct Builder {
	Inserter inserter;
	quantize::Quantizer walked;            // the code that the graph in memory is built on
	BuildShare *share;
	graph::MemoryGraph *graph;             // null once it has been written out
	graph::Batch *batch;                   // of rows on their way into it
	void (*release)(void *context, bool writer);  // frees the graph's memory after that; true for whoever has written
	void *release_context;
	MemoryContext row_context;             // reset for every row that is scanned,
	MemoryContext insert_context;          // for every row that is inserted into the graph,
	MemoryContext batch_context;           // and when a batch has been
	pg_prng_state random;                  // of levels: seeded alike, so that a serial build of equal rows in memory gives an equal index
	bool alone;                            // the only participant
	bool reports;                          // progress, for everyone

	/// Of the graph in memory; good as long as the Builder.
	graph::BuildCode code() const { return {inserter.quantizer, walked}; }
};

/// A participant, the number-th, of a build of this index. Its memory lives in the current memory context. What is left to
/// set is `release` and its context, and a graph in memory (build_in) if there is one.
Builder make_builder(Relation relation, BuildShare *share, unsigned number);

/// Rows go into this graph from now on. REQUIRES: `release` is set.
void build_in(Builder &builder, graph::MemoryGraph &graph);

/// Called by the table's scan, `state` is the Builder.
void build_callback(Relation, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *state);

/// The scan has ended: inserts the rows that still wait, and leaves the barrier.
void end_rows(Builder &builder);

/// Writes the graph out, unless that has been done. REQUIRES: alone, or the only participant left.
void write_out(Builder &builder);

}  // namespace vectorizer::hnsw
