#include "pg/hnsw/opclass.hpp"

#include "pg/type/vector.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
}

namespace vectorizer::hnsw {

namespace {

constexpr Opclass vector_l2{VectorType::kVector, Metric::kL2, "vector"};
constexpr Opclass vector_ip{VectorType::kVector, Metric::kInnerProduct, "vector"};
constexpr Opclass vector_cosine{VectorType::kVector, Metric::kCosine, "vector"};
constexpr Opclass vector_l1{VectorType::kVector, Metric::kL1, "vector"};

}  // namespace

const Opclass &opclass_of(Relation index)
{
	FmgrInfo *support = index_getprocinfo(index, 1, 1);
	auto *opclass = reinterpret_cast<const Opclass *>(DatumGetPointer(FunctionCall0Coll(support, InvalidOid)));
	if (opclass == nullptr)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("type not supported for hnsw index")));
	return *opclass;
}

namespace {

constexpr struct {
	const char *name;
	Metric metric;
} metrics[] = {{"l2", Metric::kL2}, {"inner product", Metric::kInnerProduct}, {"cosine", Metric::kCosine}, {"l1", Metric::kL1}};

}  // namespace

const char *metric_name(Metric metric)
{
	for (const auto &known : metrics)
		if (known.metric == metric)
			return known.name;
	return "unknown";
}

Metric metric_named(const char *name)
{
	for (const auto &known : metrics)
		if (pg_strcasecmp(name, known.name) == 0)
			return known.metric;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown metric \"%s\"", name),
					errhint("Valid metrics are \"l2\", \"inner product\", \"cosine\" and \"l1\".")));
	pg_unreachable();
}

VectorView view_of(Datum value)
{
	const pg::Vector *vector = pg::vector_from_datum(value);
	return {vector->x, static_cast<std::uint32_t>(vector->dim)};
}

bool indexable(Metric metric, VectorView vector)
{
	if (metric != Metric::kCosine)
		return true;
	for (std::uint32_t i = 0; i < vector.dimensions; ++i)
		if (vector.x[i] != 0)
			return true;
	return false;
}

void check_dimensions(VectorView vector, std::uint32_t dimensions)
{
	pg::check_typmod(static_cast<int32>(dimensions), static_cast<int>(vector.dimensions));
}

}  // namespace vectorizer::hnsw

extern "C" {

PG_FUNCTION_INFO_V1(vectorizer_hnsw_vector_l2);
PG_FUNCTION_INFO_V1(vectorizer_hnsw_vector_ip);
PG_FUNCTION_INFO_V1(vectorizer_hnsw_vector_cosine);
PG_FUNCTION_INFO_V1(vectorizer_hnsw_vector_l1);

PGDLLEXPORT Datum vectorizer_hnsw_vector_l2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum vectorizer_hnsw_vector_ip(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum vectorizer_hnsw_vector_cosine(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum vectorizer_hnsw_vector_l1(PG_FUNCTION_ARGS);

Datum vectorizer_hnsw_vector_l2(FunctionCallInfo)
{
	PG_RETURN_POINTER(&vectorizer::hnsw::vector_l2);
}

Datum vectorizer_hnsw_vector_ip(FunctionCallInfo)
{
	PG_RETURN_POINTER(&vectorizer::hnsw::vector_ip);
}

Datum vectorizer_hnsw_vector_cosine(FunctionCallInfo)
{
	PG_RETURN_POINTER(&vectorizer::hnsw::vector_cosine);
}

Datum vectorizer_hnsw_vector_l1(FunctionCallInfo)
{
	PG_RETURN_POINTER(&vectorizer::hnsw::vector_l1);
}
}
