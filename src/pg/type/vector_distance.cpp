// Distances between two vectors. All but the spherical one are those by which an index reranks, from the same code, so
// that both order alike.
#include "core/metric.hpp"
#include "pg/type/vector.hpp"

#include <numbers>

namespace vectorizer::pg {

namespace {

double inner_product(const float *a, const float *b, int dim)
{
	float sum = 0;
	for (int i = 0; i < dim; i++)
		sum += a[i] * b[i];
	return sum;
}

double exact_distance(Metric metric, const float *a, const float *b, int dim)
{
	switch (metric) {
		case Metric::kInnerProduct: return -inner_product(a, b, dim);
		case Metric::kCosine: {
			const double norms = inner_product(a, a, dim) * inner_product(b, b, dim);
			const double cosine = inner_product(a, b, dim) / std::sqrt(norms);
			return 1 - std::clamp(cosine, -1.0, 1.0);
		}
		case Metric::kL1: {
			float sum = 0;
			for (int i = 0; i < dim; i++)
				sum += std::fabs(a[i] - b[i]);
			return sum;
		}
		case Metric::kL2: break;
	}
	float sum = 0;
	for (int i = 0; i < dim; i++)
		sum += (a[i] - b[i]) * (a[i] - b[i]);
	return sum;
}

/// The distance between the function's two arguments, in the form of core/metric.hpp.
double distance(Metric metric, FunctionCallInfo fcinfo)
{
	const Vector *a = vector_from_datum(PG_GETARG_DATUM(0));
	const Vector *b = vector_from_datum(PG_GETARG_DATUM(1));
	check_same_dimensions(a, b);
	return exact_distance(metric, a->x, b->x, a->dim);
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
