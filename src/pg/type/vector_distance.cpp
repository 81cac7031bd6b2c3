// Distances between two vectors, from the code by which an index reranks, so that both order alike.
#include "core/quantize/quantizer.hpp"
#include "pg/type/vector.hpp"

#include <numbers>

namespace vectorizer::pg {

namespace {

/// The distance between the function's two arguments, in the form of core/metric.hpp.
double distance(Metric metric, FunctionCallInfo fcinfo)
{
	const Vector *a = vector_from_datum(PG_GETARG_DATUM(0));
	const Vector *b = vector_from_datum(PG_GETARG_DATUM(1));
	check_same_dimensions(a, b);
	return quantize::exact_distance(metric, a->x, b->x, a->dim);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(vectorizer_l2_distance);
PGDLLEXPORT Datum vectorizer_l2_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(std::sqrt(distance(Metric::kL2, fcinfo)));
}

PG_FUNCTION_INFO_V1(vectorizer_vector_l2_squared_distance);
PGDLLEXPORT Datum vectorizer_vector_l2_squared_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance(Metric::kL2, fcinfo));
}

PG_FUNCTION_INFO_V1(vectorizer_inner_product);
PGDLLEXPORT Datum vectorizer_inner_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(-distance(Metric::kInnerProduct, fcinfo));
}

PG_FUNCTION_INFO_V1(vectorizer_vector_negative_inner_product);
PGDLLEXPORT Datum vectorizer_vector_negative_inner_product(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance(Metric::kInnerProduct, fcinfo));
}

PG_FUNCTION_INFO_V1(vectorizer_cosine_distance);
PGDLLEXPORT Datum vectorizer_cosine_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance(Metric::kCosine, fcinfo));
}

PG_FUNCTION_INFO_V1(vectorizer_l1_distance);
PGDLLEXPORT Datum vectorizer_l1_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance(Metric::kL1, fcinfo));
}

// The angle between two vectors of unit length, as a fraction of pi.
PG_FUNCTION_INFO_V1(vectorizer_vector_spherical_distance);
PGDLLEXPORT Datum vectorizer_vector_spherical_distance(PG_FUNCTION_ARGS)
{
	const double cosine = -distance(Metric::kInnerProduct, fcinfo);
	PG_RETURN_FLOAT8(std::acos(std::clamp(cosine, -1.0, 1.0)) / std::numbers::pi);
}

}  // extern "C"

}  // namespace vectorizer::pg
