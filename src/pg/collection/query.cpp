// What search needs of a collection's model: parse_query() before the legs run, bm25() for each row of the text leg.
#include "pg/collection/held.hpp"
#include "pg/collection/identity.hpp"
#include "pg/collection/kept_plans.hpp"
#include "pg/collection/parse.hpp"
#include "pg/collection/spi.hpp"
#include "pg/embedder/encoding.hpp"
#include "pg/embedder/queries.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "tsearch/ts_utils.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(vectorizer_parse_query);
PG_FUNCTION_INFO_V1(vectorizer_bm25);
PG_FUNCTION_INFO_V1(vectorizer_ask_endpoint);
PG_FUNCTION_INFO_V1(vectorizer_edit_distance);
}

namespace vectorizer::pg {

namespace {

/// Without a model all lexemes weigh the same, in chunks of about this many lexemes.
constexpr double kDefaultLength = 100;

/// Words that a query's text leg looks for. A GIN index takes time that grows with the square of their number: this many
/// cost milliseconds, twenty thousand a quarter of a minute.
constexpr int kMaxTerms = 500;

/// The place of ef_search among what parse_query() returns.
constexpr int kEfSearch = 9;

struct Searched {
	int64 id;
	int32 generation;
	char *text_config;
	char *metric;
	int32 ef_search;  // 0: none of its own
	double k1;
	double b;
	int64 endpoint;  // that is to embed the query; 0: the model's rows do
	char *model;
	int32 dimension;
	AttrNumber column;  // of the table, that held its embeddings when this was written
	Oid table;
};

/// The collection, once it is sure that the caller may read its table.
Searched readable_collection(const char *name)
{
	const Oid table = get_relname_relid(name, get_namespace_oid("vectorizer_data", false));
	if (!OidIsValid(table))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("collection \"%s\" does not exist", name)));
	if (pg_class_aclcheck(table, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for collection \"%s\"", name)));
	Searched found{};
	as_catalogue_owner([&] {
		if (run_kept("SELECT c.id, c.model_generation, c.text_config, c.metric, (c.index_options ->> 'ef_search')::numeric::integer,"
					" coalesce((c.model_options ->> 'k1')::float8, 1.2), coalesce((c.model_options ->> 'b')::float8, 0.75),"
					" e.id, c.model, c.dimension, c.embedding_column::integer"
					" FROM vectorizer.collection c LEFT JOIN vectorizer.endpoint e ON e.name = c.model WHERE c.name = $1",
					 {param(name)}, Planned::kOnce) == 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("collection \"%s\" does not exist", name)));
		found = {spi_int64(0, 1), spi_int32(0, 2), spi_text(0, 3), spi_text(0, 4), spi_int32(0, 5), spi_float8(0, 6), spi_float8(0, 7),
				 spi_int64(0, 8), spi_text(0, 9), spi_int32(0, 10), static_cast<AttrNumber>(spi_int32(0, 11)), table};
	});
	return found;
}

/// A lexeme of a query and its row of the model.
struct QueryTerm {
	std::string_view lexeme;
	LexemeRow row;
};

/// The lexemes that the words of a query are searched by: the kMaxTerms that tell most, if it has more. Those that the
/// model does not know come last.
std::span<QueryTerm> choose_terms(TSVector query, const ModelReader &model)
{
	const int count = lexeme_count(query);
	auto *terms = static_cast<QueryTerm *>(palloc(sizeof(QueryTerm) * static_cast<std::size_t>(count + 1)));
	for (int i = 0; i < count; ++i)
		terms[i] = {lexeme_at(query, i).lexeme, model.row(lexeme_at(query, i).lexeme)};
	if (count > kMaxTerms)
		std::partial_sort(terms, terms + kMaxTerms, terms + count, [](const QueryTerm &a, const QueryTerm &b) {
			return a.row.known != b.row.known ? a.row.known : a.row.idf != b.row.idf ? a.row.idf > b.row.idf : a.lexeme < b.lexeme;
		});
	return {terms, static_cast<std::size_t>(std::min(count, kMaxTerms))};
}

/// What an endpoint has failed to embed for this statement: it is not waited for once more for each collection.
struct Failed {
	int64 endpoint;
	TimestampTz statement;
	uint64 query;  // a hash of it
	char reason[512];
};
constinit Failed failed{};

