#include "pg/collection/legs.hpp"

#include "pg/collection/kept_plans.hpp"

#include <bit>

extern "C" {
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace vectorizer::pg {

namespace {

const char *schema_of_type(Oid type)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("type %u does not exist", type)));
	const char *schema = get_namespace_name(reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typnamespace);
	ReleaseSysCache(tuple);
	return schema;
}

const char *table_of(const char *collection)
{
	return psprintf("vectorizer_data.%s", quote_identifier(collection));
}

/// The logarithm of how many pages the collection has: a plan for a small table is not one for a large one.
uint64 size_of(const Asked &asked)
{
	const Oid oid = get_relname_relid(asked.parsed->name, get_namespace_oid("vectorizer_data", false));
	Relation table = relation_open(oid, AccessShareLock);
	const uint64 blocks = RELKIND_HAS_STORAGE(table->rd_rel->relkind) ? RelationGetNumberOfBlocks(table) : 0;
	relation_close(table, AccessShareLock);
	return static_cast<uint64>(std::bit_width(blocks));
}

/// Where a filter is the parameter of that number. The plan then depends on what it says.
const char *condition(const Asked &asked, int parameter)
{
	return asked.filter == nullptr ? "" : psprintf(" AND c.metadata @> $%d", parameter);
}
Planned planned(const Asked &asked)
{
	return asked.filter == nullptr ? Planned::kOnce : Planned::kEachTime;
}
Param filter_param(const Asked &asked)
{
	return asked.filter == nullptr ? null_param(JSONBOID) : Param{JSONBOID, JsonbPGetDatum(asked.filter)};
}

/// A leg: its statement and its parameters, of which the last is the filter.
struct Leg {
	const char *sql;
	std::initializer_list<Param> params;
};

template <typename Run>
auto vector_leg(const Asked &asked, Run run)
{
	const std::string_view metric = asked.parsed->metric;
	const char *name = metric == "cosine" ? "<=>" : metric == "l2" ? "<->" : "<#>";
	const Oid type = vector_type();
	const char *distance = psprintf("c.embedding OPERATOR(%s.%s) $1", quote_identifier(schema_of_type(type)), name);
	const char *sql = psprintf("SELECT c.id, %s FROM %s c WHERE c.embedding IS NOT NULL%s ORDER BY %s LIMIT %d", distance,
							   table_of(asked.parsed->name), condition(asked, 2), distance, asked.depth);
	return run({sql, {{type, vector_to_datum(asked.parsed->embedding)}, filter_param(asked)}});
}

/// The best of those that hold one of the first `count` of these terms, weighed by all terms.
template <typename Run>
auto words_leg(const Asked &asked, std::span<const ParsedTerm> rarest_first, std::size_t count, Run run)
{
	const ParsedQuery &parsed = *asked.parsed;
	const char *sql = psprintf("SELECT c.id, vectorizer.bm25(c.tsv, c.n_lexemes, $2, $3, $4, $5, $6) AS weight FROM %s c WHERE c.tsv @@ $1%s"
							   " ORDER BY weight DESC, c.id LIMIT %d",
							   table_of(parsed.name), condition(asked, 7), asked.depth);
	return run({sql,
				{{TSQUERYOID, TSQueryGetDatum(any_of(rarest_first.first(count)))},
				 {TEXTARRAYOID, PointerGetDatum(lexemes_of(parsed.terms))},
				 {FLOAT8ARRAYOID, PointerGetDatum(weights_of(parsed.terms))},
				 param(parsed.average_length),
				 param(parsed.k1),
				 param(parsed.b),
				 filter_param(asked)}});
}

std::span<Hit> hits(uint64 count)
{
	auto *result = static_cast<Hit *>(palloc(sizeof(Hit) * (count + 1)));
	for (uint64 i = 0; i < count; ++i)
		result[i] = {spi_int64(i, 1), spi_float8(i, 2)};
	SPI_freetuptable(SPI_tuptable);
	return {result, count};
}

