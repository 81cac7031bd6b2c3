#include "pg/embedder/answering.hpp"

#include "pg/boundary.hpp"
#include "pg/embedder/encoding.hpp"

extern "C" {
#include "common/pg_prng.h"
#include "utils/timestamp.h"
}

namespace vectorizer::pg {

namespace {

constexpr int kMostAsked = 16;         // of an endpoint, at a time
constexpr double kLongestPause = 10;   // seconds that queries are told what the last one met

}  // namespace

bool Answering::take()
{
	bool any = false;
	while (take_query(query_)) {
		any = true;
		endpoints_.load();
		Served *served = endpoints_.find(query_.endpoint);
		if (served == nullptr) {
			endpoints_.forget();
			endpoints_.load();
			served = endpoints_.find(query_.endpoint);
		}
		if (endpoints_.changes() != changes_)
			cache_.clear();
		changes_ = endpoints_.changes();
		if (served == nullptr)
			refuse_query(query_, "there is no such endpoint; it may be one that is not committed yet");
		else if (!served->trouble.empty())
			refuse_query(query_, served->trouble.c_str());
		else
			look_up(*served);
		CHECK_FOR_INTERRUPTS();
	}
	return any;
}

void Answering::look_up(Served &served)
{
	const std::string_view text = to_utf8(first_characters({query_.text, query_.length}, served.max_characters));
	const bool known = guard([&] {
		key_ = std::to_string(served.id).append(1, '\0').append(text);
		const std::span<const float> embedding = cache_.find(key_);
		if (!embedding.empty())
			answer_query(query_, embedding);
		return !embedding.empty();
	});
	if (known)
		return;
	if (GetCurrentTimestamp() < served.queries_not_before) {
		refuse_query(query_, served.query_trouble.c_str());
		return;
	}
	if (served.queries_running >= kMostAsked) {
		refuse_query(query_, "too many queries wait for it already");
		return;
	}
	guard([&] {
		auto asked = std::make_unique<Asked>(query_, key_);
		const std::string_view texts[] = {text};
		requests_.emplace(client_.begin(served.queries, texts, interrupt_pending()), std::move(asked));
	});
	++served.queries_running;
}

bool Answering::finish(const remote::Finished &finished, bool *well)
{
	const auto at = requests_.find(finished.request);
	if (at == requests_.end())
		return false;
	const Asked &asked = *at->second;
	endpoint_ = asked.query.endpoint;
	Served *served = endpoints_.find(endpoint_);
	if (served != nullptr)
		--served->queries_running;
	*well = finished.answer.outcome == remote::Outcome::kOk;
	if (*well) {
		answer_query(asked.query, finished.answer.values);
		guard([&] { cache_.put(asked.key, finished.answer.values); });
		if (served != nullptr) {
			served->query_patience.succeeded();
			served->queries_not_before = 0;
		}
	}
	else {
		refuse_query(asked.query, from_utf8(finished.answer.reason));
		if (served != nullptr)
			fail(*served, finished.answer);
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
	served.queries_not_before = GetCurrentTimestamp() + static_cast<int64>(std::min(delay, kLongestPause) * USECS_PER_SEC);
}

}  // namespace vectorizer::pg
