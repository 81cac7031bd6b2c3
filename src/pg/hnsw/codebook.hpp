// The quantizer of an index, with the parameters that training has left in it.
#pragma once

#include "pg/hnsw/index.hpp"

namespace vectorizer::hnsw {

/// Its memory, the parameters' too, lives in `arena`.
quantize::Quantizer open_quantizer(Relation relation, const Index &index, const Arena &arena);

}  // namespace vectorizer::hnsw
