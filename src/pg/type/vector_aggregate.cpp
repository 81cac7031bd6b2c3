// avg(vector). Its state is a float8[]: the count of rows, then the sum of each dimension; `{0}` before the first row.
// A plain SQL type needs no serial form for parallel workers. sum(vector) is vector_add().
#include "pg/type/vector.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/float.h"
}

namespace vectorizer::pg {

namespace {

/// A view of a state array.
struct State {
	ArrayType *array;
	float8 *count;
	float8 *sums;
	int dim;  // 0: no row yet
};

State view(ArrayType *array)
{
	auto *values = reinterpret_cast<float8 *>(ARR_DATA_PTR(array));
	return {array, values, values + 1, ARR_DIMS(array)[0] - 1};
}

/// The state in an argument. SQL may call the aggregate's functions by hand, so any array can come.
State state_argument(FunctionCallInfo fcinfo, int argument)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] < 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != FLOAT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid state for a vector aggregate"),
				 errdetail("It must be a one-dimensional array of double precision without nulls: a count, then sums.")));
	return view(array);
}

State make_state(int dim)
{
	const Size size = ARR_OVERHEAD_NONULLS(1) + (dim + 1) * sizeof(float8);
	auto *array = static_cast<ArrayType *>(palloc0(size));
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;  // no null bitmap
	array->elemtype = FLOAT8OID;
	ARR_DIMS(array)[0] = dim + 1;
	ARR_LBOUND(array)[0] = 1;
	return view(array);
}

void add(float8 *sum, float8 value)
{
	*sum += value;
	if (unlikely(std::isinf(*sum)))
		float_overflow_error();
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(vectorizer_vector_accum);
PGDLLEXPORT Datum vectorizer_vector_accum(PG_FUNCTION_ARGS)
{
	const State old = state_argument(fcinfo, 0);
	const Vector *vector = vector_from_datum(PG_GETARG_DATUM(1));
	if (old.dim > 0)
		check_typmod(old.dim, vector->dim);

	// An aggregate's state is its own to change; anyone else's array is not.
	State state = old;
	if (old.dim == 0 || AggCheckCallContext(fcinfo, nullptr) == 0) {
		state = make_state(vector->dim);
		memcpy(state.count, old.count, (old.dim + 1) * sizeof(float8));
	}
	*state.count += 1;
	for (int i = 0; i < vector->dim; i++)
		add(&state.sums[i], vector->x[i]);
	PG_RETURN_ARRAYTYPE_P(state.array);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_combine);
PGDLLEXPORT Datum vectorizer_vector_combine(PG_FUNCTION_ARGS)
{
	const State a = state_argument(fcinfo, 0);
	const State b = state_argument(fcinfo, 1);
	if (a.dim == 0)
		PG_RETURN_ARRAYTYPE_P(b.array);
	if (b.dim == 0)
		PG_RETURN_ARRAYTYPE_P(a.array);
	check_typmod(a.dim, b.dim);

	State state = make_state(a.dim);
	*state.count = *a.count + *b.count;
	memcpy(state.sums, a.sums, a.dim * sizeof(float8));
	for (int i = 0; i < a.dim; i++)
		add(&state.sums[i], b.sums[i]);
	PG_RETURN_ARRAYTYPE_P(state.array);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_avg);
PGDLLEXPORT Datum vectorizer_vector_avg(PG_FUNCTION_ARGS)
{
	const State state = state_argument(fcinfo, 0);
	if (*state.count == 0)
		PG_RETURN_NULL();
	check_dimensions(state.dim);
	Vector *result = make_vector(state.dim);
	for (int i = 0; i < state.dim; i++) {
		result->x[i] = static_cast<float>(state.sums[i] / *state.count);
		check_element(result->x[i]);
	}
	PG_RETURN_POINTER(result);
}

}  // extern "C"

}  // namespace vectorizer::pg
