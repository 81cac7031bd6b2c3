// vectorizer.check_patterns(include, exclude): whether they are glob patterns, said when a collection is made.
#include "core/workspace/glob.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(vectorizer_check_patterns);
}

extern "C" PGDLLEXPORT Datum vectorizer_check_patterns(PG_FUNCTION_ARGS)
{
	for (int argument = 0; argument < 2; ++argument) {
		ArrayType *patterns = PG_GETARG_ARRAYTYPE_P(argument);
		if (array_contains_nulls(patterns))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a glob pattern cannot be null")));
		Datum *elements;
		int count;
		deconstruct_array(patterns, TEXTOID, -1, false, TYPALIGN_INT, &elements, nullptr, &count);
		for (int i = 0; i < count; ++i) {
			const char *pattern = TextDatumGetCString(elements[i]);
			vectorizer::pg::guard([&] { vectorizer::workspace::Glob parsed(pattern); });
		}
	}
	PG_RETURN_VOID();
}
