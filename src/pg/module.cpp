// What the server sees first: the module's magic block and _PG_init, which defines the settings and installs the hooks.
#include "pg/module.hpp"

#include "pg/crash_point.hpp"
#include "pg/embedder/embedder.hpp"
#include "pg/hnsw/options.hpp"
#include "pg/hnsw/training.hpp"
#include "pg/hnsw/unread_distance.hpp"
#include "pg/workspace/worker.hpp"

extern "C" {
#include "utils/guc.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void _PG_init(void)
{
	vectorizer::hnsw::define_options();
	vectorizer::hnsw::define_training();
	vectorizer::hnsw::install_planner_hook();
	vectorizer::pg::define_crash_points();
	vectorizer::pg::init_workspace();
	vectorizer::pg::init_embedder();
	MarkGUCPrefixReserved("vectorizer");
}
}
