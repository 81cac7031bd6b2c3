#include "pg/embedder/asking.hpp"

#include "core/remote/batches.hpp"
#include "pg/boundary.hpp"
#include "pg/embedder/attempt.hpp"
#include "pg/embedder/encoding.hpp"
#include "pg/workspace/registry.hpp"

extern "C" {
#include "commands/extension.h"
#include "common/pg_prng.h"
}

namespace vectorizer::pg {

namespace {

constexpr int64 kBusyPause = 200'000;                   // until another attempt at a table that is locked
constexpr int64 kBusyPatience = 10 * USECS_PER_MINUTE;  // after which the rows are asked for anew
constexpr int64 kErrorPause = 10 * USECS_PER_SEC;       // after an error in a collection
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
	int64 due = kNever;
	for (const auto &[number, request] : requests_) {
		if (request.answered != 0)
			due = std::min(due, request.not_before);
	}
	for (const Pass &each : passes_) {
		const Served *served = each.active ? endpoints_.find(each.of.endpoint) : nullptr;
		if (served == nullptr)
			continue;
		// What waits for a request that runs is due when that ends.
		if (!served->trouble.empty())
			due = std::min(due, served->not_before);
		else if (each.exhausted ? each.running == 0 : served->running < served->max_requests)
			due = std::min(due, std::max(each.not_before, each.exhausted ? int64{0} : served->not_before));
	}
	return due;
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
	const char *error = attempt_transaction([&] {
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
	if (error != nullptr)
		passes_.clear();
	return true;
}

bool AskingForRows::ask_for_one()
{
	if (std::ranges::none_of(passes_, &Pass::active))
		return false;
	endpoints_.load();
	const TimestampTz now = GetCurrentTimestamp();
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
		pass.active = false;
		return true;
	}
	if (!served->trouble.empty()) {
		be_in_trouble(*served, now);
		return false;
	}
	if (pass.exhausted && pass.running == 0) {
		end(pass);
		return true;
	}
	return !pass.exhausted && served->running < served->max_requests && now >= served->not_before && ask(pass, *served);
}

/// Asks for the next rows, if there are any.
bool AskingForRows::ask(Pass &pass, Served &served)
{
	taken_.clear();
	texts_.clear();
	const char *error = attempt_transaction([&] {
		pass.counted = pass.counted || count_waiting(pass.of);
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
		request.collection = pass.of;
		request.rows = std::move(taken_);
		const std::vector<std::string_view> texts(texts_.begin(), texts_.end());
		requests_.emplace(client_.begin(served.documents, texts, interrupt_pending()), std::move(request));
	});
	++served.running;
	++pass.running;
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
	if (waiting.rows.empty())
		return;
	guard([&] {
		std::vector<std::string_view> texts;
		for (const WaitingRow &row : waiting.rows)
			texts.push_back(row.text);
		const std::size_t count = remote::cut_batches(served.documents, texts).front().count;
		for (const WaitingRow &row : waiting.rows.first(count)) {
			taken_.push_back({row.id, row.heading.data() != nullptr, std::string(row.heading), std::string(row.hash)});
			texts_.emplace_back(row.text);
		}
		if (count < waiting.rows.size()) {
			pass.after = waiting.rows[count - 1].id;
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
	if (const char *error = attempt_transaction([&] { count_waiting(pass.of); }))
		give_up_for_now(pass, error);
	else if (pass.of.beside)
		want_watcher(MyDatabaseId);  // who puts it in the place of what is in force
}

/// After an error that is the collection's own, which others should not meet again and again.
void AskingForRows::give_up_for_now(Pass &pass, const char *error)
{
	attempt_transaction([&] { note_trouble(pass.of, error); });
	pass.not_before = GetCurrentTimestamp() + kErrorPause;
	pass.active = pass.exhausted = pass.again = true;
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
		if (Served *served = endpoints_.find(request.endpoint))
			--served->running;
		if (Pass *pass = find(request.collection))
			--pass->running;
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
	const char *error = attempt_transaction([&] {
		const std::span<const AskedRow> rows = asked_rows(request);
		auto *given = static_cast<bool *>(palloc(rows.size() + 1));
		for (std::size_t i = 0; i < rows.size(); ++i)
			given[i] = request.answer.given[i];
		result = store_embeddings(request.collection, served.documents.dimension, rows, request.answer.values.data(), given, &stored);
		if (result == Stored::kDone)
			note_success(served.id, stored);
	});
	if (error != nullptr) {
		give_up_for_now(pass, error);
		return true;
	}
	if (result == Stored::kBusy && GetCurrentTimestamp() - request.answered < kBusyPatience)
		return false;
	served.patience.succeeded();
	pass.again = pass.again || stored > 0 || result == Stored::kBusy;
	return true;
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
	const remote::Patience::Verdict verdict =
		served.patience.failed(request.answer, request.rows.size(), pg_prng_double(&pg_global_prng_state));
	served.not_before = GetCurrentTimestamp() + static_cast<int64>(verdict.delay * USECS_PER_SEC);
	if (request.answer.outcome == remote::Outcome::kRefused && remote::refuses_everything(request.answer))
		endpoints_.expire();  // there may be another key by then
	pass.exhausted = pass.again = true;
	const char *reason = from_utf8(request.answer.reason);
	attempt_transaction([&] {
		note_failure(served.id, served.patience.failures(), served.not_before, reason);
		if (verdict.blames)
			note_refusal(request.collection, asked_rows(request)[0], reason);
	});
}

}  // namespace vectorizer::pg
