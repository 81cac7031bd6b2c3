#include "core/remote/client.hpp"

#include "core/error.hpp"
#include "core/remote/reason.hpp"
#include "core/remote/request.hpp"
#include "core/remote/resolve.hpp"
#include "core/remote/retry.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <new>
#include <optional>
#include <utility>

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

	struct Request {
		Endpoint endpoint;
		std::size_t texts = 0;
		std::string host;              // empty where it is an address
		std::optional<Reply> reply;    // that is to be read
		std::optional<Answer> answer; // that is to be handed out
	};

	Http http;
	std::map<std::string, Name> names;
	std::map<std::uint64_t, Request> requests;
	std::uint64_t last = 0;

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

	/// What to send; or an answer in `request`, if that has come to nothing already.
	Post prepare(Request &request, std::span<const std::string_view> texts, Stop stop)
	{
		const Endpoint &endpoint = request.endpoint;
		const Clock::time_point start = Clock::now();
		const Origin origin = origin_of(endpoint.url);
		Post post{endpoint.url, {}, endpoint.key, request_body(endpoint, texts), 0, 0, endpoint.max_response_bytes};
		if (!origin.numeric) {
			const Resolved found = addresses_of(origin.host, std::min(endpoint.connect_timeout_ms, endpoint.timeout_ms), stop);
			if (found.addresses.empty())
				request.answer = failure(Outcome::kRetry, one_line(found.reason, endpoint.key));
			post.resolved = pinned(origin, found.addresses);
			request.host = origin.host;
		}
		// What looking the name up took is part of both times. At least 1: for libcurl 0 is its own default.
		const int spent = milliseconds_since(start);
		post.connect_timeout_ms = std::max(1, endpoint.connect_timeout_ms - spent);
		post.timeout_ms = std::max(1, endpoint.timeout_ms - spent);
		return post;
	}

	std::uint64_t begin(const Endpoint &endpoint, std::span<const std::string_view> texts, Stop stop)
	{
		Request request{endpoint, texts.size(), {}, {}, {}};
		Post post;
		if (texts.empty())
			request.answer = failure(Outcome::kOk, {});
		else
			post = prepare(request, texts, stop);
		const std::uint64_t number = last + 1;
		const auto added = requests.emplace(number, std::move(request)).first;
		try {
			if (!added->second.answer)
				http.begin(number, std::move(post));
		}
		catch (...) {
			requests.erase(added);
			throw;
		}
		return last = number;
	}

	/// Makes an answer of a reply.
	void read(Request &request, Stop stop)
	{
		const Reply &reply = *request.reply;
		if (!reply.connected)
			names.erase(request.host);
		Answer answer;
		try {
			answer = understood(reply, request.endpoint, request.texts, stop);
		}
		catch (const std::bad_alloc &) {
			// Thrown, it would come again with every call, and stand in the way of the others.
			answer = failure(Outcome::kRetry, "there is not enough memory to read the answer");
		}
		answer.status = reply.status;
		answer.retry_after = read_retry_after(reply.retry_after, std::time(nullptr));
		answer.reason = one_line(answer.reason, request.endpoint.key);
		request.answer = std::move(answer);
		request.reply.reset();
	}

	/// Nothing is taken from a request before there is a place for it: what throws here loses nothing.
	std::vector<Finished> advance(Stop stop)
	{
		http.advance();
		while (std::optional<Http::Ended> ended = http.take())
			requests.at(ended->number).reply = std::move(ended->reply);
		std::size_t answers = 0;
		for (auto &[number, request] : requests) {
			if (request.reply && stop())
				throw Error(Errc::kCancelled, "waiting for embeddings was canceled");
			if (request.reply)
				read(request, stop);
			answers += request.answer.has_value();
		}
		std::vector<Finished> finished;
		finished.reserve(answers);
		std::erase_if(requests, [&](auto &each) {
			if (each.second.answer)
				finished.push_back({each.first, std::move(*each.second.answer)});
			return each.second.answer.has_value();
		});
		return finished;
	}
};

Client::Client() : state_(std::make_unique<State>()) {}

Client::~Client() = default;

std::uint64_t Client::begin(const Endpoint &endpoint, std::span<const std::string_view> texts, Stop stop)
{
	return state_->begin(endpoint, texts, stop);
}

std::vector<Finished> Client::advance(Stop stop)
{
	return state_->advance(stop);
}

int Client::timeout_ms() const
{
	const auto &requests = state_->requests;
	const bool ended = std::any_of(
		requests.begin(), requests.end(), [](const auto &each) { return each.second.reply || each.second.answer; });
	return ended ? 0 : state_->http.timeout_ms();
}

const std::vector<Interest> &Client::interests() const
{
	return state_->http.interests();
}

void Client::give_up(std::uint64_t request) noexcept
{
	state_->http.give_up(request);
	state_->requests.erase(request);
}

std::size_t Client::running() const
{
	return state_->requests.size();
}

}  // namespace vectorizer::remote
