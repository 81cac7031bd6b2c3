// Queries on their way from backends to the embedder of their database and back, in shared memory: a backend puts a text into a slot
// and waits on its latch, the embedder puts the embedding beside it. There only if the library is preloaded.
#pragma once

#include "pg/type/vector.hpp"

extern "C" {
#include "datatype/timestamp.h"
}

namespace vectorizer::pg {

inline constexpr std::size_t kMostQueryBytes = 16384;

inline constexpr int kErrNoEmbedding = MAKE_SQLSTATE('V', 'Z', '0', '0', '3');

/// Defines vectorizer.embed_timeout, and asks for the shared memory while libraries are preloaded. From _PG_init.
void init_queries();

/// The embedding of a query by an endpoint, palloc'd. Waits for at most vectorizer.embed_timeout. Null: there is none, and *reason,
/// palloc'd, says why.
Vector *embed_query(int64 endpoint, int32 dimension, std::string_view text, const char **reason);

/// What the current user may see of such a reason, which may hold the endpoint's address: administrators all of it.
const char *visible_reason(const char *reason);

/// Raises VZ003: an endpoint gave no embedding, for that reason.
[[noreturn]] void raise_no_embedding(const char *endpoint, const char *reason);

/// Which query: `ticket` tells it from others that are in the same slot later.
struct QueryId {
	int slot;
	uint64 ticket;
};

/// A query that the embedder has taken.
struct Query {
	QueryId id;
	int64 endpoint;
	std::size_t length;
	char text[kMostQueryBytes];  // UTF-8
};

/// Takes the next query of this database, oldest first. False: there is none.
bool take_query(Query &query);

/// Answers that query; nothing happens if nobody waits for it any more. `embedding` is as long as the backend expects, or an error.
void answer_query(QueryId query, std::span<const float> embedding);
void refuse_query(QueryId query, const char *reason);

/// Refuses all queries that this process has taken.
void refuse_queries(const char *reason);

}  // namespace vectorizer::pg
