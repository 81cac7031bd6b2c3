#include "pg/collection/training.hpp"

#include "pg/boundary.hpp"
#include "pg/collection/held.hpp"
#include "pg/collection/spi.hpp"
#include "pg/collection/write_guard.hpp"

#include <numeric>

extern "C" {
#include "utils/datum.h"
}

namespace vectorizer::pg {

namespace {

constexpr std::size_t kMaxLexemeBytes = 64;  // longer ones are hashes, base64, paths
constexpr int64 kRareOnceBelow = 100;        // below so many chunks a lexeme that only one holds counts too
constexpr int kFetch = 500;
constexpr std::size_t kMaxKept = 200'000;       // lexemes that a reader keeps the rows of
constexpr std::size_t kMaxTerms = 10'000'000;   // of a sample, 80 MB
constexpr std::size_t kMaxLexemes = 1'000'000;  // different ones

// The chunk table is its owner's to change, so it is read as its owner, and its columns are cast to the types that this
// code takes them for.

/// The sample's chunks over all lexemes, then over the vocabulary alone.
struct Sample {
	std::unordered_map<std::string, uint32, StringHash, std::equal_to<>> ids;
	std::vector<const std::string *> lexemes;  // keys of ids
	std::vector<uint32> df;
	std::vector<txt::TermCount> terms;
	std::vector<std::size_t> ends;
	std::vector<uint64> lengths;

	std::vector<uint32> vocabulary;  // ids, by falling df
	txt::LsaCorpus corpus;
	txt::LsaModel model;

	/// Whether it is as large as training should get: rows that users write may be long.
	bool full() const { return terms.size() > kMaxTerms || df.size() > kMaxLexemes; }

	void add(TSVector tsv, uint64 length)
	{
		for (int i = 0; i < lexeme_count(tsv); ++i) {
			const LexemeCount each = lexeme_at(tsv, i);
			if (each.lexeme.size() > kMaxLexemeBytes)
				continue;
			auto at = ids.find(each.lexeme);
			if (at == ids.end()) {
				at = ids.emplace(each.lexeme, static_cast<uint32>(df.size())).first;
				lexemes.push_back(&at->first);
				df.push_back(0);
			}
			++df[at->second];
			terms.push_back({at->second, each.count});
		}
		ends.push_back(terms.size());
		lengths.push_back(length);
	}

	void choose_vocabulary()
	{
		const uint32 least = static_cast<int64>(ends.size()) < kRareOnceBelow ? 1 : 2;
		vocabulary.resize(df.size());
		std::iota(vocabulary.begin(), vocabulary.end(), 0U);
		std::erase_if(vocabulary, [&](uint32 id) { return df[id] < least; });
		std::sort(vocabulary.begin(), vocabulary.end(), [&](uint32 a, uint32 b) {
			return df[a] != df[b] ? df[a] > df[b] : *lexemes[a] < *lexemes[b];
		});
		if (vocabulary.size() > kMaxVocabulary)
			vocabulary.resize(kMaxVocabulary);
	}

	/// The weights of words alone.
	void weigh(float k1, float b)
	{
		choose_vocabulary();
		model.idf.reserve(vocabulary.size());
		for (const uint32 id : vocabulary)
			model.idf.push_back(static_cast<float>(txt::bm25_idf(ends.size(), df[id])));
		const double total = std::accumulate(lengths.begin(), lengths.end(), 0.0);
		model.weighting = {k1, b, lengths.empty() ? 0 : total / static_cast<double>(lengths.size())};
	}

	void train(const txt::LsaOptions &options, Stop stop)
	{
		choose_vocabulary();
		constexpr uint32 kNone = ~0U;
		std::vector<uint32> place(df.size(), kNone);
		for (uint32 i = 0; i < vocabulary.size(); ++i)
			place[vocabulary[i]] = i;
		std::vector<txt::TermCount> document;
		std::size_t begin = 0;
		for (std::size_t i = 0; i < ends.size(); begin = ends[i++]) {
			document.clear();
			for (std::size_t t = begin; t < ends[i]; ++t) {
				if (place[terms[t].lexeme] != kNone)
					document.push_back({place[terms[t].lexeme], terms[t].count});
			}
			corpus.add(document, lengths[i]);
		}
		model = txt::train_lsa(corpus, static_cast<uint32>(vocabulary.size()), options, stop);
	}
};

/// The table is its owner's to change.
[[noreturn]] void refuse_null(const Collection &collection, const char *column)
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("column \"%s\" of collection \"%s\" is null in a row", column, collection.name)));
	pg_unreachable();
}

