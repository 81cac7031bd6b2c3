// DROP DATABASE, CREATE DATABASE ... TEMPLATE, and renaming or moving a database need it without other sessions; DROP
// EXTENSION locks our tables in an order of its own, and would deadlock with a pass. The backend that runs one of them has
// the watcher leave first, and lets it come back after.
#include "pg/compat.hpp"
#include "pg/workspace/registry.hpp"
#include "pg/workspace/worker.hpp"

extern "C" {
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "nodes/parsenodes.h"
#include "storage/ipc.h"
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

bool drops_our_extension(Node *statement)
{
	if (!IsA(statement, DropStmt) || reinterpret_cast<DropStmt *>(statement)->removeType != OBJECT_EXTENSION)
		return false;
	ListCell *cell;
	foreach (cell, reinterpret_cast<DropStmt *>(statement)->objects) {
		if (strcmp(strVal(lfirst(cell)), "vectorizer") == 0)
			return true;
	}
	return false;
}

/// The database whose watcher a statement is in need of being without, if whoever runs it may; else InvalidOid.
Oid database_to_hold(Node *statement)
{
	if (drops_our_extension(statement))
		return superuser() ? MyDatabaseId : InvalidOid;
	const char *name = needed_database(statement);
	const Oid database = name != nullptr ? get_database_oid(name, true) : InvalidOid;
	return OidIsValid(database) && compat::owns_database(database, GetUserId()) ? database : InvalidOid;
}

void release_at_exit(int, Datum database)
{
	release_hold(DatumGetObjectId(database));
}

void process_utility(PlannedStmt *planned, const char *source, bool read_only_tree, ProcessUtilityContext context,
					 ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
					 QueryCompletion *completion)
{
	const auto next = [&] {
		(previous_hook != nullptr ? previous_hook : standard_ProcessUtility)(planned, source, read_only_tree, context, params,
																			 environment, receiver, completion);
	};
	const Oid database = registry_exists() ? database_to_hold(planned->utilityStmt) : InvalidOid;
	if (!OidIsValid(database)) {
		next();
		return;
	}
	volatile bool dropped = false;
	hold_database(database, kLeaveMilliseconds);
	// Also when this backend is terminated meanwhile: that leaves no other way.
	PG_ENSURE_ERROR_CLEANUP(release_at_exit, ObjectIdGetDatum(database));
	{
		next();
		dropped = IsA(planned->utilityStmt, DropdbStmt);
	}
	PG_END_ENSURE_ERROR_CLEANUP(release_at_exit, ObjectIdGetDatum(database));
	release_hold(database);
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