std::span<ParsedTerm> rarest_first(const ParsedQuery &parsed)
{
	auto *terms = static_cast<ParsedTerm *>(palloc(sizeof(ParsedTerm) * (parsed.terms.size() + 1)));
	std::copy(parsed.terms.begin(), parsed.terms.end(), terms);
	std::stable_sort(terms, terms + parsed.terms.size(), [](const ParsedTerm &a, const ParsedTerm &b) { return a.idf > b.idf; });
	return {terms, parsed.terms.size()};
}

/// What the terms from the `from`-th on can give a text together, however often it says them.
double most_weight(const ParsedQuery &parsed, std::span<const ParsedTerm> terms, std::size_t from)
{
	double sum = 0;
	for (const ParsedTerm &term : terms.subspan(from))
		sum += term.idf * (parsed.k1 + 1);
	return sum;
}

/// Terms that about so many rows hold one of, from the first on.
std::size_t terms_for(std::span<const ParsedTerm> terms, double rows)
{
	std::size_t count = 0;
	for (double expected = 0; count < terms.size() && expected < rows; ++count)
		expected += terms[count].df;
	return count;
}

}  // namespace

std::span<Hit> by_vector(const Asked &asked)
{
	return vector_leg(asked, [&](const Leg &leg) { return hits(run_kept(leg.sql, leg.params, planned(asked), size_of(asked))); });
}

std::span<Hit> by_words(const Asked &asked)
{
	const ParsedQuery &parsed = *asked.parsed;
	const std::span<ParsedTerm> terms = rarest_first(parsed);
	auto best = [&](std::size_t count) {
		return words_leg(asked, terms, count, [&](const Leg &leg) { return hits(run_kept(leg.sql, leg.params, planned(asked), size_of(asked))); });
	};
	const bool bounded = parsed.k1 >= 0 && parsed.b >= 0 && parsed.b <= 1 && (terms.empty() || terms.back().idf >= 0);
	constexpr double kRowsForOne = 2;  // of the depth: some filter or policy may leave some out
	std::size_t count = bounded ? terms_for(terms, kRowsForOne * asked.depth) : terms.size();
	for (;;) {
		const std::span<Hit> found = best(count);
		if (count == terms.size())
			return found;
		// Whoever holds none of them weighs less than this, rounding included.
		constexpr double kRounding = 1 + 1e-6;
		const double last = found.size() == static_cast<std::size_t>(asked.depth) ? found.back().value : 0;
		std::size_t enough = count;
		while (enough < terms.size() && most_weight(parsed, terms, enough) * kRounding >= last)
			++enough;
		if (enough == count)
			return found;
		count = enough;
	}
}

void explain_legs(const Asked &asked, bool run, void (*take)(void *, const char *line), void *context)
{
	auto explain = [&](const Leg &leg) {
		const uint64 lines = spi_run(psprintf("EXPLAIN (%s) %s", run ? "ANALYZE, BUFFERS" : "COSTS OFF", leg.sql), leg.params);
		for (uint64 i = 0; i < lines; ++i)
			take(context, spi_text(i, 1));
		SPI_freetuptable(SPI_tuptable);
	};
	if (asked.parsed->embedding != nullptr)
		vector_leg(asked, explain);
	if (!asked.parsed->terms.empty())
		words_leg(asked, asked.parsed->terms, asked.parsed->terms.size(), explain);
}

uint64 fetch_rows(const char *collection, std::span<const int64> ids)
{
	auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * (ids.size() + 1)));
	for (std::size_t i = 0; i < ids.size(); ++i)
		values[i] = Int64GetDatum(ids[i]);
	ArrayType *array = construct_array(values, static_cast<int>(ids.size()), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	return run_kept(psprintf("SELECT c.id, c.path, c.ordinal, c.content, c.start_line, c.end_line, c.metadata FROM %s c WHERE c.id = ANY ($1)",
							 table_of(collection)),
					{{INT8ARRAYOID, PointerGetDatum(array)}}, Planned::kOnce);
}

}  // namespace vectorizer::pg