void read_sample(const Collection &collection, Sample &sample)
{
	// In the order of a hash: a sample that does not depend on when a chunk came.
	SPIPlanPtr plan = SPI_prepare(psprintf("SELECT tsv::pg_catalog.tsvector, n_lexemes::integer FROM vectorizer_data.%s"
										   " ORDER BY pg_catalog.hashint8extended(id, 0), id LIMIT %d",
										   quote_identifier(collection.name), kMaxSample),
								  0, nullptr);
	Portal portal = SPI_cursor_open(nullptr, plan, nullptr, nullptr, false);
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext batch = AllocSetContextCreate(outer, "vectorizer sample", ALLOCSET_DEFAULT_SIZES);
	do {
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, kFetch);
		MemoryContextSwitchTo(batch);
		for (uint64 i = 0; i < SPI_processed; ++i) {
			bool null;
			const Datum stored = spi_datum(i, 1, &null);
			if (null)
				refuse_null(collection, "tsv");
			TSVector tsv = DatumGetTSVector(stored);
			const auto length = static_cast<uint64>(spi_int32(i, 2));
			guard([&] { sample.add(tsv, length); });
		}
		MemoryContextSwitchTo(outer);
		MemoryContextReset(batch);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0 && !sample.full());
	MemoryContextDelete(batch);
	SPI_cursor_close(portal);
}

const char *kind_name(ModelKind kind)
{
	switch (kind) {
		case ModelKind::kLsa: return "lsa";
		case ModelKind::kStatic: return "static";
		case ModelKind::kNone:
		case ModelKind::kHttp: return "words";
	}
	return "lsa";
}

void store(const Collection &collection, int32 generation, int64 chunks, const Sample &sample)
{
	const bool words = !made_of_lexemes(collection.model);
	const int32 dimension = words ? 0 : collection.dimension;
	const txt::LsaWeighting &weighting = sample.model.weighting;
	spi_run("INSERT INTO vectorizer.model (collection_id, generation, kind, dimension, state, n_chunks, n_sampled,"
			" n_lexemes, k1, b, average_length, options)"
			" VALUES ($1, $2, $11, $3, $12, $4, $5, $6, $7, $8, $9, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('rank', $10, 'imported', $13)))",
			{param(collection.id), param(generation), param(dimension), param(chunks),
			 param(static_cast<int64>(sample.ends.size())), param(static_cast<int64>(sample.vocabulary.size())),
			 param(static_cast<double>(weighting.k1)), param(static_cast<double>(weighting.b)),
			 param(weighting.average_length), param(static_cast<int32>(sample.model.rank)), param(kind_name(collection.model)),
			 param(words ? "ready" : "filling"),
			 collection.imported != 0 ? param(collection.imported) : null_param(INT8OID)});

	Statement insert("INSERT INTO vectorizer.lexeme (collection_id, generation, lexeme, df, idf, embedding)"
					 " VALUES ($1, $2, $3, $4, $5, $6)");
	const Oid type = vector_type();
	Vector *row = collection.model == ModelKind::kLsa ? make_vector(dimension) : nullptr;
	Statement look_up("SELECT embedding FROM vectorizer.token WHERE model_id = $1 AND lexeme = $2");
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext, "vectorizer lexeme", ALLOCSET_SMALL_SIZES);
	for (uint32 i = 0; i < sample.vocabulary.size(); ++i) {
		const uint32 id = sample.vocabulary[i];
		if (row != nullptr) {
			const auto vector = sample.model.vector(i);
			std::copy(vector.begin(), vector.end(), row->x);
		}
		MemoryContext outer = MemoryContextSwitchTo(each);
		const Param lexeme = param(std::string_view(*sample.lexemes[id]));
		const Vector *vector = row;
		if (collection.model == ModelKind::kStatic && look_up.run({param(collection.imported), lexeme}) > 0) {
			bool null;
			vector = vector_from_datum(datumCopy(spi_datum(0, 1, &null), false, -1));
			SPI_freetuptable(SPI_tuptable);
		}
		insert.run({param(collection.id), param(generation), lexeme,
					param(static_cast<int64>(sample.df[id])), {FLOAT4OID, Float4GetDatum(sample.model.idf[i])},
					{type, PointerGetDatum(vector), vector == nullptr}});
		MemoryContextSwitchTo(outer);
		MemoryContextReset(each);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextDelete(each);
	spi_run("ANALYZE vectorizer.lexeme");  // texts look up few of many rows
}

}  // namespace

