#include "pg/workspace/ingest.hpp"

#include "core/text/document.hpp"
#include "core/workspace/child.hpp"
#include "pg/collection/held.hpp"
#include "pg/collection/spi.hpp"
#include "pg/collection/write_guard.hpp"
#include "pg/workspace/subtransaction.hpp"

extern "C" {
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "utils/datum.h"
}

namespace vectorizer::pg {

namespace {

using Sha256 = unsigned char[PG_SHA256_DIGEST_LENGTH];

void sha256(std::string_view bytes, Sha256 &digest)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	const bool failed = pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, reinterpret_cast<const uint8 *>(bytes.data()), bytes.size()) < 0 ||
		pg_cryptohash_final(context, digest, sizeof(digest)) < 0;
	pg_cryptohash_free(context);
	if (failed)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute a SHA-256 hash")));
}

Param bytea_param(const Sha256 &digest)
{
	return pg::bytea_param(std::string_view(reinterpret_cast<const char *>(digest), sizeof(digest)));
}

/// What should be known of a file that was indexed; null if nothing.
const char *remark(const txt::Document &document, const txt::Cut &cut)
{
	if (cut.chunks.empty())
		return "no text";
	return document.remark.empty() ? nullptr : pstrdup(document.remark.c_str());
}

Param text_or_null(std::string_view value)
{
	return value.empty() ? null_param(TEXTOID) : param(value);
}

}  // namespace

/// Embeddings that a file's chunks have, by heading and hash of the content. Held in the file's context.
class Ingest::KnownEmbeddings {
public:
	/// REQUIRES: an SPI connection. `embedding` stays where it is.
	void add(std::string_view heading, std::string_view hash, const Vector *embedding)
	{
		guard([&] { known_.emplace(key(heading, hash), embedding); });
	}

	const Vector *find(std::string_view heading, std::string_view hash) const
	{
		return guard([&] {
			const auto at = known_.find(key(heading, hash));
			return at == known_.end() ? nullptr : at->second;
		});
	}

private:
	static std::string key(std::string_view heading, std::string_view hash)
	{
		return std::string(hash).append(heading);
	}

	std::unordered_map<std::string, const Vector *> known_;
};

/// What core makes of a file. Held in the file's context.
struct Ingest::Read {
	workspace::ReadResult file;
	txt::Document document;
	txt::Cut cut;
	std::string trouble;  // why there is no document: a reason to skip the file
	bool again = false;   // or to try again
	Sha256 hash;

	void extract(std::string_view path)
	{
		if (txt::format_of(path, file.bytes) == txt::Format::kPdf)
			extract_pdf();
		else
			document = txt::read_document(path, file.bytes, interrupt_pending());
		if (document.binary)
			trouble = "binary";
		std::string().swap(file.bytes);
	}

	void make_chunks(const Collection &collection)
	{
		txt::ChunkOptions options;
		options.size = static_cast<std::size_t>(collection.chunk_size);
		options.overlap = static_cast<std::size_t>(collection.chunk_overlap);
		cut = txt::cut_document(document, options, interrupt_pending());
	}

private:
	void extract_pdf()
	{
		const std::string program = workspace::find_program("pdftotext");
		if (program.empty()) {
			trouble = "a PDF; install pdftotext (poppler-utils) on the server and run vectorizer.reindex()";
			return;
		}
		const std::string arguments[] = {"-q", "-enc", "UTF-8", "-", "-"};
		const workspace::ChildResult text = workspace::run_child(program, arguments, file.bytes, {}, interrupt_pending());
		if (text.ok)
			document = txt::pdf_document(text.output, interrupt_pending());
		else
			trouble = "a PDF that pdftotext cannot read: it " + text.reason;
		again = text.late;
	}
};

