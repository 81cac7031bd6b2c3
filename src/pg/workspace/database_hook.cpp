// DROP DATABASE, CREATE DATABASE ... TEMPLATE, and renaming or moving a database need it without other sessions. The
// backend that runs one of them has the watcher leave first, and lets it come back after.
#include "pg/compat.hpp"
#include "pg/workspace/registry.hpp"
#include "pg/workspace/worker.hpp"

extern "C" {
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/acl.h"
}

namespace vectorizer::pg {

namespace {

constexpr int kLeaveMilliseconds = 5000;

constinit ProcessUtility_hook_type previous_hook = nullptr;

const char *string_option(List *options, const char *name)
{
	ListCell *cell;
	foreach (cell, options) {
		auto *option = static_cast<DefElem *>(lfirst(cell));
		if (strcmp(option->defname, name) == 0 && option->arg != nullptr)
			return defGetString(option);
	}
	return nullptr;
}

/// The database that a statement needs for itself; null for all other statements.
const char *needed_database(Node *statement)
{
	switch (nodeTag(statement)) {
		case T_DropdbStmt: return reinterpret_cast<DropdbStmt *>(statement)->dbname;
		case T_CreatedbStmt: {
			const char *source = string_option(reinterpret_cast<CreatedbStmt *>(statement)->options, "template");
			return source != nullptr ? source : "template1";
		}
		case T_AlterDatabaseStmt: {
			auto *alter = reinterpret_cast<AlterDatabaseStmt *>(statement);
			return string_option(alter->options, "tablespace") != nullptr ? alter->dbname : nullptr;
		}
		case T_RenameStmt: {
			auto *rename = reinterpret_cast<RenameStmt *>(statement);
			return rename->renameType == OBJECT_DATABASE ? rename->subname : nullptr;
		}
		default: return nullptr;
	}
}

void process_utility(PlannedStmt *planned, const char *source, bool read_only_tree, ProcessUtilityContext context,
					 ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
					 QueryCompletion *completion)
{
	const auto next = [&] {
		(previous_hook != nullptr ? previous_hook : standard_ProcessUtility)(planned, source, read_only_tree, context, params,
																			 environment, receiver, completion);
	};
	const char *name = registry_exists() ? needed_database(planned->utilityStmt) : nullptr;
	const Oid database = name != nullptr ? get_database_oid(name, true) : InvalidOid;
	if (!OidIsValid(database) || !compat::owns_database(database, GetUserId())) {
		next();
		return;
	}
	volatile bool dropped = false;
	hold_database(database, kLeaveMilliseconds);
	PG_TRY();
	{
		next();
		dropped = IsA(planned->utilityStmt, DropdbStmt);
	}
	PG_FINALLY();
	{
		release_hold(database);
	}
	PG_END_TRY();
	if (dropped)
		forget_database(database);
}

}  // namespace

void install_database_hook()
{
	previous_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}

}  // namespace vectorizer::pg
