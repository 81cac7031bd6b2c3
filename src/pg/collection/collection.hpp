// A collection as those who fill it and tend its model need it.
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::pg {

enum class ModelKind {
	kLsa,     // learnt from the chunks
	kStatic,  // vectors of words that were imported, weighed by the chunks
	kNone,    // embeddings are given; what is learnt are the weights of words alone
	kHttp,    // an endpoint is asked for embeddings, by the embedder; likewise
};

/// Whether rows get their embeddings from the collection's model as rows have it, in any backend.
inline bool made_of_lexemes(ModelKind kind)
{
	return kind == ModelKind::kLsa || kind == ModelKind::kStatic;
}

struct Collection {
	int64 id;
	const char *name;
	Oid table;
	bool dynamic;  // written by users
	std::span<const char *const> include;
	std::span<const char *const> exclude;
	int32 chunk_size;
	int32 chunk_overlap;
	Oid text_config;
	int32 revision;
	ModelKind model;
	int64 imported;  // vectorizer.imported_model; 0: none
	int64 endpoint;  // vectorizer.endpoint; 0: none
	float k1;
	float b;
	int32 dimension;
	int32 generation;  // of the model; moves when one is trained

	/// The generation that a row has whose embedding is as the collection's model makes it now; 0: the row has to wait for it. What an
	/// endpoint makes does not depend on a generation.
	int32 row_generation() const { return model == ModelKind::kHttp ? 0 : generation; }

	bool beside;       // it is what `next` of another one points to
	Collection *next;  // as it will be embedded once that is done for all rows, in columns beside; null: as it is

	/// The columns of embeddings and of their generations.
	const char *embedding_column() const { return beside ? "next_embedding" : "embedding"; }
	const char *generation_column() const { return beside ? "next_generation" : "model_generation"; }
};

/// What rows have whose embedding an endpoint has made.
inline constexpr int32 kAskedGeneration = 1;

/// The collections of a project, by name, in the current memory context. Raises where a table is gone.
std::span<Collection> load_collections(int64 project);

/// One collection, likewise; none if it is gone.
std::span<Collection> load_collection(int64 id);

struct DynamicCollection {
	int64 id;
	Oid table;  // InvalidOid: it is gone
};

/// The dynamic collections, likewise.
std::span<DynamicCollection> dynamic_collections();

}  // namespace vectorizer::pg
