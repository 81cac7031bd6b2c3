// What others want of the embedder of their database, and who it is, in the registry's line of the database (pg/workspace/registry.hpp).
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::pg {

enum class EmbedderWish {
	kQuery,   // there is a query
	kRows,    // there are rows that wait
	kChange,  // and endpoints are not what they were
};

/// Asks for the embedder of this database, and wakes it. True: one must be started, and noted_start() told of it; if it ends before it
/// leaves, the launcher starts another. REQUIRES: registry_exists().
bool want_embedder(EmbedderWish wish);
void noted_start(Oid database, bool started);

/// Likewise, once this transaction commits, and starts one; nothing without a registry. Does not raise.
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
