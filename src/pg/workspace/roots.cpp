#include "pg/workspace/roots.hpp"

#include <climits>
#include <sys/stat.h>

extern "C" {
#include "catalog/pg_authid.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(vectorizer_check_root);
}

namespace vectorizer::pg {

namespace {

constinit char *allowed_roots = nullptr;

bool check_allowed_roots(char **value, void **, GucSource)
{
	char *copy = pstrdup(*value);
	List *roots = NIL;
	bool valid = SplitDirectoriesString(copy, ',', &roots);
	if (!valid)
		GUC_check_errdetail("List syntax is invalid.");
	ListCell *cell;
	foreach (cell, roots) {
		const auto *root = static_cast<const char *>(lfirst(cell));
		if (!is_absolute_path(root)) {
			GUC_check_errdetail("\"%s\" is not an absolute path.", root);
			valid = false;
			break;
		}
	}
	list_free_deep(roots);
	pfree(copy);
	return valid;
}

/// realpath(), palloc'd; null and errno where there is none.
char *resolved(const char *path)
{
	char buffer[PATH_MAX];
	return realpath(path, buffer) == nullptr ? nullptr : pstrdup(buffer);
}

/// Whether resolved path `inner` is `outer` or lies below it.
bool is_within(const char *inner, const char *outer)
{
	const std::size_t length = strlen(outer);
	return strcmp(outer, "/") == 0 || (strncmp(inner, outer, length) == 0 && (inner[length] == '/' || inner[length] == '\0'));
}

bool is_allowed(const char *path)
{
	List *roots = NIL;
	SplitDirectoriesString(pstrdup(allowed_roots), ',', &roots);
	ListCell *cell;
	foreach (cell, roots) {
		// A root that is gone (a disk not mounted) still allows what is named below it; that then cannot be opened.
		const auto *named = static_cast<const char *>(lfirst(cell));
		const char *root = resolved(named);
		if (is_within(path, root != nullptr ? root : named))
			return true;
	}
	return false;
}

}  // namespace

void define_root_settings()
{
	DefineCustomStringVariable("vectorizer.allowed_roots",
							   "Directories of the server in and below which projects may be.",
							   "A comma-separated list of absolute paths. Empty, the default, allows none.", &allowed_roots,
							   "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, check_allowed_roots, nullptr, nullptr);
}

char *authorize_root(const char *role, const char *path)
{
	const Oid role_oid = get_role_oid(role, true);
	if (!OidIsValid(role_oid))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("role \"%s\" does not exist", role)));
	if (!has_privs_of_role(role_oid, ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied to read files of the server for role \"%s\"", role),
						errhint("GRANT pg_read_server_files TO %s allows it.", quote_identifier(role))));
	if (!is_absolute_path(path))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("path \"%s\" is not absolute", path)));

	// Whether a path outside exists is not for everyone to learn: resolve, but answer for the allowed ones alone.
	const char *root = resolved(path);
	const int resolve_errno = errno;
	if (!is_allowed(root != nullptr ? root : path))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("directory \"%s\" is not within vectorizer.allowed_roots", path),
						errhint("Add it, or a directory above it, to vectorizer.allowed_roots and reload the configuration.")));
	struct stat status;
	errno = resolve_errno;
	if (root == nullptr || stat(root, &status) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open directory \"%s\": %m", path)));
	if (!S_ISDIR(status.st_mode))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is not a directory", path)));
	const char *data = resolved(DataDir);
	if (data == nullptr || is_within(root, data) || is_within(data, root))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("directory \"%s\" holds or lies in the data directory of the server", path)));
	return pstrdup(root);
}

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_check_root(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	PG_RETURN_TEXT_P(cstring_to_text(authorize_root(text_to_cstring(PG_GETARG_TEXT_PP(0)),
													text_to_cstring(PG_GETARG_TEXT_PP(1)))));
}
