// Opening an index that a user named, for the functions that look into one.
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::hnsw {

/// Opens an hnsw index and, first, its table. Raises 42809 for anything that is not one, and 55000 for one that is not
/// valid yet.
struct OpenedIndex {
	Relation heap;
	Relation index;
	LOCKMODE lock;
};
OpenedIndex open_named_index(Oid oid, LOCKMODE lock);
void close(const OpenedIndex &opened);

}  // namespace vectorizer::hnsw
