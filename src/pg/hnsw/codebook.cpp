#include "pg/hnsw/codebook.hpp"

namespace vectorizer::hnsw {

quantize::Quantizer open_quantizer(Relation, const Index &index, const Arena &arena)
{
	return quantize::Quantizer(index.shape, arena);
}

}  // namespace vectorizer::hnsw
