// What the client makes of what a server says (test/t/lib/embeddings_server).
#include "client_fixture.hpp"

#include <cmath>

using namespace vectorizer;
using namespace vectorizer::remote;

namespace {

class RemoteClient : public ClientTest {};

std::vector<float> row(const Answer &answer, std::size_t i, int dimension = 8)
{
	const auto width = static_cast<std::ptrdiff_t>(dimension);
	const auto first = answer.values.begin() + static_cast<std::ptrdiff_t>(i) * width;
	return {first, first + width};
}

}  // namespace

TEST_F(RemoteClient, Embeddings)
{
	const Answer answer = ask(endpoint("ok/8"));
	ASSERT_EQ(answer.outcome, Outcome::kOk);
	EXPECT_EQ(answer.status, 200);
	EXPECT_EQ(answer.retry_after, -1);
	EXPECT_EQ(answer.given, std::vector<bool>(5, true));
	for (std::size_t i = 0; i < kTexts.size(); ++i) {
		double square = 0;
		for (const float value : row(answer, i))
			square += static_cast<double>(value) * value;
		EXPECT_NEAR(square, 1, 1e-5);
		for (std::size_t k = 0; k < i; ++k)
			EXPECT_NE(row(answer, i), row(answer, k));
		const Answer alone = ask(endpoint("ok/8"), {kTexts[i]});
		EXPECT_EQ(alone.values, row(answer, i)) << "a text has the embedding that it has alone";
	}
}

TEST_F(RemoteClient, WhatIsSent)
{
	Endpoint plain = endpoint("ok");
	ask(plain);
	Endpoint full = endpoint("ok/16", 16);
	full.model = "m\"1";
	full.key = "sk-123";
	full.send_dimensions = full.send_encoding_format = true;
	full.input_type = "passage";
	full.prefix = "passage: ";
	ask(full, {"one"});
	const auto requests = server_->requests();
	ASSERT_EQ(requests.size(), 2u);
	const auto &first = requests[0];
	EXPECT_EQ(first["path"], "/ok/v1/embeddings");
	EXPECT_EQ(first["inputs"], 5);
	EXPECT_EQ(first["fields"], (nlohmann::json{{"model", "test"}}));
	nlohmann::json headers = first["headers"];
	EXPECT_EQ(headers["content-type"], "application/json");
	EXPECT_EQ(headers["accept"], "application/json");
	EXPECT_EQ(headers["host"], "127.0.0.1:" + server_->port());
	for (const char *name : {"content-type", "accept", "host", "content-length", "user-agent"})
		headers.erase(name);
	EXPECT_TRUE(headers.empty()) << headers;
	EXPECT_EQ(requests[1]["headers"]["authorization"], "Bearer sk-123");
	EXPECT_EQ(requests[1]["fields"],
		(nlohmann::json{{"model", "m\"1"}, {"dimensions", 16}, {"encoding_format", "float"}, {"input_type", "passage"}}));
}

TEST_F(RemoteClient, PrefixAndAnyText)
{
	Endpoint prefixed = endpoint("ok/8");
	prefixed.prefix = "query: ";
	EXPECT_EQ(ask(prefixed, {"a"}).values, ask(endpoint("ok/8"), {"query: a"}).values);
	const std::string odd = "\"\\\n\t\x01 caf\xC3\xA9 \xF0\x9F\x98\x80 \xE2\x80\xA8";
	EXPECT_EQ(said(endpoint("ok/8"), {odd, "", odd, " "}), "ok 200");
	const std::string big(1100 << 10, 'x');
	server_->requests();
	EXPECT_EQ(said(endpoint("ok/8"), {big}), "ok 200");
	EXPECT_FALSE(server_->requests().at(0)["headers"].contains("expect")) << "a long body waits for no 100";
}

TEST_F(RemoteClient, NoTextsNoRequest)
{
	EXPECT_EQ(said(endpoint("status/500"), {}), "ok 0");
	EXPECT_TRUE(server_->requests().empty());
}

TEST_F(RemoteClient, OrderIsTheIndexs)
{
	const Answer wanted = ask(endpoint("ok/8"));
	for (const char *faults : {"shuffled/8", "index-last/8", "shuffled/index-last/8", "no-index/8", "close/ok/8"}) {
		const Answer answer = ask(endpoint(faults));
		EXPECT_EQ(answer.outcome, Outcome::kOk) << faults << answer.reason;
		EXPECT_EQ(answer.values, wanted.values) << faults;
	}
	const Answer zero = ask(endpoint("zero/8"));
	EXPECT_EQ(zero.outcome, Outcome::kOk);
	EXPECT_EQ(zero.values, std::vector<float>(40));
}

TEST_F(RemoteClient, Partial)
{
	const Answer wanted = ask(endpoint("ok/8"));
	for (const char *faults : {"half/8", "half/shuffled/8"}) {
		const Answer answer = ask(endpoint(faults));
		EXPECT_EQ(answer.outcome, Outcome::kPartial) << faults;
		EXPECT_EQ(answer.reason, "the answer has 3 embeddings for 5 texts");
		EXPECT_EQ(answer.given, (std::vector<bool>{true, false, true, false, true})) << faults;
		for (const std::size_t i : {0, 2, 4})
			EXPECT_EQ(row(answer, i), row(wanted, i)) << faults;
	}
}

