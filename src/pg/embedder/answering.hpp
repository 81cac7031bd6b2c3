// The embedder's part in queries: it takes them from shared memory, and answers them from a cache or asks.
#pragma once

#include "core/remote/cache.hpp"
#include "core/remote/client.hpp"
#include "pg/embedder/queries.hpp"
#include "pg/embedder/served.hpp"

#include <map>

namespace vectorizer::pg {

class Answering {
public:
	Answering(remote::Client &client, Endpoints &endpoints) : client_(client), endpoints_(endpoints) {}

	/// Takes the queries that wait. Whether there was one. REQUIRES: no transaction.
	bool take();

	/// Answers queries with what came for them. False: the request was none of a query.
	bool finish(const remote::Finished &finished);

	bool idle() const { return requests_.empty(); }

private:
	struct Asked {
		int64 endpoint = 0;
		int64 version = 0;            // of the endpoint that was asked
		std::string key;              // of the cache
		std::vector<QueryId> queries; // that wait for it
	};

	void look_up(Served &served);
	void fail(Served &served, const remote::Answer &answer);

	remote::Client &client_;
	Endpoints &endpoints_;
	remote::Cache cache_{std::size_t{32} << 20};
	std::map<std::uint64_t, Asked> requests_;
	Query query_{};
	std::string key_;
};

}  // namespace vectorizer::pg
