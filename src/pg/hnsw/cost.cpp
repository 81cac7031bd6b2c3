#include "pg/hnsw/cost.hpp"

#include "pg/compat.hpp"
#include "pg/hnsw/index.hpp"

extern "C" {
#include "access/relation.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/float.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"
}

namespace vectorizer::hnsw {

namespace {

/// Nodes evaluated per result of a round: each expanded node leads to about m that are new.
constexpr double kFreshShare = 0.6;

}  // namespace

void am_cost_estimate(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup_cost, Cost *total_cost,
					  Selectivity *selectivity, double *correlation, double *pages)
{
	if (path->indexorderbys == NIL) {  // it can only be scanned in order
		*startup_cost = get_float8_infinity();
		*total_cost = get_float8_infinity();
		*selectivity = 0;
		*correlation = 0;
		*pages = 0;
		compat::disable_path(&path->path);  // no cost is high enough beside a path that a setting has disabled
		return;
	}

	GenericCosts costs{};
	genericcostestimate(root, path, loop_count, &costs);

	Relation relation = index_open(path->indexinfo->indexoid, NoLock);
	Index index = open_index(relation);
	index_close(relation, NoLock);

	double tuples = std::max(path->indexinfo->tuples, 1.0);
	double index_pages = std::max(static_cast<double>(path->indexinfo->pages), 1.0);
	double ef = scan_settings().ef_search;
	double levels = std::log(tuples) / std::log(static_cast<double>(index.parameters.m));
	double evaluated = std::min(tuples, index.parameters.m * (ef * kFreshShare + std::max(levels, 1.0)));
	double touched = std::min(index_pages, evaluated);

	double random_page_cost_here, sequential;
	get_tablespace_page_costs(path->indexinfo->reltablespace, &random_page_cost_here, &sequential);
	Cost first_round = touched * random_page_cost_here * 0.5 + evaluated * cpu_operator_cost;

	// A scan that goes on to the last row reads every page; what lies between is taken as a straight line.
	Cost all = index_pages * random_page_cost_here + tuples * (cpu_index_tuple_cost + cpu_operator_cost);
	*startup_cost = std::min(first_round, all);
	*total_cost = std::max(all, first_round);
	*selectivity = costs.indexSelectivity;
	*correlation = 0;
	*pages = index_pages;
}

}  // namespace vectorizer::hnsw
