#include "pg/workspace/written.hpp"

#include "pg/collection/collection.hpp"
#include "pg/collection/refresh.hpp"
#include "pg/collection/spi.hpp"
#include "pg/workspace/project.hpp"
#include "pg/workspace/transaction.hpp"

namespace vectorizer::pg {

namespace {

constexpr int64 kDebounce = USECS_PER_SEC;           // from the first write to a look
constexpr int64 kInterval = 5 * 60 * USECS_PER_SEC;  // between looks at all: of what was prepared, or written while nobody ran
constexpr int64 kRetry = 10 * USECS_PER_SEC;         // after a look that failed, twice as long each time
constexpr int kRest = 2;                             // times as long as a look took, until the next
constexpr int64 kLongestRest = 10 * USECS_PER_SEC;

}  // namespace

void WrittenCollections::hear(TimestampTz now)
{
	all_ = std::min(all_, now + kInterval);
	not_before_ = std::min(not_before_, now + kLongestRest);
	if (told_ == 0 && anything_written())
		told_ = now + kDebounce;
	told_ = std::min(told_, now + kDebounce);
}

void WrittenCollections::refresh()
{
	any_ = spi_run("SELECT FROM vectorizer.collection WHERE kind = 'dynamic' LIMIT 1") > 0;
}

TimestampTz WrittenCollections::next() const
{
	if (!any_)
		return DT_NOEND;
	const TimestampTz due = told_ == 0 ? all_ : std::min(all_, told_);
	return std::max(due, not_before_);
}

void WrittenCollections::look(MemoryContext context, workspace::Notifier *notifier, TimestampTz deadline)
{
	const TimestampTz begun = GetCurrentTimestamp();
	Oid written[kMostWritten];
	const int count = take_written(written);
	const bool all = all_ <= begun || count > kMostWritten;
	const std::span<const Oid> named(written, static_cast<std::size_t>(std::min(count, kMostWritten)));
	told_ = 0;
	begin_transaction();
	MemoryContext outer = MemoryContextSwitchTo(context);
	const std::span<const DynamicCollection> collections = dynamic_collections();
	MemoryContextSwitchTo(outer);
	commit_transaction();

	const int64 from = std::exchange(from_, 0);
	bool stopped = false;
	bool failed = false;
	MemoryContext each_context = AllocSetContextCreate(context, "vectorizer collection", ALLOCSET_DEFAULT_SIZES);
	for (const DynamicCollection &each : collections) {
		const bool was_written = count > kMostWritten || std::ranges::find(named, each.table) != named.end();
		if (stopped || !(was_written || (all && each.id >= from)))
			continue;
		const Outcome outcome = look_at(each.id, {true, was_written, deadline, notifier}, each_context);
		failed = failed || outcome == Outcome::kFailed;
		stopped = outcome == Outcome::kStopped || (deadline != 0 && GetCurrentTimestamp() > deadline);
		if (stopped)
			from_ = outcome == Outcome::kStopped ? each.id : each.id + 1;
		MemoryContextReset(each_context);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextReset(context);

	const TimestampTz now = GetCurrentTimestamp();
	failures_ = failed ? std::min(failures_ + 1, 5) : stopped ? failures_ : 0;
	if (all)
		all_ = begun + kInterval;
	if (failed)
		all_ = std::min(all_, now + (kRetry << (failures_ - 1)));
	if (stopped)
		all_ = now;
	not_before_ = stopped ? now : now + std::min<int64>(kRest * (now - begun), kLongestRest);
}

WrittenCollections::Outcome WrittenCollections::look_at(int64 collection, const RefreshOptions &options, MemoryContext context)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile Outcome outcome = Outcome::kFailed;
	PG_TRY();
	{
		int64 rows;
		begin_transaction();
		outcome = pg::refresh(collection, options, context, &rows) ? Outcome::kStopped : Outcome::kDone;
		commit_transaction();
		unlock_projects();
	}
	PG_CATCH();
	{
		outcome = Outcome::kFailed;
		MemoryContextSwitchTo(context);
		ErrorData *error = CopyErrorData();
		const bool busy = error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
		if (!busy)
			EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		unlock_projects();
		if (!busy) {
			begin_transaction();
			spi_run("SELECT vectorizer.count_dynamic($1, false, $2)", {param(collection), param(error->message)});
			commit_transaction();
		}
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	return outcome;
}

}  // namespace vectorizer::pg
