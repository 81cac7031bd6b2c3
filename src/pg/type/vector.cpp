#include "pg/type/vector.hpp"

namespace vectorizer::pg {

Vector *make_vector(int dim)
{
	auto *vector = static_cast<Vector *>(palloc(vector_size(dim)));
	SET_VARSIZE(vector, vector_size(dim));
	vector->dim = static_cast<int16>(dim);
	vector->unused = 0;
	return vector;
}

Vector *vector_from_datum(Datum datum)
{
	auto *vector = reinterpret_cast<Vector *>(PG_DETOAST_DATUM(datum));
	const Size size = VARSIZE(vector);
	if (unlikely(size < sizeof(Vector) || vector->dim < 1 || size != vector_size(vector->dim)))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored vector is corrupt"),
				 errdetail("Its length is %zu bytes.", size)));
	return vector;
}

void free_if_copy(const Vector *vector, Datum datum)
{
	if (vector_to_datum(vector) != datum)
		pfree(const_cast<Vector *>(vector));
}

bool check_dimensions(int dim, Node *escontext)
{
	if (dim < 1) {
		errsave(escontext,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("vector must have at least 1 dimension")));
		return false;
	}
	if (dim > kMaxDimensions) {
		errsave(escontext,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("vector cannot have more than %d dimensions", kMaxDimensions)));
		return false;
	}
	return true;
}

bool check_typmod(int32 typmod, int dim, Node *escontext)
{
	if (typmod != -1 && typmod != dim) {
		errsave(escontext,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected %d dimensions, not %d", typmod, dim)));
		return false;
	}
	return true;
}

bool check_element(float value, Node *escontext)
{
	if (likely(std::isfinite(value)))
		return true;
	errsave(escontext,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 std::isnan(value) ? errmsg("NaN not allowed in vector") : errmsg("infinite value not allowed in vector")));
	return false;
}

void check_same_dimensions(const Vector *a, const Vector *b)
{
	if (unlikely(a->dim != b->dim))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("different vector dimensions %d and %d", a->dim, b->dim)));
}

}  // namespace vectorizer::pg