TEST_F(RemoteClient, Wrong)
{
	EXPECT_EQ(said("half/no-index/8"),
		"wrong 200: the answer has 3 embeddings for 5 texts, and no index that says whose they are");
	EXPECT_EQ(said("wrong-dimension/8"), "wrong 200: the answer has an embedding of dimension 9, not 8");
	EXPECT_EQ(said("one-short/8"), "wrong 200: the answer has an embedding of dimension 7, not 8");
	EXPECT_EQ(said("ok/16"), "wrong 200: the answer has an embedding of dimension 16, not 8");
	EXPECT_EQ(said("index-twice/8"), "wrong 200: the answer has index 0 twice");
	EXPECT_EQ(said("index-beyond/8"), "wrong 200: the answer has index 5, for 5 texts");
	EXPECT_EQ(said("some-index/8"), "wrong 200: the answer has an index with some embeddings and none with others");
	EXPECT_EQ(said("extra/8"), "wrong 200: the answer has more embeddings than the 5 asked for");
	EXPECT_EQ(said("none/8"), "wrong 200: the answer has no embeddings");
	EXPECT_TRUE(said("nan/8").starts_with("wrong 200: the answer is not JSON, from byte "));
	EXPECT_EQ(said("null/8"), "wrong 200: the answer has null in an embedding, where numbers belong");
	EXPECT_EQ(said("strings/8"), "wrong 200: the answer has text in an embedding, where numbers belong");
	EXPECT_EQ(said("big/8"), "wrong 200: the answer has a number that does not fit");
	EXPECT_EQ(said("base64/8"), "wrong 200: the answer has text as an embedding, not a list of numbers");
	EXPECT_EQ(said("not-json"), "wrong 200: the answer is not JSON, from byte 1 on: hello");
	EXPECT_EQ(said("empty"), "wrong 200: the answer is empty");
	EXPECT_EQ(said("error-200"), "wrong 200: the answer has no \"data\": the model is not loaded");
	EXPECT_TRUE(said("garbage").starts_with("wrong 0: what answers is not HTTP: "));
}

TEST_F(RemoteClient, Statuses)
{
	for (const int status : {408, 425, 429, 500, 501, 502, 503, 504, 529, 599}) {
		const std::string number = std::to_string(status);
		EXPECT_EQ(said("status/" + number), "retry " + number + ": HTTP " + number + ": as asked");
	}
	for (const int status : {400, 401, 403, 404, 405, 413, 418, 422, 424}) {
		const std::string number = std::to_string(status);
		EXPECT_EQ(said("status/" + number), "refused " + number + ": HTTP " + number + ": as asked");
	}
	EXPECT_EQ(said("html"), "retry 502: HTTP 502");
	EXPECT_EQ(said("plain/503"), "retry 503: HTTP 503: no room");
	EXPECT_EQ(said("cut-short/status/401"), "refused 401: HTTP 401") << "a status counts whatever becomes of the body";
	EXPECT_EQ(said("cut-short/status/429"), "retry 429: HTTP 429");
}

TEST_F(RemoteClient, RedirectsAreNotFollowed)
{
	for (const int status : {301, 302, 303, 307, 308}) {
		const std::string number = std::to_string(status);
		EXPECT_EQ(said("redirect/" + number),
			"refused " + number + ": HTTP " + number + ": redirects to /ok/v1/embeddings; redirects are not followed");
	}
	EXPECT_EQ(server_->requests().size(), 5u);
}

TEST_F(RemoteClient, RetryAfter)
{
	EXPECT_EQ(ask(endpoint("retry-after/2")).retry_after, 2);
	EXPECT_EQ(ask(endpoint("retry-after/0")).retry_after, 0);
	EXPECT_EQ(ask(endpoint("retry-after/100000")).retry_after, 100000);
	const double date = ask(endpoint("retry-date/90")).retry_after;
	EXPECT_GE(date, 85);
	EXPECT_LE(date, 90);
	EXPECT_EQ(ask(endpoint("retry-date/-90")).retry_after, 0);
	EXPECT_EQ(ask(endpoint("status/429")).retry_after, -1);
}

TEST_F(RemoteClient, Flaky)
{
	const Endpoint flaky = endpoint("flaky/3/ok/8");
	for (int i = 0; i < 3; ++i)
		EXPECT_EQ(said(flaky), "retry 503: HTTP 503: not yet");
	EXPECT_EQ(said(flaky), "ok 200");
	EXPECT_EQ(server_->requests().size(), 4u) << "the client itself tries once";
}

TEST_F(RemoteClient, CutShort)
{
	EXPECT_TRUE(said("cut-short/8").starts_with("retry 200: "));
	EXPECT_EQ(said("cut-json/8"), "retry 200: the answer ends in the middle");
	EXPECT_TRUE(said("reset").starts_with("retry 0: "));
	EXPECT_EQ(said("ok/8"), "ok 200");
}

TEST_F(RemoteClient, TooLarge)
{
	Endpoint huge = endpoint("huge/8");
	huge.max_response_bytes = 1 << 20;
	EXPECT_EQ(said(huge), "wrong 200: the answer has more than 1048576 bytes");
	EXPECT_EQ(said("huge/4"), "retry 200: the answer ends in the middle");
	Endpoint small = endpoint("ok/8");
	small.max_response_bytes = 1024;
	EXPECT_EQ(said(small, {"a"}), "ok 200");
	EXPECT_EQ(said(small), "ok 200");
	small.url = server_->url("ok/64");
	small.dimension = 64;
	EXPECT_EQ(said(small), "wrong 200: the answer has more than 1024 bytes");
}

TEST_F(RemoteClient, Key)
{
	Endpoint locked = endpoint("key/sk-right/ok/8");
	EXPECT_EQ(said(locked), "refused 401: HTTP 401: \"nothing\" is not the key");
	locked.key = "sk-wrong";
	EXPECT_EQ(said(locked), "refused 401: HTTP 401: \"Bearer [key]\" is not the key");
	locked.key = "sk-right";
	EXPECT_EQ(said(locked), "ok 200");
	locked.key.clear();
	EXPECT_EQ(said(locked), "refused 401: HTTP 401: \"nothing\" is not the key") << "no key is remembered";
}