/// By the collection's endpoint; without it a search that can do without goes on by words. Null, too, of a blank query.
const Vector *ask_for_query(const Searched &collection, std::string_view query, bool required)
{
	if (is_blank(query))
		return nullptr;
	const TimestampTz statement = GetCurrentStatementStartTimestamp();
	const uint64 hash = std::hash<std::string_view>{}(query);
	const bool again = failed.endpoint == collection.endpoint && failed.statement == statement && failed.query == hash;
	const char *reason = failed.reason;
	const Vector *embedding = again ? nullptr : embed_query(collection.endpoint, collection.dimension, query, &reason);
	if (embedding != nullptr)
		return embedding;
	failed.endpoint = collection.endpoint;
	failed.statement = statement;
	failed.query = hash;
	if (!again)
		strlcpy(failed.reason, reason, sizeof(failed.reason));
	if (required)
		raise_no_embedding(collection.model, failed.reason);
	if (!again)
		ereport(WARNING, (errcode(kErrNoEmbedding), errmsg("endpoint \"%s\" gave no embedding of the query: words alone find", collection.model),
						  errdetail("%s", visible_reason(failed.reason))));
	return nullptr;
}

template <typename Value>
ArrayType *array_of(std::span<const ParsedTerm> terms, Oid type, Value value)
{
	auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * (terms.size() + 1)));
	for (std::size_t i = 0; i < terms.size(); ++i)
		values[i] = value(terms[i]);
	const int count = static_cast<int>(terms.size());
	return type == TEXTOID ? construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT)
						   : construct_array(values, count, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

}  // namespace

TSQuery any_of(std::span<const ParsedTerm> terms)
{
	if (terms.empty()) {
		auto *nothing = static_cast<TSQuery>(palloc0(HDRSIZETQ));
		SET_VARSIZE(nothing, HDRSIZETQ);
		return nothing;
	}
	StringInfoData source;
	initStringInfo(&source);
	for (const ParsedTerm &term : terms) {
		appendStringInfoString(&source, source.len == 0 ? "'" : " | '");
		for (const char c : term.lexeme) {
			if (c == '\'' || c == '\\')
				appendStringInfoChar(&source, c);
			appendStringInfoChar(&source, c);
		}
		appendStringInfoChar(&source, '\'');
	}
	return DatumGetTSQuery(DirectFunctionCall1(tsqueryin, CStringGetDatum(source.data)));
}

ArrayType *lexemes_of(std::span<const ParsedTerm> terms)
{
	return array_of(terms, TEXTOID, [](const ParsedTerm &term) { return param(term.lexeme).value; });
}

ArrayType *weights_of(std::span<const ParsedTerm> terms)
{
	return array_of(terms, FLOAT8OID, [](const ParsedTerm &term) { return Float8GetDatum(term.idf); });
}

