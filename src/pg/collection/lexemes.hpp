// Texts as the server's text search sees them: lexemes of a tsvector with their counts.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "tsearch/ts_type.h"
}

namespace vectorizer::pg {

/// A lexeme of a tsvector and how often it stands there. The server keeps at most 255 positions of one.
struct LexemeCount {
	std::string_view lexeme;  // points into the tsvector
	uint32 count;
};

inline int lexeme_count(TSVector tsv) { return tsv->size; }

inline LexemeCount lexeme_at(TSVector tsv, int i)
{
	const WordEntry *entry = ARRPTR(tsv) + i;
	return {{STRPTR(tsv) + entry->pos, entry->len},
			entry->haspos != 0 ? static_cast<uint32>(POSDATALEN(tsv, entry)) : 1U};
}

/// The length of a text in lexemes.
inline uint32 total_lexemes(TSVector tsv)
{
	uint32 total = 0;
	for (int i = 0; i < lexeme_count(tsv); ++i)
		total += lexeme_at(tsv, i).count;
	return total;
}

/// The text search configuration of a name as the catalogue keeps it. Raises 42704 if it is gone.
Oid text_config_oid(const char *qualified_name);

/// What a chunk is found by: its text under its heading, which says what the text takes for granted. Palloc'd if there is one.
std::string_view under_heading(std::string_view heading, std::string_view content);

/// to_tsvector(config, text). Raises what the dictionaries raise.
TSVector to_tsvector(Oid config, std::string_view content);

}  // namespace vectorizer::pg
