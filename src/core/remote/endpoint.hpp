// An embeddings endpoint: where it is, what is asked of it, and how long it may take.
#pragma once

#include <cstddef>
#include <string>

namespace vectorizer::remote {

/// What administrators say of an endpoint. check_endpoint() knows the ranges.
struct Endpoint {
	std::string url;         // of the embeddings resource, whole: https://host/v1/embeddings
	std::string model;       // sent as "model"
	std::string key;         // bearer token; empty: none is sent
	int dimension = 0;       // that every embedding has to have
	bool send_dimensions = false;       // ask for that dimension, as "dimensions": most models have one and refuse to be asked
	bool send_encoding_format = false;  // ask for "float", which is the default; README.md says who needs it and who refuses it
	std::string input_type;             // sent as "input_type" where not empty
	std::string prefix;                 // put before every text: "query: "

	int max_batch = 64;                                       // texts in a request
	std::size_t max_batch_bytes = std::size_t{256} << 10;     // of texts and prefixes in a request
	int connect_timeout_ms = 5000;                            // from the name to a connection
	int timeout_ms = 60000;                                   // of the whole exchange
	std::size_t max_response_bytes = std::size_t{64} << 20;
};

/// Throws Errc::kInvalidInput, with a hint, for an endpoint that no request may be made to. The message names the field, and
/// quotes neither the key nor the URL, which may hold a password.
void check_endpoint(const Endpoint &endpoint);

/// What a connection is made to.
struct Origin {
	std::string host;      // lower case; without the brackets of an IPv6 address
	int port = 0;
	bool numeric = false;  // the host is an address, not a name
};

/// REQUIRES: check_endpoint() has nothing to say of an endpoint with that URL.
Origin origin_of(const std::string &url);

}  // namespace vectorizer::remote
