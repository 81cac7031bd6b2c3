// The parts of a text that show why it was found: what ts_headline() makes of it, at half the time.
//
// Two thirds of ts_headline()'s time go into asking dictionaries for the lexemes of every word, the same words in text after
// text. Here the backend remembers what they said, until a dictionary or configuration changes; the server's parser splits
// the text, and its choice of fragments stands.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "nodes/pg_list.h"
#include "tsearch/ts_type.h"
}

namespace vectorizer::pg {

class Snippets {
public:
	/// By a text search configuration, for the terms of a query.
	Snippets(Oid config, TSQuery terms);

	/// ts_headline(config, content, terms, ...), palloc'd.
	text *of(const text *content) const;

private:
	Oid config_;
	TSQuery terms_;
	List *options_;
};

}  // namespace vectorizer::pg
