// An ordered scan: search on codes, exact rerank from the heap, and on past ef_search for as long as rows are asked for.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "access/amapi.h"
#include "access/relscan.h"
}

namespace vectorizer::hnsw {

IndexScanDesc am_begin_scan(Relation relation, int keys, int order_bys);
void am_rescan(IndexScanDesc scan, ScanKey keys, int n_keys, ScanKey order_bys, int n_order_bys);
bool am_get_tuple(IndexScanDesc scan, ScanDirection direction);
void am_end_scan(IndexScanDesc scan);

}  // namespace vectorizer::hnsw
