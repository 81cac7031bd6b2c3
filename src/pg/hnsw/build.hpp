// CREATE INDEX: the graph is built in memory and written out in an order that keeps neighbours together; when it outgrows
// maintenance_work_mem it is written out at once and the rest of the rows go the way of inserts, without WAL.
#pragma once

#include "core/graph/batch.hpp"
#include "pg/hnsw/index.hpp"

extern "C" {
#include "access/amapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
}

namespace vectorizer::hnsw {

/// Subphases of pg_stat_progress_create_index, after the server's own "initializing".
enum BuildPhase : int64 { kPhaseInitialize = 1, kPhaseMemory = 2, kPhaseWrite = 3, kPhasePages = 4, kPhaseLog = 5 };

IndexBuildResult *am_build(Relation heap, Relation relation, IndexInfo *info);
void am_build_empty(Relation relation);
char *am_phase_name(int64 phase);

/// Reports that a phase begins, which is done when so many rows are.
void report_phase(BuildPhase phase, double rows);

/// The table's rows, estimated as the planner does.
double expected_rows(Relation heap);

/// maintenance_work_mem in bytes.
inline std::size_t memory_limit()
{
	return static_cast<std::size_t>(maintenance_work_mem) * 1024;
}

/// What of it is left for the graph, beside a batch in each of so many processes.
inline std::size_t graph_limit(std::size_t processes)
{
	return memory_limit() / (graph::Batch::kShare + processes) * graph::Batch::kShare;
}

/// Writes the graph into the pages of an index that holds nothing but its metapage and a codebook (flush.cpp).
void write_graph(Relation relation, const Index &index, graph::MemoryGraph &graph);

}  // namespace vectorizer::hnsw
