#include "pg/collection/kept_plans.hpp"

extern "C" {
#include "optimizer/cost.h"
#include "optimizer/paths.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
}

namespace vectorizer::pg {

namespace {

constexpr std::size_t kLongest = 1024;
constexpr long kMost = 512;  // plans; then all of them are forgotten

/// What the server does not look at once it has a plan.
struct Situation {
	Oid types[Arguments::kMost];
	bool settings[4];
	int ef_search;
	uint64 size;

	friend bool operator==(const Situation &, const Situation &) = default;
};

struct KeptPlan {
	char sql[kLongest];  // the key
	SPIPlanPtr plan;
	Situation situation;
};

constinit HTAB *plans = nullptr;
constinit int running = 0;  // statements, one inside the other: a policy may search, too

Situation situation_of(const Arguments &arguments, uint64 size)
{
	Situation now{};
	std::copy_n(arguments.types, arguments.count, now.types);
	const bool settings[] = {enable_seqscan, enable_indexscan, enable_bitmapscan, enable_sort};
	std::copy(std::begin(settings), std::end(settings), now.settings);
	const char *ef_search = GetConfigOption("vectorizer.ef_search", true, false);
	now.ef_search = ef_search == nullptr ? 0 : std::atoi(ef_search);
	now.size = size;
	return now;
}

SPIPlanPtr prepare(const char *sql, const Arguments &arguments, Planned planned)
{
	const int options = planned == Planned::kOnce ? CURSOR_OPT_GENERIC_PLAN : CURSOR_OPT_CUSTOM_PLAN;
	SPIPlanPtr plan = SPI_prepare_cursor(sql, arguments.count, const_cast<Oid *>(arguments.types), options);
	if (plan == nullptr)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("statement failed: %s", SPI_result_code_string(SPI_result)), errdetail("%s", sql)));
	return plan;
}

void forget_all()
{
	HASH_SEQ_STATUS walk;
	hash_seq_init(&walk, plans);
	while (const auto *kept = static_cast<KeptPlan *>(hash_seq_search(&walk)))
		SPI_freeplan(kept->plan);
	hash_destroy(plans);
	plans = nullptr;
}

/// While a statement runs no plan is given up, for it may be the one at work: another one is then made for this call alone.
SPIPlanPtr kept_plan(const char *sql, const Arguments &arguments, Planned planned, uint64 size)
{
	if (std::strlen(sql) >= kLongest)
		return prepare(sql, arguments, planned);
	if (plans != nullptr && running == 0 && hash_get_num_entries(plans) >= kMost)
		forget_all();
	if (plans == nullptr) {
		HASHCTL control{};
		control.keysize = kLongest;
		control.entrysize = sizeof(KeptPlan);
		control.hcxt = TopMemoryContext;
		plans = hash_create("vectorizer plans", 16, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	const Situation now = situation_of(arguments, size);
	auto *kept = static_cast<KeptPlan *>(hash_search(plans, sql, HASH_FIND, nullptr));
	if (kept != nullptr && kept->situation == now)
		return kept->plan;
	SPIPlanPtr plan = prepare(sql, arguments, planned);
	if (running > 0 && (kept != nullptr || hash_get_num_entries(plans) >= kMost))
		return plan;
	SPI_keepplan(plan);
	if (kept != nullptr)
		SPI_freeplan(kept->plan);
	kept = static_cast<KeptPlan *>(hash_search(plans, sql, HASH_ENTER, nullptr));
	kept->plan = plan;
	kept->situation = now;
	return plan;
}

}  // namespace

uint64 run_kept(const char *sql, std::initializer_list<Param> params, Planned planned, uint64 size)
{
	Arguments arguments(params);
	MemoryContext caller = CurrentMemoryContext;
	SPIPlanPtr plan = kept_plan(sql, arguments, planned, size);
	int status = 0;
	++running;
	PG_TRY();
	{
		status = SPI_execute_plan(plan, arguments.values, arguments.nulls, true, 0);
	}
	PG_FINALLY();
	{
		--running;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	return checked(status, sql);
}

}  // namespace vectorizer::pg
