#include "pg/collection/model.hpp"

#include "pg/boundary.hpp"
#include "pg/collection/identity.hpp"
#include "pg/collection/kept_plans.hpp"

extern "C" {
#include "utils/array.h"
#include "utils/lsyscache.h"
}

namespace vectorizer::pg {

Oid vector_type()
{
	const Oid table = catalogue_table("lexeme");
	return get_atttype(table, get_attnum(table, "embedding"));
}

/// What one query sees is read by plans that are kept: a search is short.
uint64 ModelReader::run(const char *sql, std::initializer_list<Param> params) const
{
	return sees_ == Sees::kSnapshot ? run_kept(sql, params, Planned::kOnce) : spi_run(sql, params, sees_);
}

void ModelReader::open(MemoryContext context, int64 collection, int32 generation, Sees sees)
{
	rows_.clear();
	if (rows_context_ != nullptr && context_ == context)
		MemoryContextReset(rows_context_);
	else
		rows_context_ = AllocSetContextCreate(context, "vectorizer model", ALLOCSET_DEFAULT_SIZES);
	context_ = context;
	collection_ = collection;
	generation_ = generation;
	sees_ = sees;
	dimension_ = 0;
	imported_ = 0;
	as_catalogue_owner([&] {
		if (run("SELECT dimension, k1, b, average_length, n_sampled, n_chunks, (options ->> 'imported')::bigint FROM vectorizer.model"
					" WHERE collection_id = $1 AND generation = $2",
				{param(collection), param(generation)}) == 1) {
			dimension_ = spi_int32(0, 1);
			weighting_ = {static_cast<float>(spi_float8(0, 2)), static_cast<float>(spi_float8(0, 3)), spi_float8(0, 4)};
			n_sampled_ = spi_int64(0, 5);
			n_chunks_ = spi_int64(0, 6);
			imported_ = spi_int64(0, 7);
		}
	});
}

void ModelReader::fetch(std::span<const TSVector> texts)
{
	std::size_t limit = 0;
	for (TSVector text : texts)
		limit += static_cast<std::size_t>(lexeme_count(text));
	auto *missing = static_cast<Datum *>(palloc(sizeof(Datum) * (limit + 1)));
	int n_missing = 0;
	guard([&] {
		for (TSVector text : texts) {
			for (int i = 0; i < lexeme_count(text); ++i) {
				const std::string_view lexeme = lexeme_at(text, i).lexeme;
				if (rows_.find(lexeme) == rows_.end()) {
					rows_.emplace(lexeme, LexemeRow{});
					missing[n_missing++] = param(lexeme).value;
				}
			}
		}
	});
	if (n_missing == 0)
		return;

	ArrayType *lexemes = construct_array(missing, n_missing, TEXTOID, -1, false, TYPALIGN_INT);
	as_catalogue_owner([&] {
		const uint64 found = run(
			"SELECT lexeme, idf, embedding FROM vectorizer.lexeme"
			" WHERE collection_id = $1 AND generation = $2 AND lexeme = ANY ($3)",
			{param(collection_), param(generation_), {TEXTARRAYOID, PointerGetDatum(lexemes)}});
		for (uint64 i = 0; i < found; ++i) {
			bool null;
			const char *lexeme = spi_text(i, 1);
			const float idf = DatumGetFloat4(spi_datum(i, 2, &null));
			const auto at = rows_.find(std::string_view(lexeme));
			if (at == rows_.end())
				continue;
			const Datum embedding = spi_datum(i, 3, &null);
			at->second = {true, idf, null ? nullptr : keep(lexeme, embedding)};
		}
		SPI_freetuptable(SPI_tuptable);
		if (imported_ == 0)
			return;
		// What no chunk has said yet may be known all the same.
		const float unseen = static_cast<float>(txt::bm25_idf(static_cast<std::uint64_t>(std::max<int64>(n_sampled_, 1)), 0));
		const uint64 more = run("SELECT lexeme, embedding FROM vectorizer.token WHERE model_id = $1 AND lexeme = ANY ($2)",
								{param(imported_), {TEXTARRAYOID, PointerGetDatum(lexemes)}});
		for (uint64 i = 0; i < more; ++i) {
			bool null;
			const char *lexeme = spi_text(i, 1);
			if (const auto at = rows_.find(std::string_view(lexeme)); at != rows_.end() && !at->second.known)
				at->second = {false, unseen, keep(lexeme, spi_datum(i, 2, &null))};
		}
		SPI_freetuptable(SPI_tuptable);
	});
}

/// A copy of a row's vector that lasts as long as the reader.
const float *ModelReader::keep(const char *lexeme, Datum embedding)
{
	const Vector *vector = vector_from_datum(embedding);
	if (vector->dim != dimension_)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("lexeme \"%s\" of the model has %d dimensions, not %d", lexeme, vector->dim, dimension_)));
	auto *kept = static_cast<float *>(MemoryContextAlloc(rows_context_, sizeof(float) * static_cast<std::size_t>(vector->dim)));
	memcpy(kept, vector->x, sizeof(float) * static_cast<std::size_t>(vector->dim));
	return kept;
}

LexemeRow ModelReader::row(std::string_view lexeme) const
{
	const auto at = rows_.find(lexeme);
	return at == rows_.end() ? LexemeRow{} : at->second;
}

Vector *ModelReader::embed(TSVector text) const
{
	if (dimension_ == 0)
		return nullptr;
	auto *terms = static_cast<txt::LsaTerm *>(
		palloc(sizeof(txt::LsaTerm) * static_cast<std::size_t>(lexeme_count(text) + 1)));
	std::size_t known = 0;
	for (int i = 0; i < lexeme_count(text); ++i) {
		const LexemeCount each = lexeme_at(text, i);
		if (const LexemeRow found = row(each.lexeme); found.vector != nullptr)
			terms[known++] = {each.count, found.idf, found.vector};
	}
	Vector *result = make_vector(dimension_);
	const bool has_embedding = txt::embed(weighting_, total_lexemes(text), std::span(terms, known),
										  std::span(result->x, static_cast<std::size_t>(dimension_)));
	pfree(terms);
	return has_embedding ? result : nullptr;
}

}  // namespace vectorizer::pg
