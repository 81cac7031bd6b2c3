// vectorizer.search() and vectorizer.explain_search(): arguments, the collections that are meant, their legs, and the rows of
// the best. Everything here runs as the caller (README.md, "Search").
#include "core/text/fusion.hpp"
#include "pg/boundary.hpp"
#include "pg/collection/identity.hpp"
#include "pg/collection/legs.hpp"
#include "pg/collection/snippet.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "funcapi.h"
#include "tsearch/ts_utils.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(vectorizer_search);
PG_FUNCTION_INFO_V1(vectorizer_explain_search);
}

namespace vectorizer::pg {

namespace {

using txt::FoundRow;
using txt::SearchMode;

/// The arguments that both functions have, in this order.
enum Argument { kCollections, kQuery, kK, kMode, kFilter, kFurther };

struct Request {
	const text *query;
	int k;
	SearchMode mode;
	const char *mode_name;
	const Jsonb *filter;  // null: none

	/// How many of a collection's best are looked at for the k best of all.
	int depth() const { return std::max(2 * k, 60); }
};

/// The arguments, checked. Raises 22004 and 22023.
Request request_of(FunctionCallInfo fcinfo)
{
	Request request{};
	if (PG_ARGISNULL(kQuery))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the query cannot be null")));
	request.query = PG_GETARG_TEXT_PP(kQuery);
	request.k = PG_ARGISNULL(kK) ? 0 : PG_GETARG_INT32(kK);
	if (request.k < 1 || request.k > 1000)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k must be between 1 and 1000, not %s", PG_ARGISNULL(kK) ? "null" : psprintf("%d", request.k))));
	request.mode_name = PG_ARGISNULL(kMode) ? "null" : text_to_cstring(PG_GETARG_TEXT_PP(kMode));
	const std::string_view mode = request.mode_name;
	if (PG_ARGISNULL(kMode) || (mode != "hybrid" && mode != "vector" && mode != "text"))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown search mode \"%s\"", request.mode_name),
						errhint("The modes are hybrid, vector and text.")));
	request.mode = mode == "hybrid" ? SearchMode::kHybrid : mode == "vector" ? SearchMode::kVector : SearchMode::kText;
	if (!PG_ARGISNULL(kFilter)) {
		Jsonb *filter = PG_GETARG_JSONB_P(kFilter);
		if (!JB_ROOT_IS_OBJECT(filter))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("the filter must be a JSON object, not %s", JsonbToCString(nullptr, &filter->root, VARSIZE(filter))),
							errhint("Rows are found whose metadata contain it, for example {\"title\": \"Installation\"}.")));
		request.filter = filter;
	}
	return request;
}

