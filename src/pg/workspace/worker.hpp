// The background workers: one launcher a cluster, one watcher a database that has projects to watch.
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::pg {

/// Settings, shared memory, the launcher and the hook on DROP DATABASE and its like. From _PG_init; the latter three
/// only while libraries are preloaded.
void init_workspace();

/// Settings.
extern bool watch_enabled;

/// From init_workspace().
void register_launcher();
void install_database_hook();

}  // namespace vectorizer::pg

extern "C" {
PGDLLEXPORT void vectorizer_launcher_main(Datum argument);
PGDLLEXPORT void vectorizer_watcher_main(Datum argument);
}
