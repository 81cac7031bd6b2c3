#include "core/remote/answer.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>

using namespace vectorizer;
using namespace vectorizer::remote;

namespace {

/// "ok [1 2] [3 4]", with "-" for a text without an embedding, or "wrong: reason".
std::string read(std::string_view body, std::size_t texts = 2, int dimension = 2)
{
	const Answer answer = read_answer(body, texts, dimension, {});
	std::ostringstream shown;
	shown << outcome_name(answer.outcome);
	if (answer.outcome != Outcome::kOk)
		shown << ": " << answer.reason;
	else
		EXPECT_EQ(answer.reason, "");
	if (answer.outcome != Outcome::kOk && answer.outcome != Outcome::kPartial) {
		EXPECT_TRUE(answer.values.empty());
		EXPECT_TRUE(answer.given.empty());
		return shown.str();
	}
	const auto width = static_cast<std::size_t>(dimension);
	EXPECT_EQ(answer.given.size(), texts);
	EXPECT_EQ(answer.values.size(), texts * width);
	for (std::size_t i = 0; i < texts; ++i) {
		shown << (answer.given[i] ? " [" : " -");
		for (std::size_t k = 0; k < width; ++k) {
			if (answer.given[i])
				shown << (k ? " " : "") << answer.values[i * width + k];
			else
				EXPECT_EQ(answer.values[i * width + k], 0);
		}
		shown << (answer.given[i] ? "]" : "");
	}
	return shown.str();
}

/// An answer of those items.
std::string data(const std::string &items)
{
	return read("{\"object\": \"list\", \"data\": [" + items + "], \"usage\": {\"total_tokens\": 3}}");
}

std::string item(const std::string &index, const std::string &embedding)
{
	const std::string numbered = index.empty() ? "" : "\"index\": " + index + ", ";
	return "{\"object\": \"embedding\", " + numbered + "\"embedding\": " + embedding + "}";
}

}  // namespace

TEST(RemoteAnswer, Sound)
{
	EXPECT_EQ(data(item("0", "[1, 2]") + "," + item("1", "[3, 4.5]")), "ok [1 2] [3 4.5]");
	EXPECT_EQ(data(item("1", "[1, 2]") + "," + item("0", "[3, 4]")), "ok [3 4] [1 2]");
	EXPECT_EQ(data(item("", "[1, 2]") + "," + item("", "[3, 4]")), "ok [1 2] [3 4]");
	EXPECT_EQ(data(item("0", "[0, -0.0]") + "," + item("1", "[0, 0]")), "ok [0 -0] [0 0]");
	EXPECT_EQ(data(R"({"embedding": [1, 2], "index": 1}, {"embedding": [3, 4], "index": 0})"), "ok [3 4] [1 2]");
	EXPECT_EQ(data(item("0", "[-1, 18446744073709551616]") + "," + item("1", "[1e-400, 1e-3]")), "ok [-1 1.84467e+19] [0 0.001]");
	EXPECT_EQ(read(R"({"data": [{"index": 0, "embedding": [1]}]})", 1, 1), "ok [1]");
	EXPECT_EQ(read(" \n{\"data\":[{\"index\":0,\"embedding\":[1]}]}\r\n", 1, 1), "ok [1]");
}

TEST(RemoteAnswer, OtherKeysAreAnybodys)
{
	EXPECT_EQ(read(R"({"x": {"data": [1], "embedding": ["y"]}, "y": [[{"index": "z"}]], "index": "no", "embedding": 3,
		"data": [{"object": {"index": 7}, "index": 0, "more": [[1], {"embedding": [9]}], "embedding": [1], "null": null}],
		"data2": [], "z": true})", 1, 1), "ok [1]");
}

TEST(RemoteAnswer, Partial)
{
	EXPECT_EQ(data(item("1", "[3, 4]")), "partial: the answer has 1 embeddings for 2 texts - [3 4]");
	EXPECT_EQ(data(item("0", "[3, 4]")), "partial: the answer has 1 embeddings for 2 texts [3 4] -");
}

TEST(RemoteAnswer, FewerWithoutIndexCouldBeAnybodys)
{
	EXPECT_EQ(data(item("", "[3, 4]")),
		"wrong: the answer has 1 embeddings for 2 texts, and no index that says whose they are");
}

