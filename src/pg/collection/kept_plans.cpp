#include "pg/collection/kept_plans.hpp"

extern "C" {
#include "utils/hsearch.h"
}

namespace vectorizer::pg {

namespace {

constexpr std::size_t kLongest = 1024;
constexpr long kMost = 256;  // plans; those of further statements live as long as the call

struct KeptPlan {
	char sql[kLongest];  // the key
	SPIPlanPtr plan;
};

constinit HTAB *plans = nullptr;

SPIPlanPtr prepare(const char *sql, const Oid *types, int count, Planned planned)
{
	const int options = planned == Planned::kOnce ? CURSOR_OPT_GENERIC_PLAN : CURSOR_OPT_CUSTOM_PLAN;
	SPIPlanPtr plan = SPI_prepare_cursor(sql, count, const_cast<Oid *>(types), options);
	if (plan == nullptr)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("statement failed: %s", SPI_result_code_string(SPI_result)), errdetail("%s", sql)));
	return plan;
}

SPIPlanPtr kept_plan(const char *sql, const Oid *types, int count, Planned planned)
{
	if (std::strlen(sql) >= kLongest)
		return prepare(sql, types, count, planned);
	if (plans == nullptr) {
		HASHCTL control{};
		control.keysize = kLongest;
		control.entrysize = sizeof(KeptPlan);
		control.hcxt = TopMemoryContext;
		plans = hash_create("vectorizer plans", 16, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	if (auto *found = static_cast<KeptPlan *>(hash_search(plans, sql, HASH_FIND, nullptr)))
		return found->plan;
	SPIPlanPtr plan = prepare(sql, types, count, planned);
	if (hash_get_num_entries(plans) >= kMost)
		return plan;
	SPI_keepplan(plan);
	static_cast<KeptPlan *>(hash_search(plans, sql, HASH_ENTER, nullptr))->plan = plan;
	return plan;
}

}  // namespace

uint64 run_kept(const char *sql, std::initializer_list<Param> params, Planned planned)
{
	Arguments arguments(params);
	MemoryContext caller = CurrentMemoryContext;
	SPIPlanPtr plan = kept_plan(sql, arguments.types, arguments.count, planned);
	const int status = SPI_execute_plan(plan, arguments.values, arguments.nulls, true, 0);
	MemoryContextSwitchTo(caller);
	return checked(status, sql);
}

}  // namespace vectorizer::pg
