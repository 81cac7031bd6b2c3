// The vector's text form `[1,2,3]`, its binary form (int16 dimensions, int16 0, float4 numbers, big-endian) and its type
// modifier, which is the number of dimensions.
#include "pg/type/vector.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>

extern "C" {
#include "common/shortest_dec.h"
#include "libpq/pqformat.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
}

namespace vectorizer::pg {

namespace {

bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

const char *skip_spaces(const char *at)
{
	while (is_space(*at))
		at++;
	return at;
}

/// Reads the number at `at`, sets *value and returns the place after it: `at` itself where there is none. A number too
/// large comes back as infinity with errno ERANGE. What a number is, strtof says, as it does for the server's `real`;
/// from_chars agrees on plain decimals, is several times faster, and leaves the rest to strtof.
const char *read_number(const char *at, const char *end, float *value)
{
	errno = 0;
	const std::from_chars_result fast = std::from_chars(at, end, *value);
	if (fast.ec == std::errc() && (*fast.ptr == ',' || *fast.ptr == ']' || is_space(*fast.ptr)))
		return fast.ptr;
	char *rest;
	*value = strtof(at, &rest);
	return rest;
}

bool syntax_error(const char *text, const char *detail, Node *escontext)
{
	errsave(escontext,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type vector: \"%s\"", text),
			 detail != nullptr ? errdetail("%s", detail) : 0));
	return false;
}

/// Reads a whole text into `x` (room for kMaxDimensions). False where the error went to escontext.
bool parse(const char *text, float *x, int *dim, Node *escontext)
{
	const char *end = text + strlen(text);
	const char *at = skip_spaces(text);
	if (*at != '[')
		return syntax_error(text, "Vector contents must start with \"[\".", escontext);
	at = skip_spaces(at + 1);
	*dim = 0;
	if (*at == ']')
		return check_dimensions(0, escontext);

	for (;; at++) {
		at = skip_spaces(at);
		float value;
		const char *after = read_number(at, end, &value);
		if (after == at)
			return syntax_error(text, nullptr, escontext);
		if (errno == ERANGE && std::isinf(value)) {
			errsave(escontext,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("\"%.*s\" is out of range for type vector", static_cast<int>(after - at), at)));
			return false;
		}
		if (!check_element(value, escontext) || !check_dimensions(*dim + 1, escontext))
			return false;
		x[(*dim)++] = value;

		at = skip_spaces(after);
		if (*at == ']')
			break;
		if (*at != ',')
			return syntax_error(text, nullptr, escontext);
	}
	if (*skip_spaces(at + 1) != '\0')
		return syntax_error(text, "Junk after closing right brace.", escontext);
	return true;
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(vectorizer_vector_in);
PGDLLEXPORT Datum vectorizer_vector_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	const int32 typmod = PG_GETARG_INT32(2);
	float x[kMaxDimensions];
	int dim;
	if (!parse(text, x, &dim, fcinfo->context) || !check_typmod(typmod, dim, fcinfo->context))
		PG_RETURN_NULL();

	Vector *result = make_vector(dim);
	memcpy(result->x, x, dim * sizeof(float));
	PG_RETURN_POINTER(result);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_out);
PGDLLEXPORT Datum vectorizer_vector_out(PG_FUNCTION_ARGS)
{
	const Vector *vector = vector_from_datum(PG_GETARG_DATUM(0));
	// FLOAT_SHORTEST_DECIMAL_LEN counts a terminator, whose place the comma or the bracket takes.
	auto *text = static_cast<char *>(palloc(1 + vector->dim * FLOAT_SHORTEST_DECIMAL_LEN + 1));
	char *at = text;
	*at++ = '[';
	for (int i = 0; i < vector->dim; i++) {
		if (i > 0)
			*at++ = ',';
		at += float_to_shortest_decimal_bufn(vector->x[i], at);
	}
	*at++ = ']';
	*at = '\0';
	PG_RETURN_CSTRING(text);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_typmod_in);
PGDLLEXPORT Datum vectorizer_vector_typmod_in(PG_FUNCTION_ARGS)
{
	int count;
	const int32 *modifiers = ArrayGetIntegerTypmods(PG_GETARG_ARRAYTYPE_P(0), &count);
	if (count != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid type modifier")));
	if (modifiers[0] < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("dimensions for type vector must be at least 1")));
	if (modifiers[0] > kMaxDimensions)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dimensions for type vector cannot exceed %d", kMaxDimensions)));
	PG_RETURN_INT32(modifiers[0]);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_recv);
PGDLLEXPORT Datum vectorizer_vector_recv(PG_FUNCTION_ARGS)
{
	auto *message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
	const int32 typmod = PG_GETARG_INT32(2);
	const auto dim = static_cast<int16>(pq_getmsgint(message, sizeof(int16)));
	const auto unused = static_cast<int16>(pq_getmsgint(message, sizeof(int16)));
	check_dimensions(dim);
	check_typmod(typmod, dim);
	if (unused != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected unused to be 0, not %d", unused)));

	Vector *result = make_vector(dim);
	const char *bytes = pq_getmsgbytes(message, dim * static_cast<int>(sizeof(float)));
	bool finite = true;
	for (int i = 0; i < dim; i++) {
		uint32 bits;
		std::memcpy(&bits, bytes + i * sizeof(bits), sizeof(bits));
		bits = pg_ntoh32(bits);
		finite &= (bits & 0x7F800000U) != 0x7F800000U;
		std::memcpy(&result->x[i], &bits, sizeof(bits));
	}
	for (int i = 0; i < dim && !finite; i++)
		check_element(result->x[i]);
	PG_RETURN_POINTER(result);
}

PG_FUNCTION_INFO_V1(vectorizer_vector_send);
PGDLLEXPORT Datum vectorizer_vector_send(PG_FUNCTION_ARGS)
{
	const Vector *vector = vector_from_datum(PG_GETARG_DATUM(0));
	StringInfoData message;
	pq_begintypsend(&message);
	pq_sendint16(&message, vector->dim);
	pq_sendint16(&message, 0);
	for (int i = 0; i < vector->dim; i++)
		pq_sendfloat4(&message, vector->x[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

}  // extern "C"

}  // namespace vectorizer::pg
