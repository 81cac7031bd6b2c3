// What the functions that look into an index share: opening one that a user named, and the row they return.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "access/tupdesc.h"
#include "fmgr.h"
}

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

/// REQUIRES: an index.
bool is_hnsw(Relation index);

/// The columns of the row that the function is declared to return.
TupleDesc row_columns(FunctionCallInfo fcinfo);

}  // namespace vectorizer::hnsw
