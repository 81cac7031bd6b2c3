#include "pg/embedder/refused.hpp"

extern "C" {
#include "utils/datum.h"
}

namespace vectorizer::pg {

void note_refusal(int64 collection, int64 endpoint, const RefusedRow &row, const char *reason)
{
	spi_run("INSERT INTO vectorizer.refused_row AS r (collection_id, endpoint_id, row_id, content_hash, next_try, error)"
			" SELECT c.id, e.id, $2, $3, clock_timestamp() + interval '1 minute', $4 FROM vectorizer.collection c, vectorizer.endpoint e"
			" WHERE c.id = $1 AND e.id = $5"
			" ON CONFLICT (collection_id, endpoint_id, row_id) DO UPDATE SET content_hash = excluded.content_hash, error = excluded.error,"
			"  attempts = CASE WHEN r.content_hash = excluded.content_hash THEN r.attempts + 1 ELSE 1 END,"
			"  next_try = clock_timestamp() + CASE WHEN r.content_hash = excluded.content_hash"
			"   THEN least(interval '1 minute' * power(2, least(r.attempts, 20)), interval '1 day') ELSE interval '1 minute' END",
			{param(collection), param(row.id), bytea_param(row.hash), param(reason), param(endpoint)});
}

RefusedRows refused_rows(int64 collection, int64 endpoint)
{
	spi_run("SELECT coalesce(array_agg(row_id), '{}'), coalesce(array_agg(content_hash), '{}') FROM vectorizer.refused_row"
			" WHERE collection_id = $1 AND endpoint_id = $2",
			{param(collection), param(endpoint)});
	bool null;
	return {{INT8ARRAYOID, datumCopy(spi_datum(0, 1, &null), false, -1)}, {BYTEAARRAYOID, datumCopy(spi_datum(0, 2, &null), false, -1)}};
}

TimestampTz next_refused(int64 collection, int64 endpoint)
{
	spi_run("SELECT min(next_try) FROM vectorizer.refused_row WHERE collection_id = $1 AND endpoint_id = $2",
			{param(collection), param(endpoint)});
	return spi_timestamp(0, 1);
}

void forgive(int64 endpoint)
{
	spi_run("UPDATE vectorizer.refused_row SET next_try = clock_timestamp() WHERE endpoint_id = $1", {param(endpoint)});
}

}  // namespace vectorizer::pg