TEST(RemoteAnswer, Indexes)
{
	const std::string good = item("0", "[1, 2]");
	EXPECT_EQ(data(good + "," + item("0", "[3, 4]")), "wrong: the answer has index 0 twice");
	EXPECT_EQ(data(good + "," + item("2", "[3, 4]")), "wrong: the answer has index 2, for 2 texts");
	EXPECT_EQ(data(good + "," + item("18446744073709551615", "[3, 4]")),
		"wrong: the answer has index 18446744073709551615, for 2 texts");
	EXPECT_EQ(data(good + "," + item("-1", "[3, 4]")), "wrong: the answer has a negative index");
	EXPECT_EQ(data(good + "," + item("1.0", "[3, 4]")), "wrong: the answer has a number that is not whole as an index");
	EXPECT_EQ(data(good + "," + item("\"1\"", "[3, 4]")), "wrong: the answer has text as an index");
	EXPECT_EQ(data(good + "," + item("null", "[3, 4]")), "wrong: the answer has null as an index");
	EXPECT_EQ(data(good + "," + item("[1]", "[3, 4]")), "wrong: the answer has a list as an index");
	EXPECT_EQ(data(good + "," + item("{}", "[3, 4]")), "wrong: the answer has an object as an index");
	EXPECT_EQ(data(good + "," + item("", "[3, 4]")), "wrong: the answer has an index with some embeddings and none with others");
	EXPECT_EQ(data(item("", "[3, 4]") + "," + item("1", "[1, 2]")),
		"wrong: the answer has an index with some embeddings and none with others");
	EXPECT_EQ(data(R"({"index": 0, "index": 1, "embedding": [1, 2]})"), "wrong: the answer has an item with \"index\" twice");
	EXPECT_EQ(data(good + "," + item("1", "[3, 4]") + "," + item("0", "[5, 6]")),
		"wrong: the answer has more embeddings than the 2 asked for");
	EXPECT_EQ(data(item("", "[1, 2]") + "," + item("", "[3, 4]") + "," + item("", "[5, 6]")),
		"wrong: the answer has more embeddings than the 2 asked for");
}

TEST(RemoteAnswer, Embeddings)
{
	const auto second = [](const std::string &embedding) { return data(item("0", "[1, 2]") + "," + item("1", embedding)); };
	EXPECT_EQ(second("[1]"), "wrong: the answer has an embedding of dimension 1, not 2");
	EXPECT_EQ(second("[]"), "wrong: the answer has an embedding of dimension 0, not 2");
	EXPECT_EQ(second("[1, 2, 3, 4]"), "wrong: the answer has an embedding of dimension 4, not 2");
	EXPECT_EQ(second("[1, \"2\"]"), "wrong: the answer has text in an embedding, where numbers belong");
	EXPECT_EQ(second("[1, null]"), "wrong: the answer has null in an embedding, where numbers belong");
	EXPECT_EQ(second("[1, true]"), "wrong: the answer has a truth value in an embedding, where numbers belong");
	EXPECT_EQ(second("[[1, 2]]"), "wrong: the answer has a list in an embedding, where numbers belong");
	EXPECT_EQ(second("[1, {}]"), "wrong: the answer has an object in an embedding, where numbers belong");
	EXPECT_EQ(second("\"AAAA\""), "wrong: the answer has text as an embedding, not a list of numbers");
	EXPECT_EQ(second("null"), "wrong: the answer has null as an embedding, not a list of numbers");
	EXPECT_EQ(second("7"), "wrong: the answer has a number as an embedding, not a list of numbers");
	EXPECT_EQ(second("{\"0\": 1}"), "wrong: the answer has an object as an embedding, not a list of numbers");
	EXPECT_EQ(second("[1, 1e39]"), "wrong: the answer has a number that does not fit");
	EXPECT_EQ(second("[1, -3.5e38]"), "wrong: the answer has a number that does not fit");
	EXPECT_EQ(second("[1, 1e999]"), "wrong: the answer has a number that does not fit");
	EXPECT_EQ(second("[3.4028234e38, 2]"), "ok [1 2] [3.40282e+38 2]");
	EXPECT_TRUE(second("[1, NaN]").starts_with("wrong: the answer is not JSON, from byte "));
	EXPECT_TRUE(second("[1, Infinity]").starts_with("wrong: the answer is not JSON, from byte "));
	EXPECT_EQ(data("{\"index\": 0}"), "wrong: the answer has an item without \"embedding\"");
	EXPECT_EQ(data(R"({"index": 0, "embedding": [1, 2], "embedding": [1, 2]})"),
		"wrong: the answer has an item with \"embedding\" twice");
}

