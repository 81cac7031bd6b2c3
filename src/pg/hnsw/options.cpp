#include "pg/hnsw/options.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "access/reloptions.h"
#include "utils/guc.h"
}

namespace vectorizer::hnsw {

namespace {

relopt_kind option_kind;

relopt_enum_elt_def quantization_values[] = {
	{"auto", static_cast<int>(Quantization::kAuto)},
	{"none", static_cast<int>(Quantization::kNone)},
	{"scalar", static_cast<int>(Quantization::kScalar)},
	{"product", static_cast<int>(Quantization::kProduct)},
	{"binary", static_cast<int>(Quantization::kBinary)},
	{nullptr, 0},
};

const config_enum_entry iterative_scan_values[] = {
	{"off", static_cast<int>(IterativeScan::kOff), false},
	{"strict_order", static_cast<int>(IterativeScan::kStrictOrder), false},
	{"relaxed_order", static_cast<int>(IterativeScan::kRelaxedOrder), false},
	{nullptr, 0, false},
};

int ef_search_setting = kDefaultEfSearch;
int iterative_scan_setting = static_cast<int>(IterativeScan::kStrictOrder);
int max_scan_tuples_setting = 0;

/// What a client has SET under the name that it knows, where our own name has not been set; null otherwise.
const char *client_value(const char *ours, const char *theirs)
{
	const char *value = GetConfigOption(theirs, true, false);  // hardly ever there, and quickly asked
	return value == nullptr || compat::setting_is_set(ours) || !compat::setting_is_set(theirs) ? nullptr : value;
}

int client_integer(const char *ours, const char *theirs, int setting, int least, int most)
{
	const char *text = client_value(ours, theirs);
	int value;
	if (text == nullptr || !parse_int(text, &value, 0, nullptr))
		return setting;
	return std::clamp(value, least, most);
}

}  // namespace

void define_options()
{
	option_kind = add_reloption_kind();
	add_int_reloption(option_kind, "m", "Links of a node on a level; twice as many on the lowest", kDefaultM, kMinM, kMaxM,
					  AccessExclusiveLock);
	add_int_reloption(option_kind, "ef_construction", "Candidates that an insert looks at", kDefaultEfConstruction,
					  kMinEfConstruction, kMaxEfConstruction, AccessExclusiveLock);
	add_enum_reloption(option_kind, "quantization", "How vectors are coded in the index", quantization_values,
					   static_cast<int>(Quantization::kAuto), "Valid values are \"auto\", \"none\", \"scalar\", \"product\" and \"binary\".",
					   AccessExclusiveLock);
	add_int_reloption(option_kind, "bits", "Bits a dimension of a scalar code: 8, 4 or 2", 0, 1, 32, AccessExclusiveLock);
	add_int_reloption(option_kind, "subspaces", "Bytes of a product code", 0, 1, 8000, AccessExclusiveLock);
	add_int_reloption(option_kind, "target_bytes", "Bytes of a code that auto keeps to", 0, 1, 64000, AccessExclusiveLock);

	DefineCustomIntVariable("vectorizer.ef_search", "Candidates that a search of an hnsw index looks at.",
							"More find better neighbours and take longer. A client's hnsw.ef_search counts where this is not set.",
							&ef_search_setting, kDefaultEfSearch, kMinEfSearch, kMaxEfSearch, PGC_USERSET, 0, nullptr, nullptr,
							nullptr);
	DefineCustomEnumVariable("vectorizer.iterative_scan", "How a search of an hnsw index goes on when more rows are asked for.",
							 "strict_order: in exact order, a row found too late is dropped; relaxed_order: every row, order "
							 "within a round; off: no more than vectorizer.ef_search candidates.",
							 &iterative_scan_setting, static_cast<int>(IterativeScan::kStrictOrder), iterative_scan_values,
							 PGC_USERSET, 0, nullptr, nullptr, nullptr);
	DefineCustomIntVariable("vectorizer.max_scan_tuples", "Rows after which a search of an hnsw index stops going on.",
							"0: it goes on until every row has been looked at.", &max_scan_tuples_setting, 0, 0, INT_MAX,
							PGC_USERSET, 0, nullptr, nullptr, nullptr);
}

bytea *parse_options(Datum reloptions, bool validate)
{
	auto option = [](const char *name, relopt_type type, std::size_t offset) {
		relopt_parse_elt element{};  // 18 has a member more
		element.optname = name;
		element.opttype = type;
		element.offset = static_cast<int>(offset);
		return element;
	};
	const relopt_parse_elt table[] = {
		option("m", RELOPT_TYPE_INT, offsetof(Options, m)),
		option("ef_construction", RELOPT_TYPE_INT, offsetof(Options, ef_construction)),
		option("quantization", RELOPT_TYPE_ENUM, offsetof(Options, quantization)),
		option("bits", RELOPT_TYPE_INT, offsetof(Options, bits)),
		option("subspaces", RELOPT_TYPE_INT, offsetof(Options, subspaces)),
		option("target_bytes", RELOPT_TYPE_INT, offsetof(Options, target_bytes)),
	};
	auto *options = static_cast<Options *>(
		build_reloptions(reloptions, validate, option_kind, sizeof(Options), table, lengthof(table)));
	if (options == nullptr || !validate)
		return reinterpret_cast<bytea *>(options);

	if (options->ef_construction < 2 * options->m)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("ef_construction must be greater than or equal to 2 * m"),
						errdetail("ef_construction is %d, m is %d.", options->ef_construction, options->m)));
	if (options->bits != 0 && options->bits != 2 && options->bits != 4 && options->bits != 8)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("value %d out of bounds for option \"bits\"", options->bits),
						errdetail("Valid values are 8, 4 and 2.")));
	auto needs = [&](const char *name, int value, Quantization quantization, const char *what) {
		if (value != 0 && options->quantization != quantization)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("option \"%s\" needs \"quantization = %s\"", name, what)));
	};
	needs("bits", options->bits, Quantization::kScalar, "scalar");
	needs("subspaces", options->subspaces, Quantization::kProduct, "product");
	needs("target_bytes", options->target_bytes, Quantization::kAuto, "auto");
	return reinterpret_cast<bytea *>(options);
}

Options options_of(Relation index)
{
	if (index->rd_options != nullptr) {
		Options given = *reinterpret_cast<Options *>(index->rd_options);
		return given;
	}
	return {0, kDefaultM, kDefaultEfConstruction, Quantization::kAuto, 0, 0, 0};
}

ScanSettings scan_settings()
{
	ScanSettings settings{ef_search_setting, static_cast<IterativeScan>(iterative_scan_setting), max_scan_tuples_setting};
	settings.ef_search =
		client_integer("vectorizer.ef_search", "hnsw.ef_search", settings.ef_search, kMinEfSearch, kMaxEfSearch);
	settings.max_scan_tuples =
		client_integer("vectorizer.max_scan_tuples", "hnsw.max_scan_tuples", settings.max_scan_tuples, 0, INT_MAX);
	if (const char *text = client_value("vectorizer.iterative_scan", "hnsw.iterative_scan"); text != nullptr)
		for (const config_enum_entry *entry = iterative_scan_values; entry->name != nullptr; ++entry)
			if (pg_strcasecmp(entry->name, text) == 0)
				settings.iterative_scan = static_cast<IterativeScan>(entry->val);
	return settings;
}

}  // namespace vectorizer::hnsw