ParsedQuery parse_query(const char *name, const text *query, std::string_view mode)
{
	Searched collection = readable_collection(name);
	// Before any lock: whoever wants the table for himself would wait for the endpoint, too, and all others behind him.
	const int64 asked = mode == "text" ? 0 : collection.endpoint;
	const Vector *embedding = asked == 0 ? nullptr : ask_for_query(collection, text_view(query), mode == "vector");

	// From here on no other embeddings take the place of those in force. They may have since the query around this began: columns are as of
	// now, rows of that time.
	LockRelationOid(collection.table, AccessShareLock);
	const AttrNumber column = get_attnum(collection.table, "embedding");
	bool swapped = collection.column != column;
	if (swapped) {
		PushActiveSnapshot(GetLatestSnapshot());
		const Searched latest = readable_collection(name);
		swapped = latest.column == column;  // else the table was restored, and its columns are numbered anew
		if (swapped)
			collection = latest;
		else
			PopActiveSnapshot();
	}
	TSVector tsv = to_tsvector(text_config_oid(collection.text_config), text_view(query));
	auto &model = hold_in<ModelReader>(CurrentMemoryContext);
	// The model of the rows that the search around this sees, also while the next generation comes into force.
	model.open(CurrentMemoryContext, collection.id, collection.generation, Sees::kSnapshot);
	model.fetch({&tsv, 1});

	if (collection.endpoint == 0)
		embedding = model.embed(tsv);
	else if (mode != "text" && collection.endpoint != asked)
		embedding = ask_for_query(collection, text_view(query), mode == "vector");
	if (swapped)
		PopActiveSnapshot();

	const bool trained = model.trained_chunks() > 0;
	const double unseen = trained ? txt::bm25_idf(static_cast<std::uint64_t>(model.trained_chunks()), 0) : 1;
	const double chunks_each = trained ? static_cast<double>(model.chunks()) / static_cast<double>(model.trained_chunks()) : 0;
	const std::span<const QueryTerm> chosen = choose_terms(tsv, model);
	auto *terms = static_cast<ParsedTerm *>(palloc(sizeof(ParsedTerm) * (chosen.size() + 1)));
	for (std::size_t i = 0; i < chosen.size(); ++i) {
		const LexemeRow &row = chosen[i].row;
		terms[i] = {chosen[i].lexeme, unseen, 0};
		if (row.known)
			terms[i] = {chosen[i].lexeme, row.idf, txt::bm25_df(static_cast<std::uint64_t>(model.trained_chunks()), row.idf) * chunks_each};
	}
	return {pstrdup(name),
			embedding,
			{terms, chosen.size()},
			trained ? model.weighting().average_length : kDefaultLength,
			trained ? model.weighting().k1 : collection.k1,
			trained ? model.weighting().b : collection.b,
			collection.text_config,
			collection.metric,
			collection.model,
			collection.ef_search,
			trained ? model.chunks() : 0,
			swapped};
}

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_parse_query(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	TupleDesc descriptor;
	if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("parse_query returns a row")));

	MemoryContext result_context = CurrentMemoryContext;
	SPI_connect();
	const ParsedQuery parsed =
		parse_query(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_TEXT_PP(1), text_view(PG_GETARG_TEXT_PP(2)));
	Datum values[] = {
		parsed.embedding != nullptr ? vector_to_datum(parsed.embedding) : Datum{0},
		TSQueryGetDatum(any_of(parsed.terms)),
		PointerGetDatum(lexemes_of(parsed.terms)),
		PointerGetDatum(weights_of(parsed.terms)),
		Float8GetDatum(parsed.average_length),
		Float8GetDatum(parsed.k1),
		Float8GetDatum(parsed.b),
		param(parsed.text_config).value,
		param(parsed.metric).value,
		Int32GetDatum(parsed.ef_search),
		param(parsed.model).value,
		Int64GetDatum(parsed.chunks),
		PointerGetDatum(array_of(parsed.terms, FLOAT8OID, [](const ParsedTerm &term) { return Float8GetDatum(term.df); })),
		BoolGetDatum(parsed.swapped),
	};
	bool nulls[std::size(values)] = {parsed.embedding == nullptr};
	nulls[kEfSearch] = parsed.ef_search == 0;
	MemoryContext spi_context = MemoryContextSwitchTo(result_context);
	const Datum result = heap_copy_tuple_as_datum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls), descriptor);
	MemoryContextSwitchTo(spi_context);
	SPI_finish();
	PG_RETURN_DATUM(result);
}

