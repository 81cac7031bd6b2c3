// Training a collection's model on its own chunks, and giving chunks their embeddings.
//
// A generation is trained on at most kMaxSample chunks and kMaxVocabulary lexemes (the most frequent). The first one is
// in force as soon as it is stored; chunks then get their embeddings in batches (state `filling`), and the vector index
// is built when all have one. Later ones replace it within one transaction: train, embed all chunks, switch.
//
// All functions need an SPI connection, an active snapshot, and the lock of the project, or of the dynamic collection.
#pragma once

#include "core/text/lsa.hpp"
#include "pg/collection/model.hpp"
#include "pg/collection/collection.hpp"

namespace vectorizer::pg {

inline constexpr int kMaxSample = 20000;
inline constexpr int kMaxVocabulary = 50000;

/// Trains and stores generation `generation` of the collection, as it is or as its `next` says, in state `filling`. `working` holds the sample and is the caller's to delete.
void train_model(const Collection &collection, int32 generation, int64 chunks, MemoryContext working);

enum class Which {
	kAll,
	kNew,  // those that no generation has embedded
};

/// Gives up to `limit` chunks the embedding of the generation in force, beginning at id *from, which it moves; rows of a
/// dynamic collection that somebody is writing are left out. False
/// when there are no more. REQUIRES: the reader has that generation open.
bool embed_chunks(const Collection &collection, ModelReader &model, Which which, int limit, int64 *from, int64 *embedded);

}  // namespace vectorizer::pg
