// The quantizer of an index, with the parameters that training has left in it.
//
// A codebook lies in groups of its own kind, chained by their first blocks. Its pages are written, and logged, before the
// metapage names the first of them: what a crash leaves is a group that nothing leads to.
#pragma once

#include "pg/hnsw/index.hpp"

namespace vectorizer::hnsw {

/// Its memory, the parameters' too, lives in `arena`. Raises XX002 where the codebook that the metapage names is not there.
quantize::Quantizer open_quantizer(Relation relation, const Index &index, const Arena &arena);

/// The parameters that begin in this block. Raises XX002 unless they are whole and of that generation.
quantize::Parameters read_codebook(Relation relation, const Index &index, BlockNumber block, std::uint16_t generation,
								   const Arena &arena);

/// Writes parameters into groups that it claims for them, and makes them the index's own. REQUIRES: the index is under
/// construction, the caller's alone, and holds no node yet.
void write_codebook(Relation relation, quantize::Parameters parameters);

}  // namespace vectorizer::hnsw
