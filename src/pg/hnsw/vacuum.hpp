// ambulkdelete and amvacuumcleanup: dead rows are taken off, nodes without rows become tombstones that searches still walk
// through; past a threshold their neighbours are linked anew and their slots freed. README.md holds the rules.
#pragma once

#include "pg/hnsw/page_store.hpp"

extern "C" {
#include "access/amapi.h"
}

namespace vectorizer::hnsw {

IndexBulkDeleteResult *am_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
									  IndexBulkDeleteCallback callback, void *callback_state);
IndexBulkDeleteResult *am_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats);

}  // namespace vectorizer::hnsw
