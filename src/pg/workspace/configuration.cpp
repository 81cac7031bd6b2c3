// Workspace files in SQL: core/config behind functions.
#include "core/config/plan_json.hpp"
#include "core/config/types.hpp"
#include "core/config/workspace.hpp"
#include "core/config/write.hpp"
#include "core/workspace/scan.hpp"
#include "pg/collection/held.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(vectorizer_collection_types);
PG_FUNCTION_INFO_V1(vectorizer_type_of_name);
PG_FUNCTION_INFO_V1(vectorizer_validate_workspace);
PG_FUNCTION_INFO_V1(vectorizer_workspace_plan);
PG_FUNCTION_INFO_V1(vectorizer_write_workspace);
PG_FUNCTION_INFO_V1(vectorizer_migrate_workspace);
PG_FUNCTION_INFO_V1(vectorizer_read_workspace_file);
}

namespace vectorizer::pg {

namespace {

constexpr int kErrorsTold = 5;
constexpr std::uint64_t kMaxFile = 1 << 20;  // as core/config has it

Datum text_array(const std::vector<std::string> &strings)
{
	auto *elements = static_cast<Datum *>(palloc(sizeof(Datum) * (strings.size() + 1)));
	for (std::size_t i = 0; i < strings.size(); ++i)
		elements[i] = text_datum(strings[i]);
	return PointerGetDatum(construct_array(elements, static_cast<int>(strings.size()), TEXTOID, -1, false, TYPALIGN_INT));
}

const char *severity_name(config::Severity severity)
{
	switch (severity) {
		case config::Severity::kError: return "error";
		case config::Severity::kWarning: return "warning";
		case config::Severity::kIgnored: return "ignored";
	}
	return "error";
}

/// An argument, text, that may be null: "" then.
std::string_view text_argument(FunctionCallInfo fcinfo, int i)
{
	return fcinfo->args[i].isnull ? std::string_view() : text_view(DatumGetTextPP(fcinfo->args[i].value));
}

const config::Parsed &parse(FunctionCallInfo fcinfo)
{
	auto &parsed = hold_in<config::Parsed>(CurrentMemoryContext);
	const std::string_view yaml = text_argument(fcinfo, 0);
	const std::string_view base = text_argument(fcinfo, 1);
	guard([&] { parsed = config::parse_workspace(yaml, base); });
	return parsed;
}

}  // namespace

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_collection_types(PG_FUNCTION_ARGS)
{
	using namespace vectorizer;
	using namespace vectorizer::pg;
	InitMaterializedSRF(fcinfo, 0);
	auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	const auto types = guard([] { return config::types(); });
	const std::vector<std::string> &exclude = *guard([] { return &config::default_exclude(); });
	for (const config::CollectionType &type : types) {
		Datum values[] = {text_datum(type.name), text_array(type.include), text_array(exclude), Int32GetDatum(type.chunk_size),
						  Int32GetDatum(type.chunk_overlap), text_datum(type.category)};
		bool nulls[] = {false, false, false, false, false, type.category.empty()};
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return Datum{0};
}

extern "C" PGDLLEXPORT Datum vectorizer_type_of_name(PG_FUNCTION_ARGS)
{
	using namespace vectorizer;
	using namespace vectorizer::pg;
	const std::string_view name = text_view(PG_GETARG_TEXT_PP(0));
	return text_datum(guard([&] { return config::infer_type(name).name; }));
}

extern "C" PGDLLEXPORT Datum vectorizer_validate_workspace(PG_FUNCTION_ARGS)
{
	using namespace vectorizer;
	using namespace vectorizer::pg;
	InitMaterializedSRF(fcinfo, 0);
	auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	if (PG_ARGISNULL(0))
		return Datum{0};
	for (const config::Finding &finding : parse(fcinfo).findings) {
		Datum values[] = {CStringGetTextDatum(severity_name(finding.severity)), text_datum(finding.path), Int32GetDatum(finding.line),
						  text_datum(finding.message)};
		bool nulls[] = {false, false, finding.line <= 0, false};
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return Datum{0};
}

extern "C" PGDLLEXPORT Datum vectorizer_workspace_plan(PG_FUNCTION_ARGS)
{
	using namespace vectorizer;
	using namespace vectorizer::pg;
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a workspace file cannot be null")));
	const config::Parsed &parsed = parse(fcinfo);
	if (!parsed.ok()) {
		StringInfoData detail;
		initStringInfo(&detail);
		int errors = 0;
		for (const config::Finding &finding : parsed.findings) {
			if (finding.severity == config::Severity::kError && ++errors <= kErrorsTold)
				appendStringInfo(&detail, "%sLine %d, %s: %s", detail.len > 0 ? "\n" : "", finding.line, finding.path.c_str(),
								 finding.message.c_str());
		}
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errors == 1 ? errmsg("the workspace file has an error") : errmsg("the workspace file has %d errors", errors),
						errdetail_internal("%s", detail.data),
						errhint("vectorizer.validate_workspace() lists all that there is to say about it.")));
	}
	auto &json = hold_in<std::string>(CurrentMemoryContext);
	guard([&] { json = config::to_json(parsed.plan); });
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.c_str())));
}

