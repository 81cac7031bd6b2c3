// aminsert, and the same for a build that has outgrown its memory.
#pragma once

#include "pg/hnsw/opclass.hpp"
#include "pg/hnsw/page_store.hpp"

extern "C" {
#include "access/amapi.h"
#include "common/pg_prng.h"
#include "nodes/execnodes.h"
}

namespace vectorizer::hnsw {

/// What a run of inserts into one index shares.
struct Inserter {
	Relation relation;
	Index index;
	quantize::Quantizer quantizer;
	bool logged;  // false while the index is being built
};

/// Its memory lives in `context`.
Inserter make_inserter(Relation relation, bool logged, MemoryContext context);

/// Inserts one row; false if it was folded into a node with an equal code. What it allocates stays in the current memory context. The caller holds the insert lock
/// (README.md, barrier) or owns the index alone.
bool insert_row(const Inserter &inserter, VectorView vector, RowPointer row);

/// The level of a new node, at random.
unsigned draw_level(const Index &index, pg_prng_state *random);

bool am_insert(Relation relation, Datum *values, bool *isnull, ItemPointer tid, Relation heap, IndexUniqueCheck unique,
			   bool unchanged, IndexInfo *info);

}  // namespace vectorizer::hnsw
