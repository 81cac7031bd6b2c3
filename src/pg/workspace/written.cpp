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

void note_failure(int64 collection, const ErrorData *error)
{
	if (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)  // whoever has the lock may have written the row of this, too
		spi_run("WITH free AS MATERIALIZED (SELECT collection_id AS id FROM vectorizer.collection_stats WHERE collection_id = $1"
				" FOR UPDATE SKIP LOCKED) SELECT vectorizer.note_phase(id, NULL, 0) FROM free",
				{param(collection)});
	else
		spi_run("SELECT vectorizer.count_dynamic($1, false, $2), vectorizer.note_phase($1, NULL, 0)", {param(collection), param(error->message)});
}

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
	if (pass_begun_ != 0 || carried_ > 0)
		return 0;
	const TimestampTz due = told_ == 0 ? all_ : std::min(all_, told_);
	return std::max(due, not_before_);
}

void WrittenCollections::look(MemoryContext context, workspace::Notifier *notifier, TimestampTz deadline)
{
	const TimestampTz begun = GetCurrentTimestamp();
	Oid written[2 * kMostWritten];
	int count = std::exchange(carried_, 0);
	std::copy_n(carry_, count, written);
	Oid fresh[kMostWritten];
	const int told = take_written(fresh);
	told_ = 0;
	std::copy_n(fresh, std::min(told, kMostWritten), written + count);
	count += std::min(told, kMostWritten);
	if (pass_begun_ == 0 && (all_ <= begun || told > kMostWritten)) {
		pass_begun_ = begun;
		pass_from_ = 0;
	}
	begin_transaction();
	MemoryContext outer = MemoryContextSwitchTo(context);
	const std::span<const DynamicCollection> collections = dynamic_collections();
	MemoryContextSwitchTo(outer);
	commit_transaction();

	bool stopped = false;
	MemoryContext each_context = AllocSetContextCreate(context, "vectorizer collection", ALLOCSET_DEFAULT_SIZES);
	for (const DynamicCollection &each : collections) {
		const bool was_written = told > kMostWritten || std::find(written, written + count, each.table) != written + count;
		const bool in_pass = pass_begun_ != 0 && each.id >= pass_from_;
		if (!was_written && !in_pass)
			continue;
		Outcome outcome = Outcome::kStopped;
		if (!stopped) {
			outcome = look_at(each.id, {true, was_written, deadline, notifier}, each_context);
			MemoryContextReset(each_context);
			CHECK_FOR_INTERRUPTS();
			failed_ = failed_ || outcome == Outcome::kFailed;
			if (in_pass)
				pass_from_ = outcome == Outcome::kStopped ? each.id : each.id + 1;
			stopped = outcome == Outcome::kStopped || (deadline != 0 && GetCurrentTimestamp() > deadline);
		}
		if (outcome == Outcome::kStopped && was_written && carried_ < kMostWritten)
			carry_[carried_++] = each.table;
	}
	const bool left = carried_ > 0 || (pass_begun_ != 0 && !collections.empty() && collections.back().id >= pass_from_);
	MemoryContextReset(context);

	const TimestampTz now = GetCurrentTimestamp();
	worked_ += now - begun;
	if (stopped && left)
		return;
	if (pass_begun_ != 0)
		all_ = std::exchange(pass_begun_, 0) + kInterval;
	failures_ = failed_ ? std::min(failures_ + 1, 5) : 0;
	if (failed_)
		all_ = std::min(all_, now + (kRetry << (failures_ - 1)));
	failed_ = false;
	all_ = std::min(all_, std::exchange(again_, DT_NOEND));
	not_before_ = now + std::min<int64>(kRest * std::exchange(worked_, 0), kLongestRest);
}

WrittenCollections::Outcome WrittenCollections::look_at(int64 collection, const RefreshOptions &options, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	Outcome outcome = Outcome::kFailed;
	bound_lock_waits(true);
	const ErrorData *error = attempt_transaction([&] {
		const RefreshResult result = pg::refresh(collection, options, context);
		outcome = result.stopped ? Outcome::kStopped : Outcome::kDone;
		if (result.seconds > 0)
			again_ = std::min(again_, GetCurrentTimestamp() + result.seconds * USECS_PER_SEC);
	});
	unlock_projects();
	if (error != nullptr) {
		outcome = Outcome::kFailed;
		attempt_transaction([&] { note_failure(collection, error); });
	}
	bound_lock_waits(false);
	MemoryContextSwitchTo(caller);
	return outcome;
}

}  // namespace vectorizer::pg
