#include "pg/hnsw/validate.hpp"

extern "C" {
#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
}

namespace vectorizer::hnsw {

bool am_validate(Oid opclass)
{
	HeapTuple class_tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	if (!HeapTupleIsValid(class_tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("operator class %u does not exist", opclass)));
	auto *form = reinterpret_cast<Form_pg_opclass>(GETSTRUCT(class_tuple));
	Oid family = form->opcfamily;
	const char *name = NameStr(form->opcname);
	bool valid = true;

	CatCList *operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
	for (int i = 0; i < operators->n_members; ++i) {
		auto *op = reinterpret_cast<Form_pg_amop>(GETSTRUCT(&operators->members[i]->tuple));
		if (op->amopstrategy == 1 && op->amoppurpose == AMOP_ORDER && get_op_rettype(op->amopopr) == FLOAT8OID)
			continue;
		ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					   errmsg("operator class \"%s\" of access method hnsw has operator %s as something other than strategy 1, "
							  "FOR ORDER BY, of type double precision",
							  name, format_operator(op->amopopr))));
		valid = false;
	}
	ReleaseCatCacheList(operators);

	bool has_support = false;
	CatCList *functions = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(family));
	for (int i = 0; i < functions->n_members; ++i) {
		auto *proc = reinterpret_cast<Form_pg_amproc>(GETSTRUCT(&functions->members[i]->tuple));
		if (proc->amprocnum == 1 && check_amproc_signature(proc->amproc, INTERNALOID, true, 1, 1, INTERNALOID)) {
			has_support = true;
			continue;
		}
		ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					   errmsg("operator class \"%s\" of access method hnsw has function %s with an invalid number or signature",
							  name, format_procedure(proc->amproc))));
		valid = false;
	}
	ReleaseCatCacheList(functions);
	if (!has_support) {
		ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					   errmsg("operator class \"%s\" of access method hnsw is missing support function 1", name)));
		valid = false;
	}
	ReleaseSysCache(class_tuple);
	return valid;
}

}  // namespace vectorizer::hnsw
