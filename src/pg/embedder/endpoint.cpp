#include "pg/embedder/endpoint.hpp"

#include "pg/boundary.hpp"
#include "pg/collection/spi.hpp"
#include "pg/embedder/encoding.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

extern "C" {
#include "catalog/pg_authid.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(vectorizer_check_endpoint);
}

namespace vectorizer::pg {

namespace {

constexpr std::size_t kMostKeyBytes = 8192;

constinit char *allowed_endpoints = nullptr;

/// Scheme, host and port of a URL, as "https://host:443". Throws what check_endpoint() throws.
std::string origin_text(std::string_view url)
{
	remote::Endpoint endpoint;
	endpoint.url = url;
	endpoint.model = "any";
	endpoint.dimension = 1;
	remote::check_endpoint(endpoint);
	const remote::Origin origin = remote::origin_of(endpoint.url);
	std::string scheme = endpoint.url.substr(0, endpoint.url.find("://"));
	std::ranges::transform(scheme, scheme.begin(), [](char c) { return static_cast<char>(pg_ascii_tolower(static_cast<unsigned char>(c))); });
	return scheme + "://" + origin.host + ":" + std::to_string(origin.port);
}

/// Whether a URL is an origin alone. Throws what check_endpoint() throws.
bool is_origin(std::string_view url)
{
	origin_text(url);
	const std::size_t path = url.find_first_of("/?", url.find("://") + 3);
	return path == std::string_view::npos || path + 1 == url.size();
}

/// The list's items, in `list`, which is changed. False: it is no list.
bool split_list(char *list, List **items)
{
	return SplitGUCList(list, ',', items);
}

bool check_allowed_endpoints(char **value, void **, GucSource)
{
	char *copy = pstrdup(*value);
	List *items = NIL;
	if (!split_list(copy, &items)) {
		GUC_check_errdetail("List syntax is invalid.");
		return false;
	}
	ListCell *cell;
	foreach (cell, items) {
		const auto *item = static_cast<const char *>(lfirst(cell));
		bool good = false;
		try {
			good = is_origin(item);
		}
		catch (...) {
		}
		if (!good) {
			GUC_check_errdetail("\"%s\" is not the origin of a URL, such as \"https://host\" or \"http://localhost:11434\".", item);
			return false;
		}
	}
	return true;
}

bool is_allowed(const char *url)
{
	List *items = NIL;
	split_list(pstrdup(allowed_endpoints), &items);
	bool allowed = false;
	ListCell *cell;
	foreach (cell, items) {
		const auto *item = static_cast<const char *>(lfirst(cell));
		allowed = allowed || guard([&] { return origin_text(item) == origin_text(url); });
	}
	return allowed;
}

void refuse_key(const char *path, const char *why)
{
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("key file \"%s\" %s", path, why),
					errhint("It is a regular file that belongs to the server's user, or to root, and that nobody else can read (chmod 600).")));
}

/// The key in a file, without the white space after it; palloc'd.
char *read_key(const char *path)
{
	if (!is_absolute_path(path))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the path of key file \"%s\" is not absolute", path)));
	auto *key = static_cast<char *>(palloc0(kMostKeyBytes + 2));
	struct stat status{};
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t length = fd < 0 || fstat(fd, &status) != 0 ? -1 : 0;
	if (length == 0 && S_ISREG(status.st_mode))
		length = read(fd, key, kMostKeyBytes + 1);
	const int read_errno = errno;
	if (fd >= 0)
		close(fd);
	errno = read_errno;
	if (length < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not read key file \"%s\": %m", path)));
	if (!S_ISREG(status.st_mode))
		refuse_key(path, "is not a regular file");
	if (status.st_uid != geteuid() && status.st_uid != 0)
		refuse_key(path, "belongs to somebody else");
	// As for the server's own key: root may give it to a group that the server is in.
	if ((status.st_mode & (status.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO)) != 0)
		refuse_key(path, "is accessible to others");
	while (length > 0 && isspace(static_cast<unsigned char>(key[length - 1])))
		key[--length] = '\0';
	if (length == 0 || length > static_cast<ssize_t>(kMostKeyBytes))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("key file \"%s\" is %s", path, length == 0 ? "empty" : "too long")));
	return key;
}

/// How an endpoint is asked, of a row e.
constexpr const char *kColumns =
	"coalesce((e.options ->> 'max_batch')::numeric::integer, 32), coalesce((e.options ->> 'max_batch_bytes')::numeric::integer, 262144),"
	" coalesce((e.options ->> 'max_characters')::numeric::integer, 30000), coalesce((e.options ->> 'max_requests')::numeric::integer, 2),"
	" coalesce((e.options ->> 'timeout_ms')::numeric::integer, 60000), coalesce((e.options ->> 'connect_timeout_ms')::numeric::integer, 5000),"
	" coalesce((e.options ->> 'send_dimensions')::boolean, false), coalesce((e.options ->> 'send_encoding_format')::boolean, false),"
	" coalesce(e.options ->> 'document_prefix', ''), coalesce(e.options ->> 'query_prefix', ''),"
	" coalesce(e.options ->> 'document_input_type', ''), coalesce(e.options ->> 'query_input_type', '')";

