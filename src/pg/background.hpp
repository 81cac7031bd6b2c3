// What the module's background processes have in common.
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::pg {

/// Connects to a database as its superuser, with settings that do not depend on what the database's owner has set: his
/// operators, above all, do not hold here. The caller has set its signal handlers.
void connect_background(Oid database);

}  // namespace vectorizer::pg
