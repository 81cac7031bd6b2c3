// The embedder: a background process of a database that asks endpoints for embeddings, of rows that wait for theirs and of queries.
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::pg {

/// Registers an embedder for a database, and notes in the registry whether there was a worker slot for it. Does not raise.
void start_embedder(Oid database);

/// Defines its settings, and asks for the shared memory that queries pass through while libraries are preloaded. From _PG_init.
void init_embedder();

}  // namespace vectorizer::pg

extern "C" {
PGDLLEXPORT void vectorizer_embedder_main(Datum argument);
}
