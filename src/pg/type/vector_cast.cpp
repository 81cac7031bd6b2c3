// Casts between vector and arrays, and of a vector to a type modifier. Each takes (value, typmod, explicit), the form
// that CREATE CAST knows.
#include "pg/type/vector.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
}

namespace vectorizer::pg {

namespace {

/// The numbers of an array without nulls whose elements lie there as T, one after the other.
template <typename T>
void copy_numbers(const ArrayType *array, Vector *result)
{
	const T *numbers = reinterpret_cast<const T *>(ARR_DATA_PTR(array));
	for (int i = 0; i < result->dim; i++)
		result->x[i] = static_cast<float>(numbers[i]);
}

void copy_numerics(ArrayType *array, Vector *result)
{
	Datum *elements;
	int count;
	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &elements, nullptr, &count);
	for (int i = 0; i < count; i++)
		result->x[i] = DatumGetFloat4(DirectFunctionCall1(numeric_float4, elements[i]));
	pfree(elements);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(vectorizer_vector);
PGDLLEXPORT Datum vectorizer_vector(PG_FUNCTION_ARGS)
{
	Vector *vector = vector_from_datum(PG_GETARG_DATUM(0));
	check_typmod(PG_GETARG_INT32(1), vector->dim);
	PG_RETURN_POINTER(vector);
}

PG_FUNCTION_INFO_V1(vectorizer_array_to_vector);
PGDLLEXPORT Datum vectorizer_array_to_vector(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("array must be 1-D")));
	if (array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
	const int dim = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	check_dimensions(dim);
	check_typmod(PG_GETARG_INT32(1), dim);

	Vector *result = make_vector(dim);
	switch (ARR_ELEMTYPE(array)) {
		case INT4OID: copy_numbers<int32>(array, result); break;
		case FLOAT4OID: copy_numbers<float4>(array, result); break;
		case FLOAT8OID: copy_numbers<float8>(array, result); break;
		case NUMERICOID: copy_numerics(array, result); break;
		default: ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("unsupported array type")));
	}
	for (int i = 0; i < dim; i++)
		check_element(result->x[i]);
	PG_RETURN_POINTER(result);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_to_float4);
PGDLLEXPORT Datum vectorizer_vector_to_float4(PG_FUNCTION_ARGS)
{
	const Vector *vector = vector_from_datum(PG_GETARG_DATUM(0));
	const Size size = ARR_OVERHEAD_NONULLS(1) + vector->dim * sizeof(float4);
	auto *array = static_cast<ArrayType *>(palloc0(size));
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;  // no null bitmap
	array->elemtype = FLOAT4OID;
	ARR_DIMS(array)[0] = vector->dim;
	ARR_LBOUND(array)[0] = 1;
	memcpy(ARR_DATA_PTR(array), vector->x, vector->dim * sizeof(float4));
	PG_RETURN_ARRAYTYPE_P(array);
}

}  // extern "C"

}  // namespace vectorizer::pg
