// amcostestimate: what an ordered scan costs, in the planner's units.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "access/amapi.h"
}

namespace vectorizer::hnsw {

void am_cost_estimate(struct PlannerInfo *root, struct IndexPath *path, double loop_count, Cost *startup_cost,
					  Cost *total_cost, Selectivity *selectivity, double *correlation, double *pages);

}  // namespace vectorizer::hnsw
