// Patterns as SQL callers give them: whether they are any, and what they would choose in a directory.
#include "core/text/utf8.hpp"
#include "core/workspace/scan.hpp"
#include "pg/boundary.hpp"
#include "pg/collection/held.hpp"
#include "pg/workspace/roots.hpp"

#include <algorithm>

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(vectorizer_check_patterns);
PG_FUNCTION_INFO_V1(vectorizer_preview_patterns);
}

namespace vectorizer::pg {

namespace {

/// The elements of a text[], palloc'd. Raises 22004 for a null among them.
std::span<const char *const> pattern_strings(Datum array)
{
	ArrayType *patterns = DatumGetArrayTypeP(array);
	if (array_contains_nulls(patterns))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a glob pattern cannot be null")));
	Datum *elements;
	int count;
	deconstruct_array(patterns, TEXTOID, -1, false, TYPALIGN_INT, &elements, nullptr, &count);
	auto **strings = static_cast<const char **>(palloc(sizeof(char *) * static_cast<std::size_t>(count + 1)));
	for (int i = 0; i < count; ++i)
		strings[i] = TextDatumGetCString(elements[i]);
	return {strings, static_cast<std::size_t>(count)};
}

/// What patterns make of a directory, by path. Held.
struct Preview {
	struct Row {
		std::string path;
		const char *state;
		std::string reason;  // the pattern, or why it is skipped; empty: none
		std::int64_t bytes;  // -1: not known
	};
	std::vector<Row> rows;

	void fill(const char *root, std::span<const char *const> include, std::span<const char *const> exclude, int64 most_bytes)
	{
		const workspace::PatternSet patterns(std::vector<std::string>(include.begin(), include.end()),
											 std::vector<std::string>(exclude.begin(), exclude.end()));
		workspace::ScanLimits limits;
		limits.max_file_bytes = static_cast<std::uint64_t>(most_bytes);
		workspace::Witness witness;
		witness.left_out = [&](const std::string &path) {
			const workspace::Glob *excluding = patterns.excluding(path);
			if (rows.size() < limits.max_files)
				rows.push_back({txt::printable(path), excluding != nullptr ? "excluded" : "not included",
								excluding != nullptr ? excluding->pattern() : std::string(), -1});
		};
		const workspace::Fd directory = workspace::open_root(root);
		workspace::ScanResult found = workspace::scan(directory.get(), patterns, limits, interrupt_pending(), witness);
		for (workspace::FoundFile &file : found.files) {
			const workspace::Glob *including = patterns.including(file.path);
			rows.push_back({std::move(file.path), "matches", including != nullptr ? including->pattern() : std::string(),
							static_cast<std::int64_t>(file.stat.size)});
		}
		for (workspace::SkippedFile &file : found.skipped)
			rows.push_back({std::move(file.path), "skipped", std::move(file.reason), -1});
		std::sort(rows.begin(), rows.end(), [](const Row &a, const Row &b) { return a.path < b.path; });
	}
};

/// About how many chunks a text of so many bytes is cut into.
int64 expected_chunks(int64 bytes, int32 size, int32 overlap)
{
	if (bytes <= size)
		return bytes > 0 ? 1 : 0;
	const int64 step = size - overlap;
	return (bytes - overlap + step - 1) / step;
}

}  // namespace

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_check_patterns(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	for (int argument = 0; argument < 2; ++argument) {
		for (const char *pattern : pattern_strings(PG_GETARG_DATUM(argument)))
			guard([&] { vectorizer::workspace::Glob parsed(pattern); });
	}
	PG_RETURN_VOID();
}

extern "C" PGDLLEXPORT Datum vectorizer_preview_patterns(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	const char *root = authorize_root(GetUserNameFromId(GetUserId(), false), text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const std::span<const char *const> include = pattern_strings(PG_GETARG_DATUM(1));
	const std::span<const char *const> exclude = pattern_strings(PG_GETARG_DATUM(2));
	InitMaterializedSRF(fcinfo, 0);
	auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	auto &preview = hold_in<Preview>(CurrentMemoryContext);
	guard([&] { preview.fill(root, include, exclude, PG_GETARG_INT64(5)); });
	for (const Preview::Row &row : preview.rows) {
		CHECK_FOR_INTERRUPTS();
		Datum values[] = {CStringGetTextDatum(row.path.c_str()), CStringGetTextDatum(row.state),
						  CStringGetTextDatum(row.reason.c_str()), Int64GetDatum(row.bytes),
						  Int64GetDatum(expected_chunks(row.bytes, PG_GETARG_INT32(3), PG_GETARG_INT32(4)))};
		bool nulls[] = {false, false, row.reason.empty(), row.bytes < 0, row.bytes < 0};
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return Datum{0};
}
