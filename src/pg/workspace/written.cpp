#include "pg/workspace/written.hpp"

#include "pg/collection/collection.hpp"
#include "pg/collection/refresh.hpp"
#include "pg/collection/spi.hpp"
#include "pg/workspace/project.hpp"
#include "pg/workspace/transaction.hpp"

namespace vectorizer::pg {

namespace {

constexpr int64 kDebounce = USECS_PER_SEC;             // from the first write to a look
constexpr int64 kInterval = 5 * 60 * USECS_PER_SEC;    // between looks at all: of what was prepared, or written while nobody ran
constexpr int64 kRetry = 10 * USECS_PER_SEC;           // after a look that failed
constexpr int kRest = 2;                               // times as long as a look took, until the next
constexpr int64 kLongestRest = 10 * USECS_PER_SEC;

}  // namespace

void WrittenCollections::hear()
{
	Oid tables[kMostWritten];
	const int heard = take_written(tables);
	for (int i = 0; i < std::min(heard, kMostWritten); ++i) {
		if (std::find(tables_, tables_ + std::min(count_, kMostWritten), tables[i]) != tables_ + std::min(count_, kMostWritten))
			continue;
		if (count_ < kMostWritten)
			tables_[count_] = tables[i];
		count_ = std::min(count_ + 1, kMostWritten + 1);
	}
	if (heard > kMostWritten)
		count_ = heard;
	if (heard > 0 && told_ == 0)
		told_ = GetCurrentTimestamp() + kDebounce;
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

void WrittenCollections::look(MemoryContext context)
{
	const TimestampTz begun = GetCurrentTimestamp();
	const bool all = all_ <= begun || count_ > kMostWritten;
	const int count = std::exchange(count_, 0);
	told_ = 0;
	begin_transaction();
	MemoryContext outer = MemoryContextSwitchTo(context);
	const std::span<const DynamicCollection> collections = dynamic_collections();
	MemoryContextSwitchTo(outer);
	commit_transaction();
	if (all)
		all_ = begun + kInterval;
	MemoryContext each_context = AllocSetContextCreate(context, "vectorizer collection", ALLOCSET_DEFAULT_SIZES);
	for (const DynamicCollection &each : collections) {
		if (all || std::find(tables_, tables_ + count, each.table) != tables_ + count)
			look_at(each.id, each_context);
		MemoryContextReset(each_context);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextReset(context);
	const TimestampTz now = GetCurrentTimestamp();
	not_before_ = now + std::min<int64>(kRest * (now - begun), kLongestRest);
}

void WrittenCollections::look_at(int64 collection, MemoryContext context)
{
	MemoryContext caller = CurrentMemoryContext;
	PG_TRY();
	{
		begin_transaction();
		pg::refresh(collection, true, context);
		commit_transaction();
		unlock_projects();
	}
	PG_CATCH();
	{
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
			spi_run("SELECT vectorizer.count_dynamic($1, $2)", {param(collection), param(error->message)});
			commit_transaction();
		}
		all_ = std::min(all_, GetCurrentTimestamp() + kRetry);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
}

}  // namespace vectorizer::pg
