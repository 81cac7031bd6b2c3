#include "pg/embedder/queries.hpp"

#include "pg/embedder/encoding.hpp"
#include "pg/embedder/wishes.hpp"
#include "pg/shared.hpp"
#include "pg/workspace/registry.hpp"

extern "C" {
#include "mb/pg_wchar.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
}

namespace vectorizer::pg {

namespace {

constexpr int kMostQueries = 128;      // that wait at a time, in the cluster; 80 kB each
constexpr int kMostOfOne = 96;         // of them of one database
constexpr int kMostDimensions = 16000;
constexpr int kMostReasonBytes = 1024;
constexpr long kFullMilliseconds = 10;  // between looks for a free slot
constexpr long kLookMilliseconds = 1000;  // between looks whether the embedder is still there

enum class State { kFree, kAsked, kTaken, kAnswered, kRefused };

struct QuerySlot {
	State state;
	Oid database;
	int64 endpoint;
	uint64 ticket;
	Latch *latch;  // of who waits; it frees the slot before it ends
	int taker;     // the embedder's process id, once it is taken
	int32 length;
	int32 dimension;
	char reason[kMostReasonBytes];
	char text[kMostQueryBytes];
	float embedding[kMostDimensions];
};

struct Queries {
	LWLock *lock;
	uint64 tickets;  // handed out
	QuerySlot slots[kMostQueries];
};

constinit Queries *queries = nullptr;
constinit int embed_timeout = 10000;
constinit int my_slot = -1;  // that this backend waits for

/// Runs f under the lock. f must not raise.
template <typename Function>
void locked(Function &&f)
{
	LWLockAcquire(queries->lock, LW_EXCLUSIVE);
	f();
	LWLockRelease(queries->lock);
}

void release_slot(int, Datum)
{
	if (my_slot < 0)
		return;
	locked([] { queries->slots[my_slot].state = State::kFree; });
	my_slot = -1;
}

/// Whether there was a slot for the query.
bool ask(int64 endpoint, int32 dimension, std::string_view text)
{
	locked([&] {
		const auto ours = std::ranges::count_if(
			queries->slots, [](const QuerySlot &slot) { return slot.state != State::kFree && slot.database == MyDatabaseId; });
		for (int i = 0; ours < kMostOfOne && i < kMostQueries && my_slot < 0; ++i) {
			QuerySlot &slot = queries->slots[i];
			if (slot.state != State::kFree)
				continue;
			slot.state = State::kAsked;
			slot.database = MyDatabaseId;
			slot.endpoint = endpoint;
			slot.ticket = ++queries->tickets;
			slot.latch = MyLatch;
			slot.length = static_cast<int32>(text.size());
			slot.dimension = dimension;
			memcpy(slot.text, text.data(), text.size());
			my_slot = i;
		}
	});
	return my_slot >= 0;
}

bool is_open()
{
	bool open = false;
	locked([&] {
		const State state = queries->slots[my_slot].state;
		open = state == State::kAsked || state == State::kTaken;
	});
	return open;
}

/// Until an answer or the deadline.
void wait_for_answer(int64 endpoint, int32 dimension, std::string_view text, TimestampTz deadline)
{
	for (;;) {
		CHECK_FOR_INTERRUPTS();
		const bool fresh = my_slot < 0;
		const bool asked = !fresh || ask(endpoint, dimension, text);
		if (asked && !is_open())
			return;
		const long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
		if (left <= 0)
			return;
		// Also now and then, should an embedder have ended that knew of it.
		if (asked)
			want_embedder(EmbedderWish::kQuery);
		WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, std::min(left, asked ? kLookMilliseconds : kFullMilliseconds),
				  PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}

/// The slot that still is this query's; null if nobody waits for it. REQUIRES: the lock.
QuerySlot *slot_of(QueryId query)
{
	QuerySlot &slot = queries->slots[query.slot];
	return slot.ticket == query.ticket && slot.state == State::kTaken ? &slot : nullptr;
}

void refuse(QuerySlot &slot, const char *reason)
{
	const auto length = static_cast<std::size_t>(pg_mbcliplen(reason, static_cast<int>(strlen(reason)), kMostReasonBytes - 1));
	memcpy(slot.reason, reason, length);
	slot.reason[length] = '\0';
	slot.state = State::kRefused;
	SetLatch(slot.latch);
}

}  // namespace

void init_queries()
{
	DefineCustomIntVariable("vectorizer.embed_timeout", "How long a query waits for its embedding by an endpoint.", nullptr, &embed_timeout,
							10000, 10, 600000, PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
	if (!process_shared_preload_libraries_in_progress)
		return;
	Shared<Queries>::reserve("vectorizer queries", queries);
}

Vector *embed_query(int64 endpoint, int32 dimension, std::string_view text, const char **reason)
{
	*reason = nullptr;
	if (!registry_exists()) {
		*reason = "no background process can ask: vectorizer is not among shared_preload_libraries";
		return nullptr;
	}
	text = to_utf8(text);  // here, where there is a transaction
	if (text.size() > kMostQueryBytes) {
		*reason = psprintf("a query of %zu bytes is too long: it has at most %zu", text.size(), kMostQueryBytes);
		return nullptr;
	}
	const TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), embed_timeout);
	Vector *result = make_vector(dimension);
	char *said = static_cast<char *>(palloc(kMostReasonBytes));
	State state = State::kFree;
	PG_ENSURE_ERROR_CLEANUP(release_slot, Datum{0});
	{
		wait_for_answer(endpoint, dimension, text, deadline);
	}
	PG_END_ENSURE_ERROR_CLEANUP(release_slot, Datum{0});
	const bool asked = my_slot >= 0;
	if (asked)
		locked([&] {
			const QuerySlot &slot = queries->slots[my_slot];
			state = slot.state;
			memcpy(said, slot.reason, kMostReasonBytes);
			if (state == State::kAnswered)
				memcpy(result->x, slot.embedding, sizeof(float) * static_cast<std::size_t>(dimension));
		});
	release_slot(0, Datum{0});
	if (state == State::kAnswered)
		return result;
	if (state == State::kRefused)
		*reason = said;
	else if (!asked)
		*reason = psprintf("no place to wait came free within %d ms: too many queries wait already", embed_timeout);
	else
		*reason = psprintf("no answer within %d ms; the embedder: %s", embed_timeout, embedder_state());
	return nullptr;
}

const char *visible_reason(const char *reason)
{
	const Oid administrators = get_role_oid("vectorizer_admin", true);
	return OidIsValid(administrators) && has_privs_of_role(GetUserId(), administrators)
			   ? reason
			   : "Members of vectorizer_admin are told why.";
}

void raise_no_embedding(const char *endpoint, const char *reason)
{
	ereport(ERROR, (errcode(kErrNoEmbedding), errmsg("endpoint \"%s\" gave no embedding", endpoint), errdetail("%s", visible_reason(reason)),
					errhint("vectorizer.models shows its state; searches in mode 'text' need no embedding.")));
	pg_unreachable();
}

bool take_query(Query &query)
{
	QuerySlot *oldest = nullptr;
	locked([&] {
		for (QuerySlot &slot : queries->slots) {
			if (slot.state == State::kAsked && slot.database == MyDatabaseId && (oldest == nullptr || slot.ticket < oldest->ticket))
				oldest = &slot;
		}
		if (oldest == nullptr)
			return;
		oldest->state = State::kTaken;
		oldest->taker = MyProcPid;
		query.id = {static_cast<int>(oldest - queries->slots), oldest->ticket};
		query.endpoint = oldest->endpoint;
		query.length = static_cast<std::size_t>(oldest->length);
		memcpy(query.text, oldest->text, query.length);
	});
	return oldest != nullptr;
}

void answer_query(QueryId query, std::span<const float> embedding)
{
	locked([&] {
		QuerySlot *slot = slot_of(query);
		if (slot == nullptr)
			return;
		if (embedding.size() != static_cast<std::size_t>(slot->dimension)) {
			refuse(*slot, "the endpoint's dimension is not the collection's");
			return;
		}
		memcpy(slot->embedding, embedding.data(), embedding.size_bytes());
		slot->state = State::kAnswered;
		SetLatch(slot->latch);
	});
}

void refuse_query(QueryId query, const char *reason)
{
	locked([&] {
		if (QuerySlot *slot = slot_of(query))
			refuse(*slot, reason);
	});
}

void refuse_queries(const char *reason)
{
	locked([&] {
		for (QuerySlot &slot : queries->slots) {
			if (slot.taker == MyProcPid && slot.state == State::kTaken)
				refuse(slot, reason);
		}
	});
}

}  // namespace vectorizer::pg
