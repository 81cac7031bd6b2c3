// A collection as those who fill it and tend its model need it.
#pragma once

#include "pg/pg.hpp"

namespace vectorizer::pg {

enum class ModelKind {
	kLsa,     // learnt from the chunks
	kStatic,  // vectors of words that were imported, weighed by the chunks
	kNone,    // embeddings are given; what is learnt are the weights of words alone
};

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
	float k1;
	float b;
	int32 dimension;
	int32 generation;  // of the model; moves when one is trained
};

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
