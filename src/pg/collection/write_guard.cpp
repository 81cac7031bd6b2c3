#include "pg/collection/write_guard.hpp"

extern "C" {
#include "commands/trigger.h"

PG_FUNCTION_INFO_V1(vectorizer_guard_write);
}

namespace vectorizer::pg {

constinit Oid writable_collection = InvalidOid;

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_guard_write(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("guard_write is a trigger function")));
	const auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
	if (RelationGetRelid(trigger->tg_relation) != writable_collection)
		ereport(ERROR, (errcode(kErrWorkspaceReadOnly),
						errmsg("collection \"%s\" is filled from its files and is read-only",
							   RelationGetRelationName(trigger->tg_relation)),
						errhint("Change the files of its project; the worker, or vectorizer.sync(), brings it up to date.")));
	PG_RETURN_POINTER(nullptr);
}
