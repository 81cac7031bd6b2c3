// What an operator class tells the index: its support function 1 returns one of these.
#pragma once

#include "core/metric.hpp"
#include "pg/hnsw/format.hpp"

namespace vectorizer::hnsw {

struct Opclass {
	VectorType type;
	Metric metric;
	const char *type_name;
};

/// The operator class of the index's column. Raises 0A000 for one that is not ours.
const Opclass &opclass_of(Relation index);

/// The metric's name as users read and write it; "unknown" for a value that is none.
const char *metric_name(Metric metric);

/// The metric of that name, in either case. Raises 22023 for any other.
Metric metric_named(const char *name);

/// A value of the indexed type as plain floats.
struct VectorView {
	const float *x;
	std::uint32_t dimensions;
};

/// Detoasts into the current memory context where that is needed.
VectorView view_of(Datum value);

/// Whether the index holds it: a zero vector has no cosine.
bool indexable(Metric metric, VectorView vector);

/// Raises 22000 unless the vector has the index's dimensions.
void check_dimensions(VectorView vector, std::uint32_t dimensions);

}  // namespace vectorizer::hnsw
