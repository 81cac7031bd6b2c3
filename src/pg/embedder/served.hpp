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
	int64 version = 0;    // of its row
	std::string trouble;  // why it may not be asked; empty: it may
	remote::Endpoint documents;
	remote::Endpoint queries;
	int32 max_characters = 0;
	int max_requests = 1;

	// Rows.
	remote::Patience patience{1};
	TimestampTz not_before = 0;
	TimestampTz failed_at = 0;    // when a request last came to nothing: those that had begun by then are of the same failure
	bool outage = false;          // since then nothing has come that could be used, and texts may have been blamed for it
	TimestampTz server_says = 0;  // when it wants to be asked again, by its own word

	// Queries have a patience of their own: they do not wait for it, but are told at once what the last one met.
	remote::Patience query_patience{1};
	TimestampTz queries_not_before = 0;   // by our own count: over as soon as it has answered anything
	TimestampTz server_says_queries = 0;
	std::string query_trouble;

	TimestampTz rows_due() const { return std::max(not_before, server_says); }
	TimestampTz queries_due() const { return std::max(queries_not_before, server_says_queries); }
};

class Endpoints {
public:
	/// Reads all endpoints and whether each may be asked, unless that was done within the last minute: keys, rights and settings change
	/// without a word. How an endpoint has fared is forgotten if its row has changed. What find() gave before is of no use any more.
	/// REQUIRES: no transaction.
	void load();

	/// The next load() reads them.
	void expire() { loaded_ = 0; }

	/// Whether that was ever done.
	bool known() const { return known_; }

	/// Null: there is none.
	Served *find(int64 id);

private:
	std::vector<Served> served_;
	std::vector<Served> fresh_;
	TimestampTz loaded_ = 0;
	bool known_ = false;
};

}  // namespace vectorizer::pg