void train_model(const Collection &collection, int32 generation, int64 chunks, MemoryContext working)
{
	auto &sample = hold_in<Sample>(working);
	as_table_owner(collection.table, [&] { read_sample(collection, sample); });
	guard([&] {
		if (collection.model != ModelKind::kLsa) {
			sample.weigh(collection.k1, collection.b);
			return;
		}
		txt::LsaOptions options;
		options.dimension = static_cast<uint32>(collection.dimension);
		options.k1 = collection.k1;
		options.b = collection.b;
		sample.train(options, interrupt_pending());
	});
	store(collection, generation, chunks, sample);
}

bool embed_chunks(const Collection &collection, ModelReader &model, Which which, int limit, int64 *from, int64 *embedded)
{
	const int32 generation = collection.generation;
	MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "vectorizer embeddings", ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer = MemoryContextSwitchTo(batch);
	const char *table = quote_identifier(collection.name);
	uint64 found = 0;
	as_table_owner(collection.table, [&] {
		const char *column = collection.generation_column();
		found = spi_run(psprintf("SELECT id::bigint, tsv::pg_catalog.tsvector, %s::integer FROM vectorizer_data.%s"
								 " WHERE id >= $1%s ORDER BY id LIMIT $2%s",
								 column, table, which == Which::kNew ? psprintf(" AND %s = 0", column) : "",
								 // Whoever changes a row now has it embedded himself, or has it looked at again.
								 collection.dynamic ? " FOR NO KEY UPDATE SKIP LOCKED" : ""),
						{param(*from), param(static_cast<int32>(limit))});
	});
	auto *ids = static_cast<int64 *>(palloc(sizeof(int64) * (found + 1)));
	auto *texts = static_cast<TSVector *>(palloc(sizeof(TSVector) * (found + 1)));
	std::size_t stale = 0;
	int64 last = PG_INT64_MAX;
	for (uint64 i = 0; i < found; ++i) {
		bool null;
		spi_datum(i, 1, &null);
		if (null)
			refuse_null(collection, "id");
		last = spi_int64(i, 1);
		if (spi_int32(i, 3) == generation)
			continue;
		const Datum stored = spi_datum(i, 2, &null);
		if (null)
			refuse_null(collection, "tsv");
		ids[stale] = last;
		texts[stale++] = DatumGetTSVectorCopy(stored);
	}
	SPI_freetuptable(SPI_tuptable);

	model.trim(kMaxKept);
	model.fetch({texts, stale});
	const Oid type = vector_type();
	with_write_access(collection.table, [&] {
		Statement update(psprintf("UPDATE vectorizer_data.%s SET %s = $2, %s = $3 WHERE id = $1", table,
								  collection.embedding_column(), collection.generation_column()));
		for (std::size_t i = 0; i < stale; ++i) {
			const Vector *vector = model.embed(texts[i]);
			update.run({param(ids[i]), {type, PointerGetDatum(vector), vector == nullptr}, param(generation)});
			CHECK_FOR_INTERRUPTS();
		}
	});
	*embedded += static_cast<int64>(found);
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(batch);
	const bool more = found == static_cast<uint64>(limit) && last < PG_INT64_MAX;
	if (more)
		*from = last + 1;
	return more;
}

}  // namespace vectorizer::pg
