// What core knows of files by their names, in SQL.
#include "core/text/file_kinds.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "funcapi.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(vectorizer_file_kinds);
PG_FUNCTION_INFO_V1(vectorizer_kind_of);
}

namespace {

using namespace vectorizer;
using pg::text_datum;

/// A row for each of the words of a list that is separated by spaces.
void put_words(ReturnSetInfo *result, const txt::FileKind &kind, std::string_view words, bool extensions)
{
	while (!words.empty()) {
		const std::size_t end = std::min(words.find(' '), words.size());
		const Datum word = text_datum(words.substr(0, end));
		Datum values[] = {word, word, text_datum(kind.language), text_datum(txt::category_name(kind.category))};
		bool nulls[] = {!extensions, extensions, false, false};
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		words.remove_prefix(std::min(end + 1, words.size()));
	}
}

}  // namespace

extern "C" PGDLLEXPORT Datum vectorizer_file_kinds(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	for (const txt::FileKind &kind : txt::file_kinds()) {
		put_words(result, kind, kind.extensions, true);
		put_words(result, kind, kind.names, false);
	}
	return Datum{0};
}

extern "C" PGDLLEXPORT Datum vectorizer_kind_of(PG_FUNCTION_ARGS)
{
	const text *path = PG_GETARG_TEXT_PP(0);
	TupleDesc descriptor;
	if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("kind_of returns a row")));
	const txt::FileKind *kind =
		pg::guard([&] { return txt::kind_of(pg::text_view(path)); });
	Datum values[2] = {};
	bool nulls[2] = {true, true};
	if (kind != nullptr) {
		values[0] = text_datum(kind->language);
		values[1] = text_datum(txt::category_name(kind->category));
		nulls[0] = nulls[1] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}
