// Endpoints as the catalogue has them, and whether they may be asked: decided in one place, when an endpoint is defined and whenever
// the embedder reads what there is.
#pragma once

#include "core/remote/endpoint.hpp"
#include "pg/pg.hpp"

namespace vectorizer::pg {

/// Defines vectorizer.allowed_endpoints. From _PG_init.
void define_endpoint_settings();

/// A row of vectorizer.endpoint; palloc'd.
struct EndpointRow {
	int64 id;
	const char *name;
	const char *owner;
	const char *url;
	const char *model;
	const char *key_file;  // null: none
	int64 version;         // another one whenever the row was changed
	int32 dimension;
	int32 max_batch;
	int32 max_batch_bytes;
	int32 max_characters;
	int32 max_requests;
	int32 timeout_ms;
	int32 connect_timeout_ms;
	bool send_dimensions;
	bool send_encoding_format;
	const char *document_prefix;
	const char *query_prefix;
	const char *document_input_type;  // empty: none is sent
	const char *query_input_type;
};

/// All of them, by id, in the current memory context. REQUIRES: an SPI connection.
std::span<const EndpointRow> load_endpoints();

enum class Asked { kDocument, kQuery };

/// What core is to ask. May throw bad_alloc.
remote::Endpoint remote_endpoint(const EndpointRow &row, std::string_view key, Asked asked);

/// The key of an endpoint, palloc'd, empty if it has none, once it is sure that it may be asked. Raises 42501 (its origin is not among
/// vectorizer.allowed_endpoints; its owner may not read files of the server, or the file is readable to others than the server),
/// 22023 (what core's check_endpoint() says), 42704 (the owner is gone), or what errno says of the file.
const char *authorize_endpoint(const EndpointRow &row);

}  // namespace vectorizer::pg
