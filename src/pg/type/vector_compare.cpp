// The total order of vectors, for btree, DISTINCT and merge joins: number by number, then the shorter one first. Zero
// and minus zero are equal; NaN does not occur.
#include "pg/type/vector.hpp"

namespace vectorizer::pg {

namespace {

int compare(const Vector *a, const Vector *b)
{
	const int dim = std::min(a->dim, b->dim);
	for (int i = 0; i < dim; i++) {
		if (a->x[i] != b->x[i])
			return a->x[i] < b->x[i] ? -1 : 1;
	}
	return a->dim == b->dim ? 0 : (a->dim < b->dim ? -1 : 1);
}

/// Below, at or above 0. A btree calls this many times in one memory context, hence the frees.
int compare_arguments(FunctionCallInfo fcinfo)
{
	const Vector *a = vector_from_datum(PG_GETARG_DATUM(0));
	const Vector *b = vector_from_datum(PG_GETARG_DATUM(1));
	const int order = compare(a, b);
	free_if_copy(a, PG_GETARG_DATUM(0));
	free_if_copy(b, PG_GETARG_DATUM(1));
	return order;
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(vectorizer_vector_lt);
PGDLLEXPORT Datum vectorizer_vector_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_le);
PGDLLEXPORT Datum vectorizer_vector_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_eq);
PGDLLEXPORT Datum vectorizer_vector_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_ne);
PGDLLEXPORT Datum vectorizer_vector_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_ge);
PGDLLEXPORT Datum vectorizer_vector_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_gt);
PGDLLEXPORT Datum vectorizer_vector_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_cmp);
PGDLLEXPORT Datum vectorizer_vector_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

}  // extern "C"

}  // namespace vectorizer::pg
