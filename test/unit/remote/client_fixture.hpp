// A client, a server on loopback (server.hpp), and what came of asking the one by the other.
#pragma once

#include "core/remote/client.hpp"

#include "core/text/utf8.hpp"
#include "server.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace vectorizer::remote {

using Clock = std::chrono::steady_clock;
using Texts = std::vector<std::string_view>;

inline const Texts kTexts{"one", "two", "three", "four", "five"};

inline double seconds_since(Clock::time_point start)
{
	return std::chrono::duration<double>(Clock::now() - start).count();
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
		const Answer answer = client_.embed(of, texts, {});
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

	static inline std::optional<Server> server_;
	Client client_;
};

}  // namespace vectorizer::remote