extern "C" PGDLLEXPORT Datum vectorizer_write_workspace(PG_FUNCTION_ARGS)
{
	using namespace vectorizer;
	using namespace vectorizer::pg;
	const char *json = DatumGetCString(DirectFunctionCall1(jsonb_out, PG_GETARG_DATUM(0)));
	const std::string_view format = text_view(PG_GETARG_TEXT_PP(1));
	const std::string_view base = text_view(PG_GETARG_TEXT_PP(2));
	if (format != "minimal" && format != "verbose")
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown format \"%s\" of a workspace file", text_to_cstring(PG_GETARG_TEXT_PP(1))),
						errhint("The formats are minimal and verbose.")));
	auto &yaml = hold_in<std::string>(CurrentMemoryContext);
	guard([&] {
		const config::Plan plan = config::from_json(json);
		yaml = format == "minimal" ? config::write_minimal(plan, base) : config::write_verbose(plan, base);
	});
	return text_datum(yaml);
}

extern "C" PGDLLEXPORT Datum vectorizer_migrate_workspace(PG_FUNCTION_ARGS)
{
	using namespace vectorizer;
	using namespace vectorizer::pg;
	const std::string_view yaml = text_view(PG_GETARG_TEXT_PP(0));
	const std::string_view base = text_view(PG_GETARG_TEXT_PP(1));
	auto &minimal = hold_in<std::string>(CurrentMemoryContext);
	guard([&] { minimal = config::migrate(yaml, base); });
	return text_datum(minimal);
}

extern "C" PGDLLEXPORT Datum vectorizer_read_workspace_file(PG_FUNCTION_ARGS)
{
	using namespace vectorizer;
	using namespace vectorizer::pg;
	const char *folder = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const std::string_view name = text_view(PG_GETARG_TEXT_PP(1));
	auto &read = hold_in<workspace::ReadResult>(CurrentMemoryContext);
	guard([&] {
		const workspace::Fd root = workspace::open_root(folder);
		read = workspace::read_file(root.get(), std::string(name), kMaxFile, interrupt_pending());
	});
	if (read.status != workspace::ReadStatus::kOk)
		ereport(ERROR, (errcode(read.status == workspace::ReadStatus::kVanished ? ERRCODE_UNDEFINED_FILE : ERRCODE_IO_ERROR),
						errmsg("could not read \"%s/%s\": %s", folder, text_to_cstring(PG_GETARG_TEXT_PP(1)),
							   read.status == workspace::ReadStatus::kVanished ? "no such file" : read.reason.c_str())));
	const text *yaml = cstring_to_text_with_len(read.bytes.data(), static_cast<int>(read.bytes.size()));
	pg_verifymbstr(VARDATA_ANY(yaml), static_cast<int>(VARSIZE_ANY_EXHDR(yaml)), false);
	PG_RETURN_TEXT_P(yaml);
}
