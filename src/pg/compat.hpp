// The differences between PostgreSQL 15, 16, 17 and 18, all of them here: no other file tests PG_VERSION_NUM.
#pragma once

#include "pg/pg.hpp"

static_assert(PG_VERSION_NUM >= 150000 && PG_VERSION_NUM < 190000, "vectorizer supports PostgreSQL 15 to 18");

// 16 brought soft errors of input functions (pg_input_is_valid(), COPY ... ON_ERROR); 15 raises them all.
#if PG_VERSION_NUM < 160000
#define errsave(context, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
	} while (0)
#endif

extern "C" {
#include "catalog/pg_database.h"
#include "utils/acl.h"
}

namespace vectorizer::pg {

/// Whether a role owns a database or may act as its owner.
inline bool owns_database(Oid database, Oid role)
{
#if PG_VERSION_NUM < 160000
	return pg_database_ownercheck(database, role);
#else
	return object_ownercheck(DatabaseRelationId, database, role);
#endif
}

}  // namespace vectorizer::pg
