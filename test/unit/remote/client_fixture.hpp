// A client, a server on loopback (server.hpp), and what came of asking the one by the other.
#pragma once

#include "core/remote/client.hpp"

#include "core/error.hpp"
#include "core/text/utf8.hpp"
#include "server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace vectorizer::remote {

using Clock = std::chrono::steady_clock;
using Texts = std::vector<std::string_view>;

inline const Texts kTexts{"one", "two", "three", "four", "five"};

inline double seconds_since(Clock::time_point start)
{
	return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Waits for what a client waits for, as an event loop does.
inline void wait_for(const Client &client, int most_ms)
{
	if (client.running() == 0)
		return;
	std::vector<pollfd> sockets;
	for (const Interest &each : client.interests())
		sockets.push_back({each.fd, static_cast<short>((each.read ? POLLIN : 0) | (each.write ? POLLOUT : 0)), 0});
	const int own_ms = client.timeout_ms();
	EXPECT_GE(own_ms, 0) << "requests are running";
	poll(sockets.data(), sockets.size(), own_ms < 0 ? most_ms : std::min(own_ms, most_ms));
}

/// One request, waited for. Throws Errc::kCancelled within a slice of `stop`'s saying so.
inline Answer embed(Client &client, const Endpoint &endpoint, const Texts &texts, Stop stop)
{
	constexpr int kSliceMs = 50;
	const std::uint64_t request = client.begin(endpoint, texts, stop);
	for (;;) {
		for (Finished &each : client.advance(stop)) {
			if (each.request == request)
				return std::move(each.answer);
		}
		if (stop()) {
			client.give_up(request);
			throw Error(Errc::kCancelled, "waiting for embeddings was canceled");
		}
		wait_for(client, kSliceMs);
	}
}

class ClientTest : public testing::Test {
protected:
	static void SetUpTestSuite() { server_.emplace(); }
	static void TearDownTestSuite() { server_.reset(); }

	void SetUp() override
	{
		ASSERT_FALSE(server_->port().empty());
		server_->requests();
	}

	Endpoint endpoint(const std::string &faults, int dimension = 8) const
	{
		Endpoint result;
		result.url = server_->url(faults);
		result.model = "test";
		result.dimension = dimension;
		result.timeout_ms = 5000;
		check_endpoint(result);
		return result;
	}

	Answer ask(const Endpoint &of, const Texts &texts = kTexts)
	{
		const Answer answer = embed(client_, of, texts, {});
		EXPECT_EQ(answer.reason.empty(), answer.outcome == Outcome::kOk);
		EXPECT_LE(txt::count_characters(answer.reason), 300u);
		EXPECT_EQ(txt::printable(answer.reason).find("\\x"), std::string::npos) << answer.reason;
		const bool some = answer.outcome == Outcome::kOk || answer.outcome == Outcome::kPartial;
		EXPECT_EQ(answer.values.size(), some ? texts.size() * static_cast<std::size_t>(of.dimension) : 0u);
		EXPECT_EQ(answer.given.size(), some ? texts.size() : 0u);
		return answer;
	}

	/// "retry 503: HTTP 503: as asked".
	std::string said(const Endpoint &of, const Texts &texts = kTexts)
	{
		const Answer answer = ask(of, texts);
		return std::string(outcome_name(answer.outcome)) + " " + std::to_string(answer.status) +
			(answer.reason.empty() ? "" : ": " + answer.reason);
	}
	std::string said(const std::string &faults) { return said(endpoint(faults)); }

	/// The sockets of this process that are connected to a server.
	static std::vector<int> connections(const Server &to)
	{
		std::vector<int> found;
		for (const auto &each : std::filesystem::directory_iterator("/proc/self/fd")) {
			const int fd = std::stoi(each.path().filename());
			sockaddr_in peer{};
			socklen_t size = sizeof peer;
			if (getpeername(fd, reinterpret_cast<sockaddr *>(&peer), &size) == 0 && std::to_string(ntohs(peer.sin_port)) == to.port())
				found.push_back(fd);
		}
		return found;
	}

	static inline std::optional<Server> server_;
	Client client_;
};

}  // namespace vectorizer::remote
