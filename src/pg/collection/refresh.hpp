// What a dynamic collection needs after it was written: rows that no model had embedded yet get their embeddings, the model is
// trained when it is time, rows are counted.
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::pg {

/// Looks at a dynamic collection, or at nothing if it is gone. Returns its rows. `context` is for what is held over batches.
///
/// With `commits` every batch is a transaction of its own, and the collection's lock is a session's: the caller releases it
/// (unlock_projects()). Whoever else holds the lock is waited for if not; else 55P03. REQUIRES: a transaction with an SPI connection
/// and an active snapshot; there is one at the end, too.
int64 refresh(int64 collection, bool commits, MemoryContext context);

}  // namespace vectorizer::pg