TEST(RemoteAnswer, NotTheProtocol)
{
	EXPECT_EQ(read(""), "wrong: the answer is empty");
	EXPECT_EQ(read("hello"), "wrong: the answer is not JSON, from byte 1 on");
	EXPECT_EQ(read("[]"), "wrong: the answer is a list, not an object");
	EXPECT_EQ(read("\"x\""), "wrong: the answer is text, not an object");
	EXPECT_EQ(read("3"), "wrong: the answer is a number, not an object");
	EXPECT_EQ(read("null"), "wrong: the answer is null, not an object");
	EXPECT_EQ(read("{}"), "wrong: the answer has no \"data\"");
	EXPECT_EQ(read("{\"error\": {\"message\": \"x\"}}"), "wrong: the answer has no \"data\"");
	EXPECT_EQ(read("{\"data\": []}"), "wrong: the answer has no embeddings");
	EXPECT_EQ(read("{\"data\": {}}"), "wrong: the answer has an object as \"data\", not a list");
	EXPECT_EQ(read("{\"data\": null}"), "wrong: the answer has null as \"data\", not a list");
	EXPECT_EQ(read("{\"data\": 3}"), "wrong: the answer has a number as \"data\", not a list");
	EXPECT_EQ(read("{\"data\": [[1, 2]]}"), "wrong: the answer has a list among its embeddings");
	EXPECT_EQ(read("{\"data\": [1]}"), "wrong: the answer has a number among its embeddings");
	EXPECT_EQ(read("{\"data\": [], \"data\": []}"), "wrong: the answer has \"data\" twice");
	EXPECT_EQ(read("{\"data\": []} x"), "wrong: the answer is not JSON, from byte 14 on");
	EXPECT_TRUE(read("{\"x\": \"\xFF\"}").starts_with("wrong: the answer is not JSON"));
	EXPECT_EQ(read("{\"x\":" + std::string(100'000, '[')), "wrong: the answer is nested too deeply");
	EXPECT_EQ(read("{\"x\":" + std::string(63, '[') + std::string(63, ']') + "}"), "wrong: the answer has no \"data\"");
	std::string objects;
	for (int i = 0; i < 100; ++i)
		objects += "{\"a\":";
	EXPECT_EQ(read(objects), "wrong: the answer is nested too deeply");
}

TEST(RemoteAnswer, CutAnywhereItIsToBeAskedForAgain)
{
	const std::string body =
		R"({"model": "caf\u00e9 é", "data": [{"index": 0, "embedding": [1, -2.5e1]}, {"index": 1, "embedding": [true)";
	for (std::size_t size = 1; size + 4 < body.size(); ++size)
		EXPECT_EQ(read(body.substr(0, size)), "retry: the answer ends in the middle") << body.substr(0, size);
}

TEST(RemoteAnswer, ABigOneIsLeftWhenAsked)
{
	std::string body = "{\"x\": \"" + std::string(3 << 20, 'x') + "\", \"data\": [";
	EXPECT_EQ(read(body), "retry: the answer ends in the middle");
	int asked = 0;
	const Stop stop{[](void *count) { return ++*static_cast<int *>(count) > 2; }, &asked};
	try {
		read_answer(body, 1, 1, stop);
		FAIL() << "not left";
	}
	catch (const Error &error) {
		EXPECT_EQ(error.code(), Errc::kCancelled);
	}
	EXPECT_EQ(asked, 3);
}

TEST(RemoteAnswer, ManyNumbers)
{
	constexpr int kDimension = 1536;
	constexpr std::size_t kTexts = 64;
	std::ostringstream body;
	body.precision(9);
	body << "{\"data\":[";
	const auto value = [](std::size_t text, int k) {
		return std::sin(static_cast<float>(text * 7919 + static_cast<std::size_t>(k)));
	};
	for (std::size_t i = kTexts; i-- > 0;) {
		body << "{\"embedding\":[";
		for (int k = 0; k < kDimension; ++k)
			body << (k ? "," : "") << value(i, k);
		body << "],\"index\":" << i << "}" << (i ? "," : "");
	}
	body << "]}";
	const Answer answer = read_answer(body.str(), kTexts, kDimension, {});
	ASSERT_EQ(answer.outcome, Outcome::kOk) << answer.reason;
	for (std::size_t i = 0; i < kTexts; ++i) {
		for (int k = 0; k < kDimension; ++k)
			ASSERT_EQ(answer.values[i * kDimension + static_cast<std::size_t>(k)], value(i, k)) << i << " " << k;
	}
}
