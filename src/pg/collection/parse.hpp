// A query as a collection sees it: its embedding, its lexemes and what they weigh.
#pragma once

#include "pg/collection/model.hpp"

extern "C" {
#include "tsearch/ts_type.h"
}

namespace vectorizer::pg {

/// A lexeme of a query.
struct ParsedTerm {
	std::string_view lexeme;
	double idf;
	double df;  // about how many of the collection's chunks hold it
};

/// All of it is palloc'd.
struct ParsedQuery {
	const char *name;            // of the collection
	const Vector *embedding;     // null: no lexeme is known, or its endpoint was not asked or failed
	std::span<ParsedTerm> terms;
	double average_length, k1, b;
	const char *text_config, *metric, *model;
	int32 ef_search;             // 0: none of its own
	int64 chunks;                // 0: no model has learnt from any
	bool swapped;                // other embeddings have come into force since the statement began
};

/// Raises 42501 where the caller may not read the collection's table, 42704 where there is no such collection. In mode "text" no
/// endpoint is asked; in mode "vector" one that fails raises, in "hybrid" it warns. REQUIRES: an SPI connection.
ParsedQuery parse_query(const char *name, const text *query, std::string_view mode);

/// lexeme | lexeme | ...: a question finds the texts that hold any of its words; the ranking prefers those with more. Palloc'd.
TSQuery any_of(std::span<const ParsedTerm> terms);

/// The lexemes, and their weights, as arrays of text and of float8. Palloc'd.
ArrayType *lexemes_of(std::span<const ParsedTerm> terms);
ArrayType *weights_of(std::span<const ParsedTerm> terms);

}  // namespace vectorizer::pg
