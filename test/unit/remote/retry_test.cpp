#include "core/remote/retry.hpp"

#include "core/remote/batches.hpp"
#include "core/remote/request.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ctime>

using namespace vectorizer::remote;

TEST(RemoteRetry, DelaysDouble)
{
	double wanted = 1;
	for (int attempt = 1; attempt <= 9; ++attempt, wanted *= 2)
		EXPECT_EQ(next_delay(attempt, -1, 0), wanted) << attempt;
	EXPECT_EQ(next_delay(10, -1, 0), 300);
	EXPECT_EQ(next_delay(1'000'000, -1, 0), 300);
	EXPECT_EQ(next_delay(0, -1, 0), 1);
	EXPECT_EQ(next_delay(-5, -1, 0), 1);
}

TEST(RemoteRetry, ChanceTakesAQuarterAtMost)
{
	EXPECT_EQ(next_delay(3, -1, 1), 3);
	EXPECT_EQ(next_delay(3, -1, 0.5), 3.5);
	EXPECT_EQ(next_delay(20, -1, 1), 225);
}

TEST(RemoteRetry, TheServersDelayCountsIfLonger)
{
	EXPECT_EQ(next_delay(1, 7, 0.5), 7);
	EXPECT_EQ(next_delay(5, 7, 0), 16);
	EXPECT_EQ(next_delay(1, 0, 0), 1);
	EXPECT_EQ(next_delay(20, 3599, 0), 3599);
	EXPECT_EQ(next_delay(1, 86400, 0), 3600);
	EXPECT_EQ(next_delay(1, 1e15, 1), 3600);
}

TEST(RemoteRetry, HeaderInSeconds)
{
	EXPECT_EQ(read_retry_after("120", 0), 120);
	EXPECT_EQ(read_retry_after(" 0\t", 0), 0);
	EXPECT_EQ(read_retry_after("99999999999999999999999999", 0), 1e15);
	EXPECT_EQ(read_retry_after("20301123", 0), 20301123) << "digits are never a date";
	for (const char *text : {"", " ", "-1", "+1", "1.5", "1e3", "0x10", "12 s", "soon", "Mon", "2030-01-01"})
		EXPECT_EQ(read_retry_after(text, 0), -1) << text;
}

TEST(RemoteRetry, HeaderAsDate)
{
	const std::time_t now = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT, of RFC 9110
	EXPECT_EQ(read_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), 60);
	EXPECT_EQ(read_retry_after("Sunday, 06-Nov-94 08:50:37 GMT", now), 60);
	EXPECT_EQ(read_retry_after("Sun Nov  6 08:50:37 1994", now), 60);
	EXPECT_EQ(read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), 0);
	EXPECT_EQ(read_retry_after("Sat, 05 Nov 1994 08:49:37 GMT", now), 0);
	EXPECT_EQ(read_retry_after("Sun, 99 Nov 1994 08:50:37 GMT", now), -1);
}

namespace {

std::string cut(int most, std::size_t bytes, const std::vector<std::string_view> &texts, const std::string &prefix = "")
{
	Endpoint endpoint;
	endpoint.max_batch = most;
	endpoint.max_batch_bytes = bytes;
	endpoint.prefix = prefix;
	std::string shown;
	std::size_t next = 0;
	for (const Batch &batch : cut_batches(endpoint, texts)) {
		EXPECT_EQ(batch.first, next);
		EXPECT_GT(batch.count, 0u);
		next += batch.count;
		shown += (shown.empty() ? "" : " ") + std::to_string(batch.count);
	}
	EXPECT_EQ(next, texts.size());
	return shown;
}

}  // namespace

TEST(RemoteBatches, ByCountAndBytes)
{
	EXPECT_EQ(cut(3, 100, {}), "");
	EXPECT_EQ(cut(3, 100, {"a", "b", "c", "d"}), "3 1");
	EXPECT_EQ(cut(1, 100, {"a", "b"}), "1 1");
	EXPECT_EQ(cut(9, 4, {"aa", "bb", "cc"}), "2 1") << "the limit itself fits";
	EXPECT_EQ(cut(9, 3, {"aa", "bb", "cc"}), "1 1 1");
	EXPECT_EQ(cut(9, 4, {"a", "longer than the limit", "b", "c"}), "1 1 2");
	EXPECT_EQ(cut(9, 4, {"longer than the limit", "b"}), "1 1");
	EXPECT_EQ(cut(2, 4, {"", "", ""}), "2 1");
	EXPECT_EQ(cut(9, 6, {"a", "b", "c"}, "q:"), "2 1") << "the prefix counts with every text";
}

TEST(RemoteRequest, Body)
{
	using nlohmann::json;
	Endpoint endpoint;
	endpoint.model = "m \"1\"";
	endpoint.dimension = 8;
	const std::vector<std::string_view> texts{"one", "two\n\"\\\x01", "caf\xC3\xA9"};
	EXPECT_EQ(json::parse(request_body(endpoint, texts)),
		(json{{"model", "m \"1\""}, {"input", {"one", "two\n\"\\\x01", "caf\xC3\xA9"}}}));
	endpoint.send_dimensions = true;
	endpoint.send_encoding_format = true;
	endpoint.input_type = "query";
	endpoint.prefix = "query: ";
	EXPECT_EQ(json::parse(request_body(endpoint, std::vector<std::string_view>{"a"})),
		(json{{"model", "m \"1\""}, {"dimensions", 8}, {"encoding_format", "float"}, {"input_type", "query"},
			{"input", {"query: a"}}}));
	EXPECT_EQ(json::parse(request_body(endpoint, std::vector<std::string_view>{"a\xFF"}))["input"][0], "query: a\xEF\xBF\xBD");
}
