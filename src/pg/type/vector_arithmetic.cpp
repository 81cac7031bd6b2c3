// The operators + - * || and the functions that make a vector, a number or a bit string of one vector.
//
// Overflow and, for *, underflow are the server's own errors (22003), as for float4.
#include "pg/type/vector.hpp"

extern "C" {
#include "utils/float.h"
#include "utils/varbit.h"
}

namespace vectorizer::pg {

namespace {

/// A new vector of operation(a[i], b[i]). 22003 where a result overflows.
template <typename Operation>
Vector *elementwise(FunctionCallInfo fcinfo, Operation operation)
{
	const Vector *a = vector_from_datum(PG_GETARG_DATUM(0));
	const Vector *b = vector_from_datum(PG_GETARG_DATUM(1));
	check_same_dimensions(a, b);
	Vector *result = make_vector(a->dim);
	for (int i = 0; i < a->dim; i++)
		result->x[i] = operation(a->x[i], b->x[i]);
	for (int i = 0; i < result->dim; i++) {
		if (unlikely(std::isinf(result->x[i])))
			float_overflow_error();
	}
	return result;
}

double norm(const Vector *vector)
{
	double sum = 0;
	for (int i = 0; i < vector->dim; i++)
		sum += static_cast<double>(vector->x[i]) * vector->x[i];
	return std::sqrt(sum);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(vectorizer_vector_add);
PGDLLEXPORT Datum vectorizer_vector_add(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(elementwise(fcinfo, [](float a, float b) { return a + b; }));
}

PG_FUNCTION_INFO_V1(vectorizer_vector_sub);
PGDLLEXPORT Datum vectorizer_vector_sub(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(elementwise(fcinfo, [](float a, float b) { return a - b; }));
}

PG_FUNCTION_INFO_V1(vectorizer_vector_mul);
PGDLLEXPORT Datum vectorizer_vector_mul(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(elementwise(fcinfo, [](float a, float b) {
		const float product = a * b;
		if (unlikely(product == 0 && a != 0 && b != 0))
			float_underflow_error();
		return product;
	}));
}

PG_FUNCTION_INFO_V1(vectorizer_vector_concat);
PGDLLEXPORT Datum vectorizer_vector_concat(PG_FUNCTION_ARGS)
{
	const Vector *a = vector_from_datum(PG_GETARG_DATUM(0));
	const Vector *b = vector_from_datum(PG_GETARG_DATUM(1));
	const int dim = a->dim + b->dim;
	check_dimensions(dim);
	Vector *result = make_vector(dim);
	memcpy(result->x, a->x, a->dim * sizeof(float));
	memcpy(result->x + a->dim, b->x, b->dim * sizeof(float));
	PG_RETURN_POINTER(result);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_dims);
PGDLLEXPORT Datum vectorizer_vector_dims(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(vector_from_datum(PG_GETARG_DATUM(0))->dim);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_norm);
PGDLLEXPORT Datum vectorizer_vector_norm(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(norm(vector_from_datum(PG_GETARG_DATUM(0))));
}

PG_FUNCTION_INFO_V1(vectorizer_l2_normalize);
PGDLLEXPORT Datum vectorizer_l2_normalize(PG_FUNCTION_ARGS)
{
	const Vector *vector = vector_from_datum(PG_GETARG_DATUM(0));
	const double length = norm(vector);
	Vector *result = make_vector(vector->dim);
	for (int i = 0; i < vector->dim; i++)
		result->x[i] = length > 0 ? static_cast<float>(vector->x[i] / length) : 0;
	PG_RETURN_POINTER(result);
}

// Like substring(): counted from 1, and what lies outside the vector is left out.
PG_FUNCTION_INFO_V1(vectorizer_subvector);
PGDLLEXPORT Datum vectorizer_subvector(PG_FUNCTION_ARGS)
{
	const Vector *vector = vector_from_datum(PG_GETARG_DATUM(0));
	const int64 start = PG_GETARG_INT32(1);
	const int64 count = PG_GETARG_INT32(2);
	const int64 first = std::max<int64>(start, 1);
	const int64 last = std::min<int64>(start + count - 1, vector->dim);
	const auto dim = static_cast<int>(std::max<int64>(last - first + 1, 0));
	check_dimensions(dim);
	Vector *result = make_vector(dim);
	memcpy(result->x, vector->x + first - 1, dim * sizeof(float));
	PG_RETURN_POINTER(result);
}

// One bit a dimension, the first in the highest bit of the first byte: 1 where the number is positive.
PG_FUNCTION_INFO_V1(vectorizer_binary_quantize);
PGDLLEXPORT Datum vectorizer_binary_quantize(PG_FUNCTION_ARGS)
{
	const Vector *vector = vector_from_datum(PG_GETARG_DATUM(0));
	const int size = VARBITTOTALLEN(vector->dim);
	auto *result = static_cast<VarBit *>(palloc0(size));
	SET_VARSIZE(result, size);
	VARBITLEN(result) = vector->dim;
	bits8 *bytes = VARBITS(result);
	for (int i = 0; i < vector->dim; i++) {
		if (vector->x[i] > 0)
			bytes[i / 8] |= static_cast<bits8>(0x80 >> (i % 8));
	}
	PG_RETURN_VARBIT_P(result);
}

}  // extern "C"

}  // namespace vectorizer::pg
