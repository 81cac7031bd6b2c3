// An index that was created before its rows, as every ORM does it, begins with the data-free code. When rows have come, it is
// fitted to them: a background process (one a database at a time, where the library is preloaded) measures on a sample whether
// the code finds them and writes that into the metapage; where it does not, under `quantization = auto`, or where the code is one
// to be trained, it runs REINDEX INDEX CONCURRENTLY, which chooses and trains anew and builds the graph as CREATE INDEX on these
// rows would have.
//
// The insert that opens a group of node pages asks for the process, when its transaction commits; one that fails, or finds no
// free worker slot, is asked for again when the index has grown by about a sixteenth.
#pragma once

#include "pg/hnsw/index.hpp"

namespace vectorizer::hnsw {

/// Nodes from which on an index is worth it: a codebook of 256 points takes some forty rows a point.
inline constexpr NodeId kNodesToTrainOn = 10000;

/// Defines vectorizer.auto_train. From _PG_init.
void define_training();

/// Takes note that a new node has been written, with the metapage as of before. Raises nothing.
void note_new_node(Relation relation, const Index &index, const MetaPage &meta, NodeId node);

/// Whether the index's code was chosen or is to be trained by rows, and has not been.
bool wants_training(const Index &index, const MetaPage &meta);

}  // namespace vectorizer::hnsw

extern "C" {
PGDLLEXPORT void vectorizer_trainer_main(Datum argument);
}