/// The names in a comma list of names, if each is that of a table of a collection that the caller may read.
bool plain_names(const char *list, std::span<const char *> *names)
{
	const Oid schema = get_namespace_oid("vectorizer_data", false);
	const std::size_t most = static_cast<std::size_t>(std::count(list, list + std::strlen(list), ',')) + 1;
	auto **result = static_cast<const char **>(palloc(sizeof(char *) * most));
	std::size_t n = 0;
	for (const char *at = list;;) {
		const char *end = at + std::strcspn(at, ",");
		const char *from = at + std::strspn(at, " ");
		const char *to = end;
		while (to > from && to[-1] == ' ')
			--to;
		const std::string_view name(from, static_cast<std::size_t>(std::max<std::ptrdiff_t>(to - from, 0)));
		if (name.empty() || name.size() >= NAMEDATALEN || name.find('*') != std::string_view::npos)
			return false;
		const char *copy = pnstrdup(name.data(), name.size());
		const Oid table = get_relname_relid(copy, schema);
		if (!OidIsValid(table) || get_rel_relkind(table) != RELKIND_RELATION || pg_class_aclcheck(table, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			return false;
		result[n++] = copy;
		if (*end == '\0')
			break;
		at = end + 1;
	}
	*names = {result, n};
	return true;
}

/// The collections that are meant, each once, in the order of their names. Patterns, and what is wrong, are the affair of
/// vectorizer.collection_names().
std::span<const char *> collections_of(const text *list)
{
	std::span<const char *> names;
	if (list == nullptr || !plain_names(text_to_cstring(list), &names)) {
		const Param wanted = list == nullptr ? null_param(TEXTOID) : Param{TEXTOID, PointerGetDatum(list)};
		const uint64 count = spi_run("SELECT name FROM vectorizer.collection_names($1) name", {wanted}, Sees::kSnapshot);
		auto **result = static_cast<const char **>(palloc(sizeof(char *) * (count + 1)));
		for (uint64 i = 0; i < count; ++i)
			result[i] = spi_text(i, 1);
		SPI_freetuptable(SPI_tuptable);
		names = {result, count};
	}
	auto length = [](const char *name) { return static_cast<int>(std::strlen(name)); };
	std::sort(names.begin(), names.end(), [&](const char *a, const char *b) {
		return varstr_cmp(a, length(a), b, length(b), DEFAULT_COLLATION_OID) < 0;
	});
	const auto last = std::unique(names.begin(), names.end(), [](const char *a, const char *b) { return std::strcmp(a, b) == 0; });
	return names.first(static_cast<std::size_t>(last - names.begin()));
}

/// Similarities by different models do not compare. What compares has the same space: collections that an imported model or an endpoint
/// embeds, by one metric. A model that a collection learnt from its own chunks is alone in its space.
const char *space_of(const ParsedQuery &parsed)
{
	return std::strcmp(parsed.model, "lsa") == 0 ? parsed.name : psprintf("%s:%s", parsed.model, parsed.metric);
}

/// The query as each of the collections that are searched together sees it, without an embedding or terms where that leg is not needed.
struct Parsed {
	std::span<ParsedQuery> queries;
	std::span<std::uint32_t> spaces;  // of each
	std::span<TSQuery> terms;         // of each: what its snippets show
};

std::uint32_t number_of_space(std::span<const char *> known, const char *space)
{
	return static_cast<std::uint32_t>(
		std::find_if(known.begin(), known.end(), [&](const char *other) { return std::strcmp(other, space) == 0; }) - known.begin());
}

/// Weights by statistics of different collections do not compare: words are weighed by the statistics of all, summed.
void pool_statistics(std::span<ParsedQuery> queries)
{
	struct Word {
		ParsedTerm *term;
		double chunks;  // of the collection whose query has it
	};
	double chunks = 0, length = 0;
	std::size_t n = 0;
	for (const ParsedQuery &each : queries) {
		chunks += static_cast<double>(each.chunks);
		length += static_cast<double>(each.chunks) * each.average_length;
		n += each.terms.size();
	}
	auto *words = static_cast<Word *>(palloc(sizeof(Word) * (n + 1)));
	Word *end = words;
	for (ParsedQuery &each : queries) {
		if (chunks > 0)
			each.average_length = length / chunks;
		for (ParsedTerm &term : each.terms)
			*end++ = {&term, static_cast<double>(each.chunks)};
	}
	std::sort(words, end, [](const Word &a, const Word &b) { return a.term->lexeme < b.term->lexeme; });
	for (Word *from = words; from != end;) {
		double holding = 0, of = 0;
		Word *to = from;
		for (; to != end && to->term->lexeme == from->term->lexeme; ++to) {
			holding += to->term->df;
			of += to->chunks;
		}
		const double idf = std::log(1 + (of - holding + 0.5) / (holding + 0.5));
		for (; from != to; ++from)
			from->term->idf = idf;
	}
}

Parsed parse_for_all(std::span<const char *> names, const Request &request)
{
	Parsed parsed{{static_cast<ParsedQuery *>(palloc(sizeof(ParsedQuery) * (names.size() + 1))), names.size()},
				  {static_cast<std::uint32_t *>(palloc(sizeof(std::uint32_t) * (names.size() + 1))), names.size()},
				  {static_cast<TSQuery *>(palloc(sizeof(TSQuery) * (names.size() + 1))), names.size()}};
	auto **spaces = static_cast<const char **>(palloc(sizeof(char *) * (names.size() + 1)));
	std::size_t n_spaces = 0;
	std::uint32_t first_embedded = 0;
	bool embedded = false, several_embedded = false;
	for (std::size_t i = 0; i < names.size(); ++i) {
		ParsedQuery &query = *new (&parsed.queries[i]) ParsedQuery(parse_query(names[i], request.query, request.mode_name));
		parsed.terms[i] = any_of(query.terms);
		const char *space = space_of(query);
		const std::uint32_t number = number_of_space({spaces, n_spaces}, space);
		if (number == n_spaces)
			spaces[n_spaces++] = space;
		parsed.spaces[i] = number;
		if (query.embedding == nullptr)
			continue;
		several_embedded = several_embedded || (embedded && number != first_embedded);
		if (!std::exchange(embedded, true))
			first_embedded = number;
	}
	if (names.size() > 1)
		pool_statistics(parsed.queries);
	for (ParsedQuery &query : parsed.queries) {
		if (request.mode == SearchMode::kText)
			query.embedding = nullptr;
		if (request.mode == SearchMode::kVector && !several_embedded)
			query.terms = {};
	}
	return parsed;
}

/// Greater is nearer, whatever the metric.
double similarity_of(std::string_view metric, double distance)
{
	return metric == "cosine" ? 1 - distance : metric == "l2" ? 1 / (1 + distance) : -distance;
}

/// Runs f with the collection's ef_search, where that is the larger one.
template <typename Function>
void with_ef_search(int32 ef_search, Function &&f)
{
	const char *now = GetConfigOption("vectorizer.ef_search", true, false);
	if (ef_search == 0 || now == nullptr || ef_search <= std::atoi(now)) {
		f();
		return;
	}
	const int level = NewGUCNestLevel();
	set_config_option("vectorizer.ef_search", psprintf("%d", ef_search), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	f();
	AtEOXact_GUC(false, level);
}

/// Runs f under the latest snapshot that the transaction allows where other embeddings have come into force since the statement began.
template <typename Function>
void with_snapshot_of(const ParsedQuery &query, Function &&f)
{
	if (query.swapped)
		PushActiveSnapshot(GetTransactionSnapshot());
	f();
	if (query.swapped)
		PopActiveSnapshot();
}

/// The rows of both legs, each row once, in the order of their ids.
std::span<FoundRow> merge(std::span<Hit> nearest, std::span<Hit> heaviest, const ParsedQuery &query, std::uint32_t collection, std::uint32_t space)
{
	auto *rows = static_cast<FoundRow *>(palloc(sizeof(FoundRow) * (nearest.size() + heaviest.size() + 1)));
	std::size_t n = 0;
	for (const Hit &hit : nearest)
		rows[n++] = {hit.id, collection, space, true, false, similarity_of(query.metric, hit.value), 0, 0, 0, 0, 0};
	const std::span<FoundRow> by_id(rows, n);
	auto earlier = [](const FoundRow &a, const FoundRow &b) { return a.id < b.id; };
	std::sort(by_id.begin(), by_id.end(), earlier);
	for (const Hit &hit : heaviest) {
		const FoundRow row{hit.id, collection, space, false, true, 0, hit.value, 0, 0, 0, 0};
		const auto place = std::lower_bound(by_id.begin(), by_id.end(), row, earlier);
		if (place != by_id.end() && place->id == hit.id) {
			place->has_weight = true;
			place->weight = hit.value;
		}
		else {
			rows[n++] = row;
		}
	}
	return {rows, n};
}

std::span<FoundRow> find(const Parsed &parsed, const Request &request)
{
	const std::size_t most = parsed.queries.size() * 2 * static_cast<std::size_t>(request.depth());
	auto *rows = static_cast<FoundRow *>(palloc(sizeof(FoundRow) * (most + 1)));
	std::size_t n = 0;
	for (std::uint32_t i = 0; i < parsed.queries.size(); ++i) {
		const ParsedQuery &query = parsed.queries[i];
		const Asked asked{&query, request.filter, request.depth()};
		std::span<Hit> nearest, heaviest;
		with_snapshot_of(query, [&] {
			if (query.embedding != nullptr)
				with_ef_search(query.ef_search, [&] { nearest = by_vector(asked); });
			if (!query.terms.empty())
				heaviest = by_words(asked);
		});
		const std::span<FoundRow> merged = merge(nearest, heaviest, query, i, parsed.spaces[i]);
		std::copy(merged.begin(), merged.end(), rows + n);
		n += merged.size();
	}
	return {rows, n};
}

/// What is shown of a row: the values that its table has.
struct Shown {
	Datum values[7];
	bool nulls[7];
	bool known;  // it is there
};
enum ShownColumn { kId, kPath, kOrdinal, kContent, kStartLine, kEndLine, kMetadata };

/// The rows of the best, in their order. Their values last as long as the SPI connection.
std::span<Shown> show(std::span<const FoundRow> rows, std::span<const std::uint32_t> best, const Parsed &parsed)
{
	auto *shown = static_cast<Shown *>(palloc0(sizeof(Shown) * (best.size() + 1)));
	auto *ids = static_cast<int64 *>(palloc(sizeof(int64) * (best.size() + 1)));
	for (std::uint32_t collection = 0; collection < parsed.queries.size(); ++collection) {
		std::size_t n = 0;
		for (std::uint32_t place : best)
			if (rows[place].collection == collection)
				ids[n++] = rows[place].id;
		if (n == 0)
			continue;
		const ParsedQuery &query = parsed.queries[collection];
		with_snapshot_of(query, [&] {
			const uint64 count = fetch_rows(query.name, {ids, n});
			for (uint64 i = 0; i < count; ++i) {
				Shown row{};
				row.known = true;
				for (int column = 0; column < 7; ++column)
					row.values[column] = spi_datum(i, column + 1, &row.nulls[column]);
				for (std::size_t at = 0; at < best.size(); ++at)
					if (rows[best[at]].collection == collection && rows[best[at]].id == DatumGetInt64(row.values[kId]))
						shown[at] = row;
			}
		});
	}
	return {shown, best.size()};
}

}  // namespace

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_search(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	using vectorizer::txt::FoundRow;
	const Request request = request_of(fcinfo);
	const bool has_least = !PG_ARGISNULL(kFurther);
	const double least = has_least ? PG_GETARG_FLOAT8(kFurther) : 0;
	InitMaterializedSRF(fcinfo, 0);
	auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);

	SPI_connect();
	const Parsed parsed = parse_for_all(collections_of(PG_ARGISNULL(kCollections) ? nullptr : PG_GETARG_TEXT_PP(kCollections)), request);
	const std::span<FoundRow> rows = find(parsed, request);
	std::span<std::uint32_t> order(static_cast<std::uint32_t *>(palloc(sizeof(std::uint32_t) * (rows.size() + 1))), rows.size());
	const std::span<const std::uint32_t> best =
		order.first(vectorizer::txt::fuse(rows, request.mode, static_cast<std::size_t>(request.k), has_least ? &least : nullptr, order));
	const std::span<Shown> shown = show(rows, best, parsed);
	auto *snippets = static_cast<Snippets *>(palloc(sizeof(Snippets) * (parsed.queries.size() + 1)));
	for (std::size_t i = 0; i < parsed.queries.size(); ++i)
		new (&snippets[i]) Snippets(text_config_oid(parsed.queries[i].text_config), parsed.terms[i]);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "vectorizer search row", ALLOCSET_DEFAULT_SIZES);
	for (std::size_t i = 0; i < best.size(); ++i) {
		const FoundRow &row = rows[best[i]];
		const Shown &of_table = shown[i];
		if (!of_table.known)  // it has gone meanwhile
			continue;
		MemoryContext before = MemoryContextSwitchTo(row_context);
		const ParsedQuery &query = parsed.queries[row.collection];
		Datum values[] = {param(query.name).value,
						  of_table.values[kPath],
						  of_table.values[kOrdinal],
						  of_table.values[kContent],
						  Float8GetDatum(row.score),
						  Int32GetDatum(static_cast<int32>(row.vector_rank)),
						  Int32GetDatum(static_cast<int32>(row.text_rank)),
						  of_table.nulls[kContent] ? Datum{0} : PointerGetDatum(snippets[row.collection].of(DatumGetTextPP(of_table.values[kContent]))),
						  of_table.values[kStartLine],
						  of_table.values[kEndLine],
						  of_table.values[kMetadata],
						  Int64GetDatum(row.id)};
		bool nulls[] = {false,
						of_table.nulls[kPath],
						of_table.nulls[kOrdinal],
						of_table.nulls[kContent],
						false,
						row.vector_rank == 0,
						row.text_rank == 0,
						of_table.nulls[kContent],
						of_table.nulls[kStartLine],
						of_table.nulls[kEndLine],
						of_table.nulls[kMetadata],
						false};
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		MemoryContextSwitchTo(before);
		MemoryContextReset(row_context);
	}
	SPI_finish();
	return Datum{0};
}

extern "C" PGDLLEXPORT Datum vectorizer_explain_search(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	const Request request = request_of(fcinfo);
	const bool run = !PG_ARGISNULL(kFurther) && PG_GETARG_BOOL(kFurther);
	InitMaterializedSRF(fcinfo, 0);
	struct Output {
		ReturnSetInfo *result;
		const char *collection;
	} output{reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo), nullptr};
	auto take = [](void *context, const char *line) {
		auto &to = *static_cast<Output *>(context);
		Datum values[] = {param(to.collection).value, param(line).value};
		bool nulls[] = {false, false};
		tuplestore_putvalues(to.result->setResult, to.result->setDesc, values, nulls);
	};

	SPI_connect();
	const Parsed parsed = parse_for_all(collections_of(PG_ARGISNULL(kCollections) ? nullptr : PG_GETARG_TEXT_PP(kCollections)), request);
	for (const ParsedQuery &query : parsed.queries) {
		output.collection = query.name;
		with_ef_search(query.ef_search, [&] { explain_legs({&query, request.filter, request.depth()}, run, take, &output); });
	}
	SPI_finish();
	return Datum{0};
}
