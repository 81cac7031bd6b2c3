#include "pg/embedder/answering.hpp"

#include "core/remote/retry.hpp"
#include "pg/boundary.hpp"
#include "pg/embedder/encoding.hpp"
#include "pg/embedder/interrupts.hpp"

extern "C" {
#include "common/pg_prng.h"
#include "utils/timestamp.h"
}

namespace vectorizer::pg {

namespace {

constexpr int kMostAsked = 32;        // of an endpoint, at a time
constexpr double kLongestPause = 10;  // seconds that queries are told what the last one met, unless the endpoint names a time

}  // namespace

bool Answering::take()
{
	bool any = false;
	while (take_query(query_)) {
		any = true;
		endpoints_.load();
		Served *served = endpoints_.find(query_.endpoint);
		if (served == nullptr) {
			endpoints_.expire();
			endpoints_.load();
			served = endpoints_.find(query_.endpoint);
		}
		if (served == nullptr)
			refuse_query(query_.id, "there is no such endpoint; it may be one that is not committed yet");
		else if (!served->trouble.empty())
			refuse_query(query_.id, served->trouble.c_str());
		else
			look_up(*served);
		serve_interrupts();
	}
	return any;
}

void Answering::look_up(Served &served)
{
	const std::string_view text = first_characters({query_.text, query_.length}, served.max_characters);
	const bool known = guard([&] {
		key_ = std::to_string(served.id).append(1, ':').append(std::to_string(served.version)).append(1, ':').append(text);
		const std::span<const float> embedding = cache_.find(key_);
		if (!embedding.empty())
			answer_query(query_.id, embedding);
		return !embedding.empty();
	});
	if (known)
		return;
	const auto same = std::ranges::find_if(requests_, [&](const auto &each) { return each.second.key == key_; });
	if (same != requests_.end()) {
		guard([&] { same->second.queries.push_back(query_.id); });
		return;
	}
	if (GetCurrentTimestamp() < served.queries_due()) {
		refuse_query(query_.id, served.query_trouble.c_str());
		return;
	}
	if (std::ranges::count_if(requests_, [&](const auto &each) { return each.second.endpoint == served.id; }) >= kMostAsked) {
		refuse_query(query_.id, "too many queries wait for it already");
		return;
	}
	guard([&] {
		const std::string_view texts[] = {text};
		Asked asked{served.id, served.version, key_, {query_.id}};
		requests_.emplace(client_.begin(served.queries, texts, told_to_end()), std::move(asked));
	});
}

bool Answering::finish(const remote::Finished &finished)
{
	const auto at = requests_.find(finished.request);
	if (at == requests_.end())
		return false;
	const Asked &asked = at->second;
	const remote::Answer &answer = finished.answer;
	const bool well = answer.outcome == remote::Outcome::kOk;
	const char *reason = well ? nullptr : from_utf8(answer.reason);
	for (const QueryId query : asked.queries) {
		if (well)
			answer_query(query, answer.values);
		else
			refuse_query(query, reason);
	}
	if (well)
		guard([&] { cache_.put(asked.key, answer.values); });
	// What it said before it was changed says nothing of it now.
	if (Served *served = endpoints_.find(asked.endpoint); served != nullptr && served->version == asked.version) {
		if (!well) {
			fail(*served, answer);
		}
		else {
			served->query_patience.succeeded();
			served->queries_not_before = 0;
			// It is there: rows need not wait until it is asked again for them, unless it has said so itself.
			served->not_before = std::min(served->not_before, GetCurrentTimestamp());
		}
	}
	requests_.erase(at);
	return true;
}

void Answering::fail(Served &served, const remote::Answer &answer)
{
	if (answer.outcome == remote::Outcome::kRefused && !remote::refuses_everything(answer))
		return;  // this query alone
	guard([&] { served.query_trouble = from_utf8(answer.reason); });
	const double delay = served.query_patience.failed(answer, 1, pg_prng_double(&pg_global_prng_state)).delay;
	const auto until = [now = GetCurrentTimestamp()](double seconds) { return now + static_cast<int64>(seconds * USECS_PER_SEC); };
	served.queries_not_before = until(std::min(delay, kLongestPause));
	if (answer.retry_after >= 0)
		served.server_says_queries = until(std::min(answer.retry_after, remote::kLongestServerDelay));
}

}  // namespace vectorizer::pg
