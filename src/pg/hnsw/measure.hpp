// vectorizer.evaluate_quantization(), quantization_health() and retrain(): what codes find on the rows of a table.
#pragma once

#include "core/quantize/auto.hpp"
#include "pg/hnsw/open.hpp"

namespace vectorizer::hnsw {

/// Raises 42501 unless the current user may read all of the table: its rows decide what is shown.
void require_reading(Relation heap, AttrNumber column);

/// What the index's codes find on a sample of its rows; rows 0 if there are too few.
quantize::Evaluation measure_index(const OpenedIndex &opened);

/// Writes into the metapage what was found, and that the code has been measured on rows.
void keep_evidence(Relation index, const quantize::Evaluation &found);

}  // namespace vectorizer::hnsw
