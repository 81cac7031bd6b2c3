// Workspace collections are what their files say: a trigger refuses every other writer (SQLSTATE VZ001). The one who may
// write is known by a variable of this process, which no setting reaches.
#pragma once

#include "pg/collection/identity.hpp"

namespace vectorizer::pg {

inline constexpr int kErrWorkspaceReadOnly = MAKE_SQLSTATE('V', 'Z', '0', '0', '1');

/// The table that this process is writing for its files now, or InvalidOid.
extern Oid writable_collection;

/// Runs f, server code that throws nothing, as the owner of a collection's table and past its guard.
template <typename Function>
void with_write_access(Oid table, Function &&f)
{
	PG_TRY();
	{
		writable_collection = table;
		as_table_owner(table, f);
	}
	PG_FINALLY();
	{
		writable_collection = InvalidOid;
	}
	PG_END_TRY();
}

}  // namespace vectorizer::pg
