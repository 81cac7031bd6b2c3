// The two legs of a search in one collection: its nearest rows by embedding, and its best by words. They run as the caller, by
// statements that the backend keeps planned.
#pragma once

#include "pg/collection/parse.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace vectorizer::pg {

/// What a leg found, best first.
struct Hit {
	int64 id;
	double value;  // the distance, or the BM25 weight
};

/// What is looked for in one collection.
struct Asked {
	const ParsedQuery *parsed;
	const Jsonb *filter;  // null: none; else what a row's metadata contain
	int depth;            // rows of each leg
};

/// The at most `depth` nearest rows. REQUIRES: an embedding; an SPI connection, as all of these do.
std::span<Hit> by_vector(const Asked &asked);

/// The at most `depth` rows of the greatest weight, by id where weights are equal. Not every row that holds one of the words is looked at:
/// the rarest words are looked for first, and the others, too, as long as these alone might make up the weight of the last of the best
/// (Turtle and Flood 1995, MaxScore). REQUIRES: terms.
std::span<Hit> by_words(const Asked &asked);

/// The plans of both legs, as EXPLAIN prints them, a call of take() for a line; with `run` they are run.
void explain_legs(const Asked &asked, bool run, void (*take)(void *, const char *line), void *context);

/// Columns of the rows with these ids: id, path, ordinal, content, start_line, end_line, metadata. They are in SPI_tuptable; returns their
/// number.
uint64 fetch_rows(const char *collection, std::span<const int64> ids);

}  // namespace vectorizer::pg
