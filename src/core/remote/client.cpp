#include "core/remote/client.hpp"

#include "core/remote/http.hpp"
#include "core/remote/reason.hpp"
#include "core/remote/request.hpp"
#include "core/remote/resolve.hpp"
#include "core/remote/retry.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>

namespace vectorizer::remote {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kNamesLast = std::chrono::seconds(60);  // as long as libcurl's own
constexpr std::size_t kMostNames = 16;

int milliseconds_since(Clock::time_point start)
{
	return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count());
}

bool worth_a_retry(int status)
{
	return status == 408 || status == 425 || status == 429 || status >= 500;
}

/// The name's addresses as libcurl takes them.
std::string pinned(const Origin &origin, const std::vector<std::string> &addresses)
{
	std::string result = origin.host + ":" + std::to_string(origin.port) + ":";
	for (std::size_t i = 0; i < addresses.size(); ++i) {
		const bool six = addresses[i].find(':') != std::string::npos;
		result += (i > 0 ? "," : "") + (six ? "[" + addresses[i] + "]" : addresses[i]);
	}
	return result;
}

/// An answer with a status that is not a success, whatever became of its body.
Answer refusal(const Reply &reply)
{
	Answer answer;
	answer.outcome = worth_a_retry(reply.status) ? Outcome::kRetry : Outcome::kRefused;
	answer.reason = "HTTP " + std::to_string(reply.status);
	if (reply.status < 400 && !reply.location.empty())
		answer.reason += ": redirects to " + reply.location + "; redirects are not followed";
	else if (const std::string message = server_message(reply.body); !message.empty())
		answer.reason += ": " + message;
	return answer;
}

Answer failure(Outcome outcome, std::string reason)
{
	Answer answer;
	answer.outcome = outcome;
	answer.reason = std::move(reason);
	return answer;
}

Answer understood(const Reply &reply, const Endpoint &endpoint, std::size_t texts, Stop stop)
{
	if (reply.status >= 300)
		return refusal(reply);
	switch (reply.transport) {
		case Reply::Transport::kDone: break;
		case Reply::Transport::kTooLarge:
			return failure(Outcome::kWrong, "the answer has more than " + std::to_string(endpoint.max_response_bytes) + " bytes");
		case Reply::Transport::kNotHttp: return failure(Outcome::kWrong, "what answers is not HTTP: " + reply.error);
		case Reply::Transport::kFailed: return failure(Outcome::kRetry, reply.error);
	}
	if (reply.status < 200)
		return failure(Outcome::kWrong, "HTTP " + std::to_string(reply.status) + " is no answer");
	Answer answer = read_answer(reply.body, texts, endpoint.dimension, stop);
	// Some say what is wrong with a request in an answer that is a success by its status.
	if (answer.outcome == Outcome::kWrong) {
		if (const std::string message = server_message(reply.body); !message.empty())
			answer.reason += ": " + message;
	}
	return answer;
}

}  // namespace

struct Client::State {
	struct Name {
		std::vector<std::string> addresses;
		Clock::time_point since;
	};

	Http http;
	std::map<std::string, Name> names;

	/// Found lately, or now. A reason if there are none.
	Resolved addresses_of(const std::string &host, int timeout_ms, Stop stop)
	{
		const auto known = names.find(host);
		if (known != names.end() && Clock::now() - known->second.since < kNamesLast)
			return {known->second.addresses, {}};
		Resolved found = resolve(host, timeout_ms, stop);
		if (names.size() >= kMostNames)
			names.clear();
		if (found.addresses.empty())
			names.erase(host);
		else
			names[host] = {found.addresses, Clock::now()};
		return found;
	}

	Answer ask(const Endpoint &endpoint, std::span<const std::string_view> texts, Stop stop)
	{
		const Clock::time_point start = Clock::now();
		const Origin origin = origin_of(endpoint.url);
		Post post{endpoint.url, {}, endpoint.key, request_body(endpoint, texts), 0, 0, endpoint.max_response_bytes};
		if (!origin.numeric) {
			const Resolved found = addresses_of(origin.host, std::min(endpoint.connect_timeout_ms, endpoint.timeout_ms), stop);
			if (found.addresses.empty())
				return failure(Outcome::kRetry, found.reason);
			post.resolved = pinned(origin, found.addresses);
		}
		// What looking the name up took is part of both times. At least 1: for libcurl 0 is its own default.
		const int spent = milliseconds_since(start);
		post.connect_timeout_ms = std::max(1, endpoint.connect_timeout_ms - spent);
		post.timeout_ms = std::max(1, endpoint.timeout_ms - spent);
		const Reply reply = http.post(post, stop);
		if (!reply.connected)
			names.erase(origin.host);
		Answer answer = understood(reply, endpoint, texts.size(), stop);
		answer.status = reply.status;
		answer.retry_after = read_retry_after(reply.retry_after, std::time(nullptr));
		return answer;
	}
};

Client::Client() : state_(std::make_unique<State>()) {}

Client::~Client() = default;

Answer Client::embed(const Endpoint &endpoint, std::span<const std::string_view> texts, Stop stop)
{
	if (texts.empty())
		return failure(Outcome::kOk, {});
	Answer answer = state_->ask(endpoint, texts, stop);
	answer.reason = one_line(answer.reason, endpoint.key);
	return answer;
}

}  // namespace vectorizer::remote
