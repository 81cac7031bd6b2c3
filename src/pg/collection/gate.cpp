// The gate: how a SQL function with the rights of the extension's owner learns who called it.
//
// vectorizer.name(args) is this C function, SECURITY INVOKER. It calls vectorizer.name_as(caller, args), which is
// SECURITY DEFINER and executable by nobody, past the executor's privilege check: EXECUTE on the gate is the privilege.
#include "pg/pg.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(vectorizer_gate);
}

namespace {

/// The function behind a gate: same schema, name with "_as", one more argument in front.
Oid function_behind(Oid gate)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(gate));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION), errmsg("function with OID %u does not exist", gate)));
	const auto *procedure = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
	Oid types[FUNC_MAX_ARGS + 1] = {TEXTOID};
	std::copy_n(procedure->proargtypes.values, procedure->pronargs, types + 1);
	List *name = list_make2(makeString(get_namespace_name(procedure->pronamespace)),
							makeString(psprintf("%s_as", NameStr(procedure->proname))));
	const Oid behind = LookupFuncName(name, procedure->pronargs + 1, types, false);
	ReleaseSysCache(tuple);
	return behind;
}

}  // namespace

extern "C" PGDLLEXPORT Datum vectorizer_gate(PG_FUNCTION_ARGS)
{
	if (fcinfo->flinfo->fn_extra == nullptr) {
		auto *looked_up = static_cast<FmgrInfo *>(MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(FmgrInfo)));
		fmgr_info_cxt(function_behind(fcinfo->flinfo->fn_oid), looked_up, fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = looked_up;
	}
	// Everything behind a gate writes.
	PreventCommandDuringRecovery(psprintf("vectorizer.%s()", get_func_name(fcinfo->flinfo->fn_oid)));
	LOCAL_FCINFO(behind, FUNC_MAX_ARGS);
	InitFunctionCallInfoData(*behind, static_cast<FmgrInfo *>(fcinfo->flinfo->fn_extra),
							 static_cast<short>(PG_NARGS() + 1), fcinfo->fncollation, nullptr, fcinfo->resultinfo);  // a set of rows goes into it
	behind->args[0].value = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	behind->args[0].isnull = false;
	std::copy_n(fcinfo->args, PG_NARGS(), behind->args + 1);
	const Datum result = FunctionCallInvoke(behind);
	fcinfo->isnull = behind->isnull;
	return result;
}
