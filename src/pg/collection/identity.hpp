// Acting as another role for the length of a call: the catalogue's owner to read what the caller need not see, a table's
// owner to write it (so that whatever the owner hung on the table runs with the owner's rights, never with more).
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace vectorizer::pg {

/// Runs f as `role`. An error inside restores the caller's identity by aborting the (sub)transaction.
template <typename Function>
void as_role(Oid role, int security_flags, Function &&f)
{
	Oid saved_role;
	int saved_flags;
	GetUserIdAndSecContext(&saved_role, &saved_flags);
	SetUserIdAndSecContext(role, saved_flags | security_flags);
	f();
	SetUserIdAndSecContext(saved_role, saved_flags);
}

/// The table in schema `vectorizer` of that name. Raises 42P01 if the extension is not there.
Oid catalogue_table(const char *name);

/// Who owns a relation.
Oid relation_owner(Oid relation);

/// Runs f by the server's own operators and functions, whatever the search_path is, and undoes whatever settings it makes.
template <typename Function>
void with_own_settings(Function &&f)
{
	const int level = NewGUCNestLevel();
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	f();
	AtEOXact_GUC(false, level);
}

/// Runs f as the extension's owner, by the server's own operators and functions whatever the caller's search_path is.
template <typename Function>
void as_catalogue_owner(Function &&f)
{
	with_own_settings(
		[&] { as_role(relation_owner(catalogue_table("collection")), SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION, f); });
}

/// Runs f as the owner of a table, who may have changed it: what hangs on it has the owner's rights and no more, and leaves no setting
/// behind for whoever goes on. Policies do not hide rows from f, FORCE or not.
template <typename Function>
void as_table_owner(Oid table, Function &&f)
{
	with_own_settings([&] {
		as_role(relation_owner(table), SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION | SECURITY_NOFORCE_RLS, f);
	});
}

}  // namespace vectorizer::pg