/// Column `column` of a row, in UTF-8.
const char *utf8(uint64 row, int column)
{
	const std::string_view text = to_utf8(spi_text(row, column));
	return pnstrdup(text.data(), text.size());
}

/// Row i of a result that has id, name, owner, url, model, key_file, dimension, version and kColumns.
EndpointRow row_of(uint64 i)
{
	EndpointRow row{};
	row.id = spi_int64(i, 1);
	row.name = spi_text(i, 2);
	row.owner = spi_text(i, 3);
	row.url = utf8(i, 4);
	row.model = utf8(i, 5);
	row.key_file = spi_text(i, 6);
	row.dimension = spi_int32(i, 7);
	row.version = spi_int64(i, 8);
	row.max_batch = spi_int32(i, 9);
	row.max_batch_bytes = spi_int32(i, 10);
	row.max_characters = spi_int32(i, 11);
	row.max_requests = spi_int32(i, 12);
	row.timeout_ms = spi_int32(i, 13);
	row.connect_timeout_ms = spi_int32(i, 14);
	row.send_dimensions = spi_bool(i, 15);
	row.send_encoding_format = spi_bool(i, 16);
	row.document_prefix = utf8(i, 17);
	row.query_prefix = utf8(i, 18);
	row.document_input_type = utf8(i, 19);
	row.query_input_type = utf8(i, 20);
	return row;
}

}  // namespace

void define_endpoint_settings()
{
	DefineCustomStringVariable("vectorizer.allowed_endpoints", "Origins of the embeddings endpoints that may be asked.",
							   "A comma-separated list such as \"http://localhost:11434, https://host\". Empty, the default, allows none.",
							   &allowed_endpoints, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, check_allowed_endpoints, nullptr, nullptr);
}

std::span<const EndpointRow> load_endpoints()
{
	const uint64 count = spi_run(psprintf("SELECT e.id, e.name, e.owner, e.url, e.model, e.key_file, e.dimension,"
										  " (extract(epoch FROM e.updated_at) * 1000000)::bigint, %s"
										  " FROM vectorizer.endpoint e ORDER BY e.id", kColumns));
	auto *rows = static_cast<EndpointRow *>(palloc(sizeof(EndpointRow) * (count + 1)));
	for (uint64 i = 0; i < count; ++i)
		rows[i] = row_of(i);
	return {rows, count};
}

remote::Endpoint remote_endpoint(const EndpointRow &row, std::string_view key, Asked asked)
{
	remote::Endpoint endpoint;
	endpoint.url = row.url;
	endpoint.model = row.model;
	endpoint.key = key;
	endpoint.dimension = row.dimension;
	endpoint.send_dimensions = row.send_dimensions;
	endpoint.send_encoding_format = row.send_encoding_format;
	endpoint.input_type = asked == Asked::kQuery ? row.query_input_type : row.document_input_type;
	endpoint.prefix = asked == Asked::kQuery ? row.query_prefix : row.document_prefix;
	endpoint.max_batch = row.max_batch;
	endpoint.max_batch_bytes = static_cast<std::size_t>(row.max_batch_bytes);
	endpoint.connect_timeout_ms = row.connect_timeout_ms;
	endpoint.timeout_ms = row.timeout_ms;
	return endpoint;
}

const char *authorize_endpoint(const EndpointRow &row)
{
	guard([&] {
		for (const Asked asked : {Asked::kDocument, Asked::kQuery})
			remote::check_endpoint(remote_endpoint(row, {}, asked));
	});
	if (!is_allowed(row.url))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("the origin of endpoint \"%s\" is not among vectorizer.allowed_endpoints", row.name),
						errhint("Add its scheme, host and port to vectorizer.allowed_endpoints and reload the configuration.")));
	if (row.key_file == nullptr)
		return "";
	const Oid owner = get_role_oid(row.owner, true);
	if (!OidIsValid(owner))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("role \"%s\" does not exist", row.owner)));
	if (!has_privs_of_role(owner, ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied to read the key of endpoint \"%s\" for role \"%s\"", row.name, row.owner),
						errhint("GRANT pg_read_server_files TO %s allows it.", quote_identifier(row.owner))));
	const char *key = read_key(row.key_file);
	guard([&] { remote::check_endpoint(remote_endpoint(row, key, Asked::kDocument)); });
	return key;
}

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_check_endpoint(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	constexpr int kKeyFile = 5;
	for (int i = 0; i < PG_NARGS(); ++i)
		if (PG_ARGISNULL(i) && i != kKeyFile)
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("name, url, model and dimension of an endpoint cannot be null")));
	const auto given = [&](int i) { return vectorizer::pg::Param{TEXTOID, PG_ARGISNULL(i) ? Datum{0} : PG_GETARG_DATUM(i), PG_ARGISNULL(i)}; };
	SPI_connect();
	spi_run(psprintf("SELECT 0::bigint, $2, $1, $3, $4, $6, $5, 0::bigint, %s FROM (SELECT $7::jsonb AS options) e", kColumns),
			{given(0), given(1), given(2), given(3), param(PG_GETARG_INT32(4)), given(kKeyFile), {JSONBOID, PG_GETARG_DATUM(6)}});
	authorize_endpoint(row_of(0));
	SPI_finish();
	PG_RETURN_VOID();
}
