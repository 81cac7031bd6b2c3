// Which directories of the server may be read, and for whom: the one place that decides it, asked when a project is
// added and again before every scan.
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::pg {

/// Defines vectorizer.allowed_roots. From _PG_init.
void define_root_settings();

/// The resolved path (palloc'd) of a directory that `role` may have read. Raises 42704 (no such role), 42501 (the role
/// lacks pg_read_server_files, the path lies outside vectorizer.allowed_roots or touches the data directory), 22023 (not
/// absolute, not a directory), 58P01 (does not exist) or what errno says.
char *authorize_root(const char *role, const char *path);

}  // namespace vectorizer::pg
