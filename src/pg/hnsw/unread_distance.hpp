// SELECT id FROM t ORDER BY v <-> q LIMIT 10 asks for no distance, but the planner has every row that an index scan returns
// carry it, for a sort that never comes. To compute it, the executor would read the vector of each row, from out of line
// where it is long: half of such a query's time. So where nothing reads that column the plan holds a null in its place.
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::hnsw {

/// Installs the planner hook. From _PG_init.
void install_planner_hook();

}  // namespace vectorizer::hnsw
