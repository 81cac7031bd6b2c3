#include "pg/workspace/project.hpp"

#include "pg/collection/identity.hpp"
#include "pg/collection/spi.hpp"
#include "pg/workspace/roots.hpp"

extern "C" {
#include "access/xlog.h"
#include "storage/lock.h"
#include "storage/proc.h"

PG_FUNCTION_INFO_V1(vectorizer_place);
PG_FUNCTION_INFO_V1(vectorizer_lock_project);
}

namespace vectorizer::pg {

namespace {

LOCKTAG project_lock(int64 id)
{
	LOCKTAG tag;
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, catalogue_table("project"), static_cast<uint32>(id),
					   static_cast<uint16>(id >> 32));
	return tag;
}

}  // namespace

Project load_project(int64 id, MemoryContext context)
{
	MemoryContext outer = MemoryContextSwitchTo(context);
	if (spi_run("SELECT name, root, owner, max_file_bytes, root_device, root_inode, pending_deletions, deletions_confirmed"
				" FROM vectorizer.project WHERE id = $1",
				{param(id)}) == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("the project does not exist any more")));
	Project project{};
	bool new_root;
	project.id = id;
	project.name = spi_text(0, 1);
	project.root = spi_text(0, 2);
	if (strcmp(authorize_root(spi_text(0, 3), project.root), project.root) != 0)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("directory \"%s\" is reached through a symbolic link now", project.root),
						errhint("Add the project again with the path that is meant.")));
	project.max_file_bytes = spi_int64(0, 4);
	project.root_device = DatumGetUInt64(spi_datum(0, 5, &new_root));
	project.root_inode = static_cast<uint64>(spi_int64(0, 6));
	project.known_root = !new_root;
	project.pending_deletions = spi_int64(0, 7);
	project.deletions_confirmed = spi_bool(0, 8);
	project.collections = load_collections(id);
	MemoryContextSwitchTo(outer);
	return project;
}

char *place()
{
	return psprintf(UINT64_FORMAT "/%u", GetSystemIdentifier(), MyDatabaseId);
}

bool lock_project(int64 id, bool session, bool wait)
{
	const LOCKTAG tag = project_lock(id);
	return LockAcquire(&tag, ExclusiveLock, session, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

void unlock_projects()
{
	LockReleaseSession(DEFAULT_LOCKMETHOD);
}

bool project_is_wanted(int64 id)
{
	const LOCKTAG tag = project_lock(id);
	return LockHasWaiters(&tag, ExclusiveLock, true);
}

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_place(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_TEXT_P(cstring_to_text(vectorizer::pg::place()));
}

extern "C" PGDLLEXPORT Datum vectorizer_lock_project(PG_FUNCTION_ARGS)
{
	vectorizer::pg::lock_project(PG_GETARG_INT64(0), false, true);
	PG_RETURN_VOID();
}
