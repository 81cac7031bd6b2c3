// What others want of the embedder of their database, and who it is, in the registry's line of the database (pg/workspace/registry.hpp).
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::pg {

enum class EmbedderWish {
	kQuery,   // there is a query
	kRows,    // there are rows that wait
	kChange,  // and endpoints are not what they were
};

/// Asks for the embedder of this database: wakes it, or starts it. If it ends before it leaves, the launcher starts another. Does not
/// raise. REQUIRES: registry_exists().
void want_embedder(EmbedderWish wish);

/// Whether there was a worker slot for one.
void noted_start(Oid database, bool started);

/// Likewise, once this transaction commits; nothing without a registry.
void want_embedder_at_commit(EmbedderWish wish);

/// What an embedder has to know of what others want: counts, which only grow.
struct EmbedderWishes {
	uint32 all;
	uint32 rows;
	uint32 changes;
};
EmbedderWishes embedder_wishes();

/// The embedder says that it is there, until it exits or leaves. False: it should not be (held, or another one).
bool attach_embedder();

/// "running", ...: what vectorizer.embedder_state() says of this database.
const char *embedder_state();

/// True: nobody has asked for anything since there were `all` wishes, and the embedder is no longer there as far as others know.
bool embedder_may_leave(uint32 all);

}  // namespace vectorizer::pg
