#include "pg/embedder/asking.hpp"

#include "core/remote/batches.hpp"
#include "core/remote/retry.hpp"
#include "pg/boundary.hpp"
#include "pg/embedder/encoding.hpp"
#include "pg/embedder/interrupts.hpp"
#include "pg/embedder/refused.hpp"
#include "pg/workspace/registry.hpp"
#include "pg/workspace/subtransaction.hpp"
#include "pg/workspace/transaction.hpp"

extern "C" {
#include "commands/extension.h"
#include "common/pg_prng.h"
}

namespace vectorizer::pg {

namespace {

constexpr int64 kBusyPause = 200'000;                   // until another attempt at a table that is locked
constexpr int64 kBusyPatience = 10 * USECS_PER_MINUTE;  // after which the rows are asked for anew
constexpr int64 kErrorPause = 10 * USECS_PER_SEC;       // after an error in a collection, twice as long each time
constexpr int kMostDoublings = 5;
constexpr int64 kTroublePause = USECS_PER_MINUTE;       // between notes that an endpoint may not be asked

}  // namespace

void AskingForRows::Pass::begin()
{
	active = true;
	counted = exhausted = again = false;
	after = PG_INT64_MIN;
}

bool AskingForRows::step()
{
	return look_which() || store_one() || ask_for_one();
}

bool AskingForRows::finish(remote::Finished &finished)
{
	const auto at = requests_.find(finished.request);
	if (at == requests_.end())
		return false;
	at->second.answer = std::move(finished.answer);
	at->second.answered = GetCurrentTimestamp();
	return true;
}

int64 AskingForRows::due()
{
	int64 due = list_ ? 0 : kNever;
	for (const auto &[number, request] : requests_) {
		if (request.answered != 0)
			due = std::min(due, request.not_before);
	}
	for (const Pass &each : passes_) {
		if (!each.active) {
			due = std::min(due, each.retry_at == 0 ? kNever : each.retry_at);
			continue;
		}
		const Served *served = endpoints_.find(each.of.endpoint);
		if (served == nullptr)
			due = std::min(due, each.not_before);
		else if (!served->trouble.empty())
			due = std::min(due, served->not_before);
		else if (each.exhausted && !any_of(each.of))
			due = std::min(due, each.not_before);
		else if (may_take(each, *served))  // else it is when a request that runs has ended
			due = std::min(due, std::max(each.not_before, served->rows_due()));
	}
	return due;
}

/// Requests of an endpoint that run.
int AskingForRows::asked_of(int64 endpoint) const
{
	return static_cast<int>(std::ranges::count_if(
		requests_, [&](const auto &each) { return each.second.endpoint == endpoint && each.second.answered == 0; }));
}

/// Whether there is a request of a collection, running or with an answer that is not stored yet.
bool AskingForRows::any_of(const AskedCollection &of) const
{
	return std::ranges::any_of(requests_, [&](const auto &each) { return each.second.collection == of; });
}

bool AskingForRows::unstored_of(const AskedCollection &of) const
{
	return std::ranges::any_of(requests_, [&](const auto &each) { return each.second.collection == of && each.second.answered != 0; });
}

/// Whether more rows of a collection may be asked for, now or when its endpoint is due.
bool AskingForRows::may_take(const Pass &pass, const Served &served) const
{
	return !pass.exhausted && asked_of(served.id) < served.max_requests && !unstored_of(pass.of);
}

bool AskingForRows::idle() const
{
	return requests_.empty() && std::ranges::none_of(passes_, &Pass::active);
}

bool AskingForRows::running() const
{
	return std::ranges::any_of(requests_, [](const auto &each) { return each.second.answered == 0; });
}

AskingForRows::Pass *AskingForRows::find(const AskedCollection &of)
{
	const auto at = std::ranges::find(passes_, of, &Pass::of);
	return at == passes_.end() ? nullptr : &*at;
}

bool AskingForRows::look_which()
{
	if (!list_)
		return false;
	list_ = false;
	const ErrorData *error = attempt_transaction([&] {
		const std::span<const AskedCollection> found =
			OidIsValid(get_extension_oid("vectorizer", true)) ? asked_collections() : std::span<const AskedCollection>{};
		guard([&] {
			std::vector<Pass> fresh;
			for (const AskedCollection &of : found) {
				const Pass *old = find(of);
				Pass each = old != nullptr ? *old : Pass{of};
				if (each.active)
					each.again = true;
				else
					each.begin();
				fresh.push_back(each);
			}
			passes_.swap(fresh);
		});
	});
	list_ = error != nullptr && is_busy(error);
	return error == nullptr;
}

bool AskingForRows::ask_for_one()
{
	const TimestampTz now = GetCurrentTimestamp();
	for (Pass &each : passes_) {
		if (!each.active && each.retry_at != 0 && now >= each.retry_at)
			each.begin();
	}
	if (std::ranges::none_of(passes_, &Pass::active))
		return false;
	endpoints_.load();
	for (std::size_t i = 0; i < passes_.size(); ++i) {
		turn_ = (turn_ + 1) % passes_.size();
		if (look_at(passes_[turn_], now))
			return true;
	}
	return false;
}

/// Whether there was something to do in it.
bool AskingForRows::look_at(Pass &pass, TimestampTz now)
{
	if (!pass.active || now < pass.not_before)
		return false;
	Served *served = endpoints_.find(pass.of.endpoint);
	if (served == nullptr) {
		pass.active = !endpoints_.known();
		pass.not_before = now + kErrorPause;
		return !pass.active;
	}
	if (!served->trouble.empty()) {
		be_in_trouble(*served, now);
		return false;
	}
	if (pass.exhausted && !any_of(pass.of)) {
		end(pass);
		return true;
	}
	return may_take(pass, *served) && now >= served->rows_due() && ask(pass, *served);
}

/// Asks for the next rows, if there are any.
bool AskingForRows::ask(Pass &pass, Served &served)
{
	taken_.clear();
	texts_.clear();
	const ErrorData *error = attempt_transaction([&] {
		if (!pass.counted) {
			pass.counted = count_waiting(pass.of);
			prune_refused(pass.of);
		}
		take(pass, served);
	});
	if (error != nullptr) {
		give_up_for_now(pass, error);
		return true;
	}
	if (taken_.empty())
		return true;
	guard([&] {
		Request request;
		request.endpoint = served.id;
		request.version = served.version;
		request.collection = pass.of;
		request.rows = std::move(taken_);
		request.begun = GetCurrentTimestamp();
		const std::vector<std::string_view> texts(texts_.begin(), texts_.end());
		requests_.emplace(client_.begin(served.documents, texts, told_to_end()), std::move(request));
	});
	return true;
}

/// The next rows of a collection, as many as are one request.
void AskingForRows::take(Pass &pass, const Served &served)
{
	const WaitingRows waiting = waiting_rows(pass.of, pass.after, served.patience.batch(), served.max_characters);
	if (waiting.busy)
		pass.not_before = GetCurrentTimestamp() + kBusyPause;
	pass.exhausted = !waiting.more;
	pass.after = waiting.last;
	const BlankRows blank = store_blank(pass.of, served.documents.dimension, waiting.rows);
	pass.news = pass.news || blank.stored > 0;
	if (blank.outcome == Stored::kBusy) {
		pass.again = true;
		pass.not_before = GetCurrentTimestamp() + kBusyPause;
	}
	const std::span<const WaitingRow> rows = blank.others;
	if (rows.empty())
		return;
	guard([&] {
		std::vector<std::string_view> texts;
		for (const WaitingRow &row : rows)
			texts.push_back(row.text);
		const std::size_t count = remote::cut_batches(served.documents, texts).front().count;
		for (const WaitingRow &row : rows.first(count)) {
			taken_.push_back({row.id, row.heading.data() != nullptr, std::string(row.heading), std::string(row.hash)});
			texts_.emplace_back(row.text);
		}
		if (count < rows.size()) {
			pass.after = rows[count - 1].id;
			pass.exhausted = false;
		}
	});
}

void AskingForRows::end(Pass &pass)
{
	if (pass.again) {
		pass.begin();
		return;
	}
	pass.active = false;
	const ErrorData *error = attempt_transaction([&] {
		count_waiting(pass.of);
		prune_refused(pass.of);
		pass.retry_at = next_refused(pass.of.id, pass.of.endpoint);
		if (pass.news && pass.of.beside)
			have_looked_at(pass.of);
	});
	if (pass.retry_at != 0)  // not at once, should it be due: there was nothing to ask for just now
		pass.retry_at = std::max(pass.retry_at, GetCurrentTimestamp() + kErrorPause);
	if (error != nullptr)
		give_up_for_now(pass, error);
	else if (std::exchange(pass.news, false) && pass.of.beside)
		want_watcher(MyDatabaseId);  // who puts it in the place of what is in force
}

/// After an error that is the collection's own, which others should not meet again and again.
void AskingForRows::give_up_for_now(Pass &pass, const ErrorData *error)
{
	pass.active = pass.exhausted = pass.again = true;
	if (is_busy(error)) {
		pass.not_before = GetCurrentTimestamp() + kBusyPause;
		return;
	}
	attempt_transaction([&] { note_trouble(pass.of, error->message); });
	pass.not_before = GetCurrentTimestamp() + (kErrorPause << std::min(pass.errors++, kMostDoublings));
}

void AskingForRows::be_in_trouble(Served &served, TimestampTz now)
{
	if (now < served.not_before)
		return;
	served.not_before = now + kTroublePause;
	attempt_transaction([&] { note_failure(served.id, 1, served.not_before, served.trouble.c_str()); });
}

bool AskingForRows::store_one()
{
	const TimestampTz now = GetCurrentTimestamp();
	for (auto at = requests_.begin(); at != requests_.end(); ++at) {
		Request &request = at->second;
		if (request.answered == 0 || now < request.not_before)
			continue;
		if (!settle(request)) {
			request.not_before = GetCurrentTimestamp() + kBusyPause;
			continue;
		}
		requests_.erase(at);
		return true;
	}
	return false;
}

/// False: it has to be tried again.
bool AskingForRows::settle(Request &request)
{
	Served *served = endpoints_.find(request.endpoint);
	Pass *pass = find(request.collection);
	if (served == nullptr || pass == nullptr)
		return true;
	const remote::Outcome outcome = request.answer.outcome;
	if (outcome == remote::Outcome::kOk || outcome == remote::Outcome::kPartial)
		return store(request, *served, *pass);
	fail(request, *served, *pass);
	return true;
}

bool AskingForRows::store(Request &request, Served &served, Pass &pass)
{
	int64 stored = 0;
	Stored result = Stored::kGone;
	const auto attempt = [&](bool one_by_one) {
		return attempt_transaction([&] {
			const std::span<const AskedRow> rows = asked_rows(request);
			auto *given = static_cast<bool *>(palloc(rows.size() + 1));
			for (std::size_t i = 0; i < rows.size(); ++i)
				given[i] = request.answer.given[i];
			result = store_embeddings(request.collection, served.documents.dimension, rows, request.answer.values.data(), given, one_by_one,
									  &stored);
		});
	};
	const ErrorData *error = attempt(false);
	if (error != nullptr && !is_busy(error) && !fails_everything(error))
		error = attempt(true);
	if (error != nullptr && !is_busy(error) && !fails_everything(error)) {
		give_up_for_now(pass, error);
		return true;
	}
	if (error == nullptr && (stored > 0 || result == Stored::kDone))
		succeed(request, served, pass, stored);
	// What has come is kept for as long as it makes sense: it may have cost something.
	const bool busy = error != nullptr || result == Stored::kBusy;
	pass.again = pass.again || busy;
	return !busy || GetCurrentTimestamp() - request.answered > kBusyPatience;
}

/// Something has come of it, and is stored.
void AskingForRows::succeed(const Request &request, Served &served, Pass &pass, int64 stored)
{
	const bool outage = std::exchange(served.outage, false);
	attempt_transaction([&] {
		note_success(request.collection, stored);
		if (outage)
			forgive(served.id);
	});
	served.patience.succeeded();
	served.queries_not_before = 0;
	pass.errors = 0;
	pass.news = true;
	pass.again = pass.again || stored > 0;
	list_ = list_ || outage;
}

std::span<const AskedRow> AskingForRows::asked_rows(const Request &request)
{
	auto *rows = static_cast<AskedRow *>(palloc(sizeof(AskedRow) * (request.rows.size() + 1)));
	for (std::size_t i = 0; i < request.rows.size(); ++i) {
		const Row &row = request.rows[i];
		rows[i] = {row.id, row.has_heading ? std::string_view(row.heading) : std::string_view(), row.hash};
	}
	return {rows, request.rows.size()};
}

/// Nothing came of a request. Its rows are asked for again: perhaps fewer at a time, in any case not at once.
void AskingForRows::fail(const Request &request, Served &served, Pass &pass)
{
	const TimestampTz now = GetCurrentTimestamp();
	pass.exhausted = pass.again = true;
	if (request.version != served.version)
		return;  // it was changed meanwhile
	if (request.answer.retry_after >= 0)
		served.server_says = std::max(served.server_says,
									  now + static_cast<int64>(std::min(request.answer.retry_after, remote::kLongestServerDelay) * USECS_PER_SEC));
	if (request.begun <= served.failed_at)
		return;
	const remote::Patience::Verdict verdict =
		served.patience.failed(request.answer, request.rows.size(), pg_prng_double(&pg_global_prng_state));
	served.failed_at = now;
	pass.news = pass.news || verdict.blames;
	served.outage = served.outage || request.answer.outcome != remote::Outcome::kRefused;
	served.not_before = now + static_cast<int64>(verdict.delay * USECS_PER_SEC);
	if (request.answer.outcome == remote::Outcome::kRefused && remote::refuses_everything(request.answer))
		endpoints_.expire();  // there may be another key by then
	const char *reason = from_utf8(request.answer.reason);
	attempt_transaction([&] {
		note_failure(served.id, served.patience.failures(), served.rows_due(), reason);
		if (verdict.blames)
			note_refusal(request.collection.id, served.id, {request.rows[0].id, request.rows[0].hash}, reason);
	});
}

}  // namespace vectorizer::pg
