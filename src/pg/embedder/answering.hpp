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

	/// Answers a query with what came for it. False: the request was none of a query. *well: the endpoint has answered.
	bool finish(const remote::Finished &finished, bool *well);

	/// The endpoint of the request that finish() has seen last.
	int64 endpoint() const { return endpoint_; }

	bool idle() const { return requests_.empty(); }

private:
	struct Asked {
		Query query;
		std::string key;  // of the cache
	};

	void look_up(Served &served);
	void fail(Served &served, const remote::Answer &answer);

	remote::Client &client_;
	Endpoints &endpoints_;
	remote::Cache cache_{std::size_t{32} << 20};
	uint64 changes_ = 0;  // of the endpoints, that the cache knows of
	std::map<std::uint64_t, std::unique_ptr<Asked>> requests_;
	Query query_{};
	std::string key_;
	int64 endpoint_ = 0;
};

}  // namespace vectorizer::pg
