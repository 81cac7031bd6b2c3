// CREATE INDEX by several processes: the leader and parallel workers scan the table together and insert into one graph in
// dynamic shared memory; where that is full, into pages.
#pragma once

#include "pg/hnsw/build_rows.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace vectorizer::hnsw {

/// What a build found.
struct Scanned {
	double heap_rows;
	std::uint64_t rows;   // indexed
	std::uint64_t nodes;
};

/// How many workers to ask for: what the server's settings and the table's parallel_workers allow, 0 if the graph would not
/// find room in dynamic shared memory.
int workers_for_build(Relation heap, Relation relation, const IndexInfo *info, const Index &index);

/// Builds everything but what follows from the returned numbers. False if no worker could be had: nothing has been done.
bool build_in_parallel(Relation heap, Relation relation, IndexInfo *info, const Index &index, int workers,
					   Scanned *scanned);

}  // namespace vectorizer::hnsw
