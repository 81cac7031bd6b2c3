// What the server sees first: the module's magic block and _PG_init, which defines the settings.
#include "pg/module.hpp"

#include "pg/workspace/worker.hpp"

extern "C" {
PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void _PG_init(void)
{
	vectorizer::pg::init_workspace();
}
}