namespace vectorizer::pg {

namespace {

/// The lexemes of a query and their weights, taken out of their arrays.
struct Weights {
	ArrayType *lexeme_array, *weight_array;
	int count;
	std::string_view *lexemes;
	double *idf;
};

Weights take_apart(ArrayType *lexemes, ArrayType *weights)
{
	Datum *names;
	Datum *idfs;
	int n_names;
	int n_idfs;
	deconstruct_array(lexemes, TEXTOID, -1, false, TYPALIGN_INT, &names, nullptr, &n_names);
	deconstruct_array(weights, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &idfs, nullptr, &n_idfs);
	if (n_names != n_idfs || ARR_HASNULL(lexemes) || ARR_HASNULL(weights))
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("lexemes and idf must be of equal length, without nulls")));
	Weights result{lexemes, weights, n_names,
				   static_cast<std::string_view *>(palloc(sizeof(std::string_view) * static_cast<std::size_t>(n_names + 1))),
				   static_cast<double *>(palloc(sizeof(double) * static_cast<std::size_t>(n_names + 1)))};
	for (int i = 0; i < n_names; ++i) {
		const auto *name = DatumGetTextPP(names[i]);
		new (&result.lexemes[i]) std::string_view(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
		result.idf[i] = DatumGetFloat8(idfs[i]);
	}
	return result;
}

bool same_bytes(const ArrayType *a, const ArrayType *b)
{
	return VARSIZE(a) == VARSIZE(b) && std::memcmp(a, b, VARSIZE(a)) == 0;
}

/// Those of the arguments. They are kept from call to call: in a statement over many rows they stay the same.
const Weights &weights_of_call(FunctionCallInfo fcinfo)
{
	struct Kept {
		MemoryContext context;
		Weights weights;
	};
	ArrayType *lexemes = PG_GETARG_ARRAYTYPE_P(2), *weights = PG_GETARG_ARRAYTYPE_P(3);
	auto *kept = static_cast<Kept *>(fcinfo->flinfo->fn_extra);
	if (kept != nullptr && same_bytes(kept->weights.lexeme_array, lexemes) && same_bytes(kept->weights.weight_array, weights))
		return kept->weights;
	fcinfo->flinfo->fn_extra = nullptr;
	if (kept != nullptr)
		MemoryContextDelete(kept->context);
	MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "bm25 weights", ALLOCSET_SMALL_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	kept = static_cast<Kept *>(palloc(sizeof(Kept)));
	*kept = {context, take_apart(DatumGetArrayTypePCopy(PointerGetDatum(lexemes)), DatumGetArrayTypePCopy(PointerGetDatum(weights)))};
	MemoryContextSwitchTo(before);
	fcinfo->flinfo->fn_extra = kept;
	return kept->weights;
}

}  // namespace

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_bm25(PG_FUNCTION_ARGS)
{
	using namespace vectorizer;
	using namespace vectorizer::pg;
	TSVector content = PG_GETARG_TSVECTOR(0);
	const int32 n_lexemes = PG_GETARG_INT32(1);
	const Weights &weights = weights_of_call(fcinfo);
	const txt::LsaWeighting weighting{static_cast<float>(PG_GETARG_FLOAT8(5)), static_cast<float>(PG_GETARG_FLOAT8(6)),
									  PG_GETARG_FLOAT8(4)};

	// Both are sorted by the server's order of lexemes (shorter first), but a caller's array need not be: search each.
	double sum = 0;
	for (int i = 0; i < weights.count; ++i) {
		const std::string_view wanted = weights.lexemes[i];
		int low = 0;
		int high = lexeme_count(content);
		while (low < high) {
			const int middle = low + (high - low) / 2;
			const LexemeCount each = lexeme_at(content, middle);
			const int order = tsCompareString(const_cast<char *>(each.lexeme.data()), static_cast<int>(each.lexeme.size()),
											  const_cast<char *>(wanted.data()), static_cast<int>(wanted.size()), false);
			if (order == 0) {
				sum += txt::bm25_weight(weighting, weights.idf[i], each.count,
										static_cast<std::uint64_t>(std::max(n_lexemes, 1)));
				break;
			}
			(order < 0 ? low : high) = order < 0 ? middle + 1 : middle;
		}
	}
	PG_RETURN_FLOAT8(sum);
}

extern "C" PGDLLEXPORT Datum vectorizer_ask_endpoint(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	const char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int64 endpoint = 0;
	int32 dimension = 0;
	SPI_connect();
	as_catalogue_owner([&] {
		if (spi_run("SELECT id, dimension FROM vectorizer.endpoint WHERE name = $1", {param(name)}, Sees::kSnapshot) == 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("endpoint \"%s\" does not exist", name)));
		endpoint = spi_int64(0, 1);
		dimension = spi_int32(0, 2);
	});
	SPI_finish();
	if (is_blank(text_view(PG_GETARG_TEXT_PP(1))))
		PG_RETURN_NULL();
	const char *reason;
	const Vector *embedding = embed_query(endpoint, dimension, text_view(PG_GETARG_TEXT_PP(1)), &reason);
	if (embedding == nullptr)
		raise_no_embedding(name, reason);
	return vector_to_datum(embedding);
}

extern "C" PGDLLEXPORT Datum vectorizer_edit_distance(PG_FUNCTION_ARGS)
{
	const text *a = PG_GETARG_TEXT_PP(0);
	const text *b = PG_GETARG_TEXT_PP(1);
	PG_RETURN_INT32(varstr_levenshtein(VARDATA_ANY(a), static_cast<int>(VARSIZE_ANY_EXHDR(a)), VARDATA_ANY(b),
									   static_cast<int>(VARSIZE_ANY_EXHDR(b)), 1, 1, 1, false));
}
