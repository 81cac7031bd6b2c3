#include "pg/embedder/rows.hpp"

#include "pg/collection/collection.hpp"
#include "pg/collection/lexemes.hpp"
#include "pg/collection/model.hpp"
#include "pg/collection/spi.hpp"
#include "pg/collection/write_guard.hpp"
#include "pg/embedder/encoding.hpp"
#include "pg/embedder/refused.hpp"
#include "pg/type/vector.hpp"
#include "pg/workspace/project.hpp"
#include "pg/workspace/registry.hpp"
#include "pg/workspace/subtransaction.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
}

namespace vectorizer::pg {

namespace {

constexpr int kMostHeading = 10000;  // characters of a heading that count

/// The collection if the endpoint still embeds it; null if not.
const Collection *still_asked(const AskedCollection &asked)
{
	const std::span<Collection> found = load_collection(asked.id);
	const Collection *collection = found.empty() ? nullptr : asked.beside ? found[0].next : &found[0];
	return collection != nullptr && collection->endpoint == asked.endpoint ? collection : nullptr;
}

/// Column `column` of a row, text or bytea, as long as the result lasts; null data() where it is null.
std::string_view spi_bytes(uint64 row, int column)
{
	bool null;
	const Datum value = spi_datum(row, column, &null);
	return null ? std::string_view() : text_view(DatumGetTextPP(value));
}

Param ids_of(std::span<const AskedRow> rows)
{
	auto *ids = static_cast<Datum *>(palloc(sizeof(Datum) * (rows.size() + 1)));
	for (std::size_t i = 0; i < rows.size(); ++i)
		ids[i] = Int64GetDatum(rows[i].id);
	return {INT8ARRAYOID, PointerGetDatum(construct_array(ids, static_cast<int>(rows.size()), INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
														  TYPALIGN_DOUBLE))};
}

/// Takes out rows whose content was refused and is not to be asked for yet.
std::size_t without_refused(const AskedCollection &collection, std::span<WaitingRow> rows)
{
	auto *asked = static_cast<AskedRow *>(palloc(sizeof(AskedRow) * (rows.size() + 1)));
	for (std::size_t i = 0; i < rows.size(); ++i)
		asked[i] = {rows[i].id, rows[i].heading, rows[i].hash};
	const uint64 refused = spi_run("SELECT row_id, content_hash FROM vectorizer.refused_row"
								   " WHERE collection_id = $1 AND endpoint_id = $3 AND row_id = ANY ($2) AND next_try > clock_timestamp()",
								   {param(collection.id), ids_of({asked, rows.size()}), param(collection.endpoint)});
	std::size_t kept = 0;
	for (const WaitingRow &row : rows) {
		bool is_refused = false;
		for (uint64 i = 0; i < refused && !is_refused; ++i)
			is_refused = spi_int64(i, 1) == row.id && spi_bytes(i, 2) == row.hash;
		if (!is_refused)
			rows[kept++] = row;
	}
	return kept;
}

struct LockedRows {
	std::span<const int64> ids;  // sorted
	bool all;                    // nobody is writing another one of those that wait
};

/// Locks the rows that still wait and that nobody is writing.
LockedRows lock_rows(const Collection &collection, std::span<const AskedRow> rows)
{
	const char *from = psprintf(" FROM vectorizer_data.%s WHERE id = ANY ($1) AND %s::integer = 0", quote_identifier(collection.name),
								collection.generation_column());
	const uint64 waiting = spi_run(psprintf("SELECT%s", from), {ids_of(rows)});
	const uint64 found = spi_run(psprintf("SELECT id::bigint%s FOR NO KEY UPDATE SKIP LOCKED", from), {ids_of(rows)});
	auto *ids = static_cast<int64 *>(palloc(sizeof(int64) * (found + 1)));
	for (uint64 i = 0; i < found; ++i)
		ids[i] = spi_int64(i, 1);
	SPI_freetuptable(SPI_tuptable);
	std::sort(ids, ids + found);
	return {{ids, found}, found >= waiting};
}

}  // namespace

std::span<const AskedCollection> asked_collections()
{
	const uint64 count = spi_run("SELECT c.id, e.id, e.name <> c.model FROM vectorizer.collection c"
								 " JOIN vectorizer.endpoint e ON e.name IN (c.model, c.next ->> 'model')"
								 " LEFT JOIN vectorizer.project p ON p.id = c.project_id"
								 " WHERE c.project_id IS NULL OR (p.enabled AND p.armed_for = $1) ORDER BY c.id",
								 {param(place())});
	auto *asked = static_cast<AskedCollection *>(palloc(sizeof(AskedCollection) * (count + 1)));
	for (uint64 i = 0; i < count; ++i)
		asked[i] = {spi_int64(i, 1), spi_int64(i, 2), spi_bool(i, 3)};
	return {asked, count};
}

WaitingRows waiting_rows(const AskedCollection &asked, int64 after, int limit, int32 max_characters)
{
	const Collection *collection = still_asked(asked);
	if (collection == nullptr)
		return {{}, after, false, false};
	if (!ConditionalLockRelationOid(collection->table, AccessShareLock))
		return {{}, after, true, true};
	WaitingRow *rows = nullptr;
	uint64 found = 0;
	int64 last = after;
	as_table_owner(collection->table, [&] {
		found = spi_run(psprintf("SELECT id::bigint, pg_catalog.\"left\"(heading::text, %d), pg_catalog.\"left\"(content::text, $3),"
								 " content_hash::bytea FROM vectorizer_data.%s"
								 " WHERE %s = 0 AND id > $1 ORDER BY id LIMIT $2",
								 kMostHeading, quote_identifier(collection->name), collection->generation_column()),
						{param(after), param(static_cast<int32>(limit)), param(max_characters)});
		rows = static_cast<WaitingRow *>(palloc(sizeof(WaitingRow) * (found + 1)));
		for (uint64 i = 0; i < found; ++i) {
			const std::string_view heading = spi_bytes(i, 2);
			const std::string_view text = first_characters(to_utf8(under_heading(heading, spi_bytes(i, 3))), max_characters);
			rows[i] = {spi_int64(i, 1), heading, spi_bytes(i, 4), text};
		}
	});
	if (found > 0)
		last = rows[found - 1].id;
	const bool more = found == static_cast<uint64>(limit);
	return {{rows, without_refused(asked, {rows, found})}, last, more, false};
}

Stored store_embeddings(const AskedCollection &asked, int32 dimension, std::span<const AskedRow> rows, const float *values,
						const bool *given, bool one_by_one, int64 *stored)
{
	*stored = 0;
	// Whoever changes the collection changes its row. Nothing is waited for here: locks are taken in whatever order others take them.
	const bool free = spi_run("SELECT FROM vectorizer.collection WHERE id = $1 FOR SHARE SKIP LOCKED", {param(asked.id)}) > 0;
	const Collection *collection = still_asked(asked);
	if (collection == nullptr || collection->dimension != dimension)
		return Stored::kGone;
	if (!free || !ConditionalLockRelationOid(collection->table, RowExclusiveLock))
		return Stored::kBusy;

	Vector *vector = values == nullptr ? nullptr : make_vector(dimension);
	const Param embedding{vector_type(), PointerGetDatum(vector), vector == nullptr};
	auto **errors = static_cast<const char **>(palloc0(sizeof(char *) * (rows.size() + 1)));
	int64 count = 0;
	bool all = false;
	with_write_access(collection->table, [&] {
		const LockedRows locked = lock_rows(*collection, rows);
		all = locked.all;
		Statement update(psprintf("UPDATE vectorizer_data.%s SET %s = $2, %s = $3"
								  " WHERE id = $1 AND content_hash::bytea = $4 AND pg_catalog.\"left\"(heading::text, %d) IS NOT DISTINCT FROM $5",
								  quote_identifier(collection->name), collection->embedding_column(), collection->generation_column(),
								  kMostHeading));
		for (std::size_t i = 0; i < rows.size(); ++i) {
			if (!given[i] || !std::binary_search(locked.ids.begin(), locked.ids.end(), rows[i].id))
				continue;
			if (vector != nullptr)
				memcpy(vector->x, values + i * static_cast<std::size_t>(dimension), sizeof(float) * static_cast<std::size_t>(dimension));
			const auto write = [&] {
				count += static_cast<int64>(
					update.run({param(rows[i].id), embedding, param(kAskedGeneration), bytea_param(rows[i].hash),
								rows[i].heading.data() == nullptr ? null_param(TEXTOID) : param(rows[i].heading)}));
			};
			if (!one_by_one) {
				write();
			}
			else if (ErrorData *error = in_subtransaction(write)) {
				if (fails_everything(error))
					ReThrowError(error);
				errors[i] = error->message;
			}
			CHECK_FOR_INTERRUPTS();
		}
	});
	auto *good = static_cast<AskedRow *>(palloc(sizeof(AskedRow) * (rows.size() + 1)));
	std::size_t n_good = 0;
	for (std::size_t i = 0; i < rows.size(); ++i) {
		if (errors[i] != nullptr)
			note_refusal(asked.id, asked.endpoint, {rows[i].id, rows[i].hash}, errors[i]);
		else if (given[i])
			good[n_good++] = rows[i];
	}
	spi_run("DELETE FROM vectorizer.refused_row WHERE collection_id = $1 AND endpoint_id = $2 AND row_id = ANY ($3)",
			{param(asked.id), param(asked.endpoint), ids_of({good, n_good})});
	*stored = count;
	return all ? Stored::kDone : Stored::kBusy;
}

BlankRows store_blank(const AskedCollection &asked, int32 dimension, std::span<const WaitingRow> rows)
{
	auto *others = static_cast<WaitingRow *>(palloc(sizeof(WaitingRow) * (rows.size() + 1)));
	auto *blank = static_cast<AskedRow *>(palloc(sizeof(AskedRow) * (rows.size() + 1)));
	auto *given = static_cast<bool *>(palloc(rows.size() + 1));
	std::size_t n_others = 0;
	std::size_t n_blank = 0;
	for (const WaitingRow &row : rows) {
		if (is_blank(row.text)) {
			given[n_blank] = true;
			blank[n_blank++] = {row.id, row.heading, row.hash};
		}
		else {
			others[n_others++] = row;
		}
	}
	BlankRows result{{others, n_others}, 0, Stored::kDone};
	if (n_blank > 0)
		result.outcome = store_embeddings(asked, dimension, {blank, n_blank}, nullptr, given, true, &result.stored);
	return result;
}

bool count_waiting(const AskedCollection &asked)
{
	const Collection *collection = still_asked(asked);
	if (collection == nullptr)
		return true;
	if (!ConditionalLockRelationOid(collection->table, AccessShareLock))
		return false;
	int64 waiting = 0;
	as_table_owner(collection->table, [&] {
		spi_run(psprintf("SELECT count(*) FROM vectorizer_data.%s WHERE %s = 0", quote_identifier(collection->name),
						 collection->generation_column()));
		waiting = spi_int64(0, 1);
	});
	spi_run("INSERT INTO vectorizer.embedding_progress AS p (collection_id, endpoint_id, waiting)"
			" SELECT c.id, e.id, $2 FROM vectorizer.collection c, vectorizer.endpoint e WHERE c.id = $1 AND e.id = $3 AND $2 > 0"
			" ON CONFLICT (collection_id, endpoint_id) DO UPDATE SET waiting = excluded.waiting, updated_at = now(),"
			"  done = CASE WHEN p.waiting = 0 THEN 0 ELSE p.done END,"
			"  started_at = CASE WHEN p.waiting = 0 THEN now() ELSE p.started_at END, last_error = NULL"
			" WHERE p.waiting <> excluded.waiting OR p.last_error IS NOT NULL",
			{param(asked.id), param(waiting), param(asked.endpoint)});
	if (waiting == 0)
		spi_run("DELETE FROM vectorizer.embedding_progress WHERE collection_id = $1 AND endpoint_id = $2",
				{param(asked.id), param(asked.endpoint)});
	return true;
}

void have_looked_at(const AskedCollection &asked)
{
	if (const Collection *collection = still_asked(asked); collection != nullptr && collection->dynamic)
		note_write(collection->table);
}

void note_trouble(const AskedCollection &collection, const char *error)
{
	spi_run("INSERT INTO vectorizer.embedding_progress AS p (collection_id, endpoint_id, last_error)"
			" SELECT c.id, e.id, $2 FROM vectorizer.collection c, vectorizer.endpoint e WHERE c.id = $1 AND e.id = $3"
			" ON CONFLICT (collection_id, endpoint_id) DO UPDATE SET last_error = excluded.last_error, updated_at = now()",
			{param(collection.id), param(error), param(collection.endpoint)});
}

void prune_refused(const AskedCollection &asked)
{
	const Collection *collection = still_asked(asked);
	if (collection == nullptr || !ConditionalLockRelationOid(collection->table, AccessShareLock))
		return;
	const RefusedRows refused = refused_rows(asked.id, asked.endpoint);
	Param gone{};
	as_table_owner(collection->table, [&] {
		spi_run(psprintf("SELECT coalesce(array_agg(r.id), '{}') FROM unnest($1, $2) r (id, hash) WHERE NOT EXISTS (SELECT FROM vectorizer_data.%s c"
						 " WHERE c.id::bigint = r.id AND c.content_hash::bytea = r.hash AND c.%s::integer = 0)",
						 quote_identifier(collection->name), collection->generation_column()),
				{refused.ids, refused.hashes});
		bool null;
		gone = {INT8ARRAYOID, spi_datum(0, 1, &null)};
	});
	spi_run("DELETE FROM vectorizer.refused_row WHERE collection_id = $1 AND endpoint_id = $2 AND row_id = ANY ($3)",
			{param(asked.id), param(asked.endpoint), gone});
}

void note_success(const AskedCollection &collection, int64 stored)
{
	spi_run("UPDATE vectorizer.embedding_progress SET waiting = greatest(waiting - $2, 0), done = done + $2, updated_at = now()"
			" WHERE collection_id = $1 AND endpoint_id = $3",
			{param(collection.id), param(stored), param(collection.endpoint)});
	spi_run("INSERT INTO vectorizer.endpoint_state AS s (endpoint_id, last_answer_at, embedded)"
			" SELECT e.id, clock_timestamp(), $2 FROM vectorizer.endpoint e WHERE e.id = $1"
			" ON CONFLICT (endpoint_id) DO UPDATE SET failures = 0, next_try = NULL, last_answer_at = excluded.last_answer_at,"
			"  embedded = s.embedded + excluded.embedded",
			{param(collection.endpoint), param(stored)});
}

void note_failure(int64 endpoint, int32 failures, TimestampTz next_try, const char *reason)
{
	spi_run("INSERT INTO vectorizer.endpoint_state AS s (endpoint_id, failures, next_try, last_error, last_error_at)"
			" SELECT e.id, $2, $3, $4, clock_timestamp() FROM vectorizer.endpoint e WHERE e.id = $1"
			" ON CONFLICT (endpoint_id) DO UPDATE SET failures = excluded.failures, next_try = excluded.next_try,"
			"  last_error = excluded.last_error, last_error_at = excluded.last_error_at",
			{param(endpoint), param(failures),
			 next_try == 0 ? null_param(TIMESTAMPTZOID) : Param{TIMESTAMPTZOID, TimestampTzGetDatum(next_try)}, param(reason)});
}

}  // namespace vectorizer::pg