Ingest::Ingest(const Project &project, const Collection &collection, int root, ModelReader &model)
	: project_(project), collection_(collection), root_(root), model_(model),
	  memory_(AllocSetContextCreate(CurrentMemoryContext, "vectorizer file", ALLOCSET_DEFAULT_SIZES)),
	  vector_type_(vector_type()),
	  insert_(psprintf("INSERT INTO vectorizer_data.%s (file_id, path, ordinal, content, content_hash, heading, start_line,"
					   " end_line, byte_begin, byte_end, n_lexemes, metadata, tsv, model_generation, embedding)"
					   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, pg_catalog.jsonb_strip_nulls("
					   "pg_catalog.jsonb_build_object('title', $12, 'heading', $6)), $13, $14, $15)",
					   quote_identifier(collection.name))),
	  delete_(psprintf("DELETE FROM vectorizer_data.%s WHERE file_id = $1", quote_identifier(collection.name))),
	  rename_(psprintf("UPDATE vectorizer_data.%s SET path = $2, updated_at = pg_catalog.now() WHERE file_id = $1",
					   quote_identifier(collection.name)))
{
}

Outcome Ingest::file(const workspace::FoundFile &found, const KnownFile &known, int32 *chunks, uint64 *bytes)
{
	if (known.moved && !move(known.id, found.path)) {
		remove(known.id);
		return file(found, {}, chunks, bytes);
	}
	MemoryContext outer = MemoryContextSwitchTo(memory_);
	Outcome outcome = Outcome::kFailed;
	ErrorData *error = in_subtransaction([&] { outcome = attempt(found, known, chunks, bytes); });
	if (error != nullptr) {
		if (fails_everything(error))
			ReThrowError(error);
		*chunks = known.n_chunks;
		record_failure(found, error->message);
		outcome = Outcome::kFailed;
	}
	MemoryContextSwitchTo(outer);
	MemoryContextReset(memory_);
	return outcome;
}

/// Gives a file's rows another path. False if that failed, for the file alone.
bool Ingest::move(int64 file, std::string_view path)
{
	MemoryContext outer = MemoryContextSwitchTo(memory_);
	ErrorData *error = in_subtransaction([&] {
		spi_run("UPDATE vectorizer.file SET path = $2 WHERE id = $1", {param(file), param(path)});
		with_write_access(collection_.table, [&] { rename_.run({param(file), param(path)}); });
	});
	if (error != nullptr && fails_everything(error))
		ReThrowError(error);
	MemoryContextSwitchTo(outer);
	MemoryContextReset(memory_);
	return error == nullptr;
}

Outcome Ingest::attempt(const workspace::FoundFile &found, const KnownFile &known, int32 *chunks, uint64 *bytes)
{
	auto &read = hold_in<Read>(memory_);
	*chunks = known.n_chunks;
	guard([&] {
		read.file = workspace::read_file(root_, found.path, static_cast<std::uint64_t>(project_.max_file_bytes),
											 interrupt_pending());
	});
	const workspace::FileStat &stat = read.file.stat;
	*bytes = read.file.bytes.size();
	switch (read.file.status) {
		case workspace::ReadStatus::kVanished: return Outcome::kVanished;
		case workspace::ReadStatus::kChanged:
		case workspace::ReadStatus::kFailed: record_failure(found, read.file.reason.c_str()); return Outcome::kFailed;
		case workspace::ReadStatus::kSkipped:
			record_skip(found.path, stat, known, read.file.reason.c_str());
			*chunks = 0;
			return Outcome::kSkipped;
		case workspace::ReadStatus::kOk: break;
	}

	sha256(read.file.bytes, read.hash);
	if (known.indexed && known.current && memcmp(read.hash, known.sha256, sizeof(read.hash)) == 0) {
		spi_run("UPDATE vectorizer.file SET size = $2, mtime_ns = $3, ctime_ns = $4, device = $5, inode = $6,"
				" checked_at = clock_timestamp() WHERE id = $1",
				{param(known.id), param(static_cast<int64>(stat.size)), param(stat.mtime_ns),
				 param(stat.ctime_ns), param(static_cast<int64>(stat.device)),
				 param(static_cast<int64>(stat.inode))});
		return Outcome::kTouched;
	}
	guard([&] { read.extract(found.path); });
	if (read.again) {
		record_failure(found, read.trouble.c_str());
		return Outcome::kFailed;
	}
	if (!read.trouble.empty()) {
		record_skip(found.path, stat, known, read.trouble.c_str());
		*chunks = 0;
		return Outcome::kSkipped;
	}
	guard([&] { read.make_chunks(collection_); });

	const auto n_chunks = static_cast<int32>(read.cut.chunks.size());
	spi_run("INSERT INTO vectorizer.file AS f (collection_id, path, size, mtime_ns, ctime_ns, device, inode, sha256,"
			"  media_type, title, state, error, chunker_version, revision, n_chunks, checked_at, indexed_at)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'indexed', $11, $12, $13, $14, clock_timestamp(),"
			"  clock_timestamp())"
			" ON CONFLICT (collection_id, path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,"
			"  ctime_ns = excluded.ctime_ns, device = excluded.device, inode = excluded.inode, sha256 = excluded.sha256,"
			"  media_type = excluded.media_type, title = excluded.title, state = 'indexed', attempts = 0, next_try = NULL,"
			"  error = excluded.error, chunker_version = excluded.chunker_version, revision = excluded.revision,"
			"  n_chunks = excluded.n_chunks, checked_at = excluded.checked_at, indexed_at = excluded.indexed_at"
			" RETURNING f.id",
			{param(collection_.id), param(std::string_view(found.path)), param(static_cast<int64>(stat.size)),
			 param(stat.mtime_ns), param(stat.ctime_ns), param(static_cast<int64>(stat.device)),
			 param(static_cast<int64>(stat.inode)), bytea_param(read.hash), param(read.document.media_type),
			 text_or_null(read.document.title),
			 param_or_null(remark(read.document, read.cut)),
			 param(kChunkerVersion), param(collection_.revision), param(n_chunks)});
	const int64 file = spi_int64(0, 1);
	SPI_freetuptable(SPI_tuptable);  // sync() has one connection for all files
	auto &embeddings = hold_in<KnownEmbeddings>(memory_);
	if (known.n_chunks > 0) {
		if (collection_.model == ModelKind::kHttp)
			remember_embeddings(file, embeddings);
		delete_chunks(file);
	}
	write_chunks(file, found, read, embeddings);
	*chunks = n_chunks;
	return Outcome::kIndexed;
}

/// What an endpoint was asked for it is not asked for again, where a file has changed elsewhere.
void Ingest::remember_embeddings(int64 file, KnownEmbeddings &embeddings)
{
	constexpr int64 kMostBytes = 64 << 20;
	const int64 most = kMostBytes / (collection_.dimension * static_cast<int64>(sizeof(float)));
	as_table_owner(collection_.table, [&] {
		const uint64 count = spi_run(psprintf("SELECT heading::text, content_hash::bytea, embedding FROM vectorizer_data.%s"
											  " WHERE file_id = $1 AND embedding IS NOT NULL AND model_generation::integer = $2 LIMIT $3",
											  quote_identifier(collection_.name)),
									 {param(file), param(kAskedGeneration), param(most)});
		for (uint64 i = 0; i < count; ++i) {
			bool null;
			const char *heading = spi_text(i, 1);
			const auto *hash = DatumGetByteaPP(spi_datum(i, 2, &null));
			if (null || SPI_gettypeid(SPI_tuptable->tupdesc, 3) != vector_type_)
				continue;
			const Datum embedding = spi_datum(i, 3, &null);
			embeddings.add(heading == nullptr ? "" : heading, {VARDATA_ANY(hash), VARSIZE_ANY_EXHDR(hash)},
						   vector_from_datum(datumCopy(embedding, false, -1)));
		}
		SPI_freetuptable(SPI_tuptable);
	});
}

void Ingest::write_chunks(int64 file, const workspace::FoundFile &found, const Read &read, const KnownEmbeddings &embeddings)
{
	const std::span<const txt::Chunk> cut = read.cut.chunks;
	const std::size_t count = cut.size();
	auto *texts = static_cast<TSVector *>(palloc(sizeof(TSVector) * (count + 1)));
	for (std::size_t i = 0; i < count; ++i)
		texts[i] = to_tsvector(collection_.text_config, under_heading(cut[i].heading, cut[i].content));
	const int32 generation = collection_.row_generation();
	if (generation > 0)
		model_.fetch({texts, count});

	const Param path = param(std::string_view(found.path));
	const Param title = text_or_null(read.document.title);
	with_write_access(collection_.table, [&] {
		for (std::size_t i = 0; i < count; ++i) {
			const txt::Chunk &chunk = cut[i];
			Sha256 hash;
			sha256(chunk.content, hash);
			const Vector *vector = generation > 0
				? model_.embed(texts[i])
				: embeddings.find(chunk.heading, {reinterpret_cast<const char *>(hash), sizeof(hash)});
			const int32 row_generation = generation == 0 && vector != nullptr ? kAskedGeneration : generation;
			insert_.run({param(file), path, param(static_cast<int32>(i)), param(chunk.content), bytea_param(hash),
						 text_or_null(chunk.heading), param(static_cast<int32>(chunk.start_line)),
						 param(static_cast<int32>(chunk.end_line)), param(static_cast<int64>(chunk.byte_begin)),
						 param(static_cast<int64>(chunk.byte_end)), param(static_cast<int32>(total_lexemes(texts[i]))),
						 title, {TSVECTOROID, TSVectorGetDatum(texts[i])}, param(row_generation),
						 {vector_type_, PointerGetDatum(vector), vector == nullptr}});
			CHECK_FOR_INTERRUPTS();
		}
	});
}

void Ingest::delete_chunks(int64 file)
{
	with_write_access(collection_.table, [&] { delete_.run({param(file)}); });
}

void Ingest::record_failure(const workspace::FoundFile &found, const char *reason)
{
	// The state that failed is remembered, so that a file that changes meanwhile is tried at once.
	spi_run("INSERT INTO vectorizer.file AS f (collection_id, path, size, mtime_ns, ctime_ns, device, inode, state, error,"
			"  attempts, next_try, checked_at)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, 'failed', $8, 1, clock_timestamp() + interval '5 seconds', clock_timestamp())"
			" ON CONFLICT (collection_id, path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,"
			"  ctime_ns = excluded.ctime_ns, device = excluded.device, inode = excluded.inode, state = 'failed',"
			"  error = excluded.error, attempts = f.attempts + 1, checked_at = excluded.checked_at,"
			"  next_try = clock_timestamp() + least(interval '5 seconds' * power(2, least(f.attempts, 20)), interval '1 hour')",
			{param(collection_.id), param(std::string_view(found.path)), param(static_cast<int64>(found.stat.size)),
			 param(found.stat.mtime_ns), param(found.stat.ctime_ns), param(static_cast<int64>(found.stat.device)),
			 param(static_cast<int64>(found.stat.inode)), param(reason)});
}

void Ingest::record_skip(std::string_view path, const workspace::FileStat &seen, const KnownFile &known,
						 const char *reason)
{
	spi_run("INSERT INTO vectorizer.file AS f (collection_id, path, size, mtime_ns, ctime_ns, device, inode, state, error,"
			"  chunker_version, revision, checked_at)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, 'skipped', $8, $9, $10, clock_timestamp())"
			" ON CONFLICT (collection_id, path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,"
			"  ctime_ns = excluded.ctime_ns, device = excluded.device, inode = excluded.inode, sha256 = NULL,"
			"  media_type = NULL, title = NULL, state = 'skipped', error = excluded.error, attempts = 0, next_try = NULL,"
			"  chunker_version = excluded.chunker_version, revision = excluded.revision, n_chunks = 0,"
			"  checked_at = excluded.checked_at, indexed_at = NULL"
			" RETURNING f.id",
			{param(collection_.id), param(path), param(static_cast<int64>(seen.size)), param(seen.mtime_ns),
			 param(seen.ctime_ns), param(static_cast<int64>(seen.device)), param(static_cast<int64>(seen.inode)),
			 param(reason), param(kChunkerVersion), param(collection_.revision)});
	const int64 file = spi_int64(0, 1);
	SPI_freetuptable(SPI_tuptable);
	if (known.n_chunks > 0)
		delete_chunks(file);
}

void Ingest::skip(const workspace::SkippedFile &skipped, const KnownFile &known)
{
	MemoryContext outer = MemoryContextSwitchTo(memory_);
	record_skip(skipped.path, {}, known, skipped.reason.c_str());
	MemoryContextSwitchTo(outer);
	MemoryContextReset(memory_);
}

void Ingest::remove(int64 file)
{
	MemoryContext outer = MemoryContextSwitchTo(memory_);
	delete_chunks(file);
	spi_run("DELETE FROM vectorizer.file WHERE id = $1", {param(file)});
	MemoryContextSwitchTo(outer);
	MemoryContextReset(memory_);
}

}  // namespace vectorizer::pg
