// The endpoints as an embedder knows them, and how each has fared.
#pragma once

#include "core/remote/patience.hpp"
#include "pg/embedder/endpoint.hpp"

extern "C" {
#include "datatype/timestamp.h"
}

namespace vectorizer::pg {

struct Served {
	int64 id = 0;
	std::string trouble;  // why it may not be asked; empty: it may
	remote::Endpoint documents;
	remote::Endpoint queries;
	int32 max_characters = 0;
	int max_requests = 1;

	// Rows.
	remote::Patience patience{1};
	TimestampTz not_before = 0;
	int running = 0;  // requests that run, or whose answer is not stored yet

	// Queries have a patience of their own: they do not wait for it, but are told at once what the last one met.
	remote::Patience query_patience{1};
	TimestampTz queries_not_before = 0;
	std::string query_trouble;
	int queries_running = 0;
};

class Endpoints {
public:
	/// Reads all endpoints and whether each may be asked, unless that was done within the last minute: keys, rights and settings change
	/// without a word. What find() gave before is of no use any more. REQUIRES: no transaction.
	void load();

	/// The next load() reads them, and forgets how they have fared: they may be others by now.
	void forget() { loaded_ = 0; }

	/// The next load() reads them.
	void expire() { loaded_ = std::min<TimestampTz>(loaded_, 1); }

	/// Null: there is none.
	Served *find(int64 id);

	/// How often they were read after a forget().
	uint64 changes() const { return changes_; }

private:
	std::vector<Served> served_;
	std::vector<Served> fresh_;
	TimestampTz loaded_ = 0;  // 0: never, or forgotten
	uint64 changes_ = 0;
};

}  // namespace vectorizer::pg
