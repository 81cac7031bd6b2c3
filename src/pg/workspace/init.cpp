#include "pg/workspace/registry.hpp"
#include "pg/workspace/roots.hpp"
#include "pg/workspace/worker.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace vectorizer::pg {

constinit bool watch_enabled = true;

void init_workspace()
{
	define_root_settings();
	DefineCustomBoolVariable("vectorizer.watch", "Whether watchers keep the projects' collections up to date.",
							 "Off: vectorizer.sync() alone does.", &watch_enabled, true, PGC_SIGHUP, 0, nullptr, nullptr,
							 nullptr);
	if (!process_shared_preload_libraries_in_progress)
		return;
	request_registry();
	// Neither pg_upgrade's servers nor a bootstrap run workers.
	if (!IsBinaryUpgrade)
		register_launcher();
	install_database_hook();
}

}  // namespace vectorizer::pg
