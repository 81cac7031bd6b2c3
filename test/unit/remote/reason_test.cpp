#include "core/remote/reason.hpp"

#include "core/text/utf8.hpp"

#include <gtest/gtest.h>

#include <random>

using namespace vectorizer;
using namespace vectorizer::remote;

TEST(RemoteReason, IsOneLine)
{
	EXPECT_EQ(one_line("", ""), "");
	EXPECT_EQ(one_line("two\r\n  words\t\x01 here \n", ""), "two words here");
	EXPECT_EQ(one_line(" \n", ""), "");
	EXPECT_EQ(one_line("a\x1B[31mb", ""), "a [31mb");
	EXPECT_EQ(one_line("a\xC2\x85\xE2\x80\xA8" "b", ""), "a b");
	EXPECT_EQ(one_line("a\xE2\x80\xAE" "b\xE2\x81\xA6" "c\xD8\x9C" "d\xE2\x80\x8F" "e", ""), "abcde");
	EXPECT_EQ(one_line("caf\xC3\xA9 \xFF", ""), "caf\xC3\xA9 \xEF\xBF\xBD");
}

TEST(RemoteReason, IsCut)
{
	EXPECT_EQ(one_line(std::string(300, 'x'), ""), std::string(300, 'x'));
	EXPECT_EQ(one_line(std::string(301, 'x'), ""), std::string(297, 'x') + "...");
	std::string wide;
	for (int i = 0; i < 400; ++i)
		wide += "\xE2\x82\xAC";
	EXPECT_EQ(txt::count_characters(one_line(wide, "")), 300u);
	EXPECT_TRUE(txt::is_valid(one_line(wide, "")));
}

TEST(RemoteReason, NeverHasTheKey)
{
	EXPECT_EQ(one_line("sk-1 and sk-1sk-1", "sk-1"), "[key] and [key][key]");
	EXPECT_EQ(one_line("key", "k"), "[key]ey") << "what is put in is not looked through";
	const std::string cut = one_line(std::string(295, 'x') + "sk-secret", "sk-secret");
	EXPECT_EQ(cut.find("sk"), std::string::npos) << "nor half of it, where the line is cut";
}

TEST(RemoteReason, ServersMessage)
{
	EXPECT_EQ(server_message(R"({"error": {"message": "no such model", "type": "x"}})"), "no such model");
	EXPECT_EQ(server_message(R"({"error": "overloaded", "error_type": "x"})"), "overloaded");
	EXPECT_EQ(server_message(R"({"object": "error", "message": "too long", "code": 400})"), "too long");
	EXPECT_EQ(server_message(R"({"detail": "Not Found"})"), "Not Found");
	EXPECT_EQ(server_message(R"({"error": {"code": 3}, "message": "m"})"), "m");
	EXPECT_EQ(server_message("\"just text\""), "just text");
	EXPECT_EQ(server_message("upstream down\n"), "upstream down\n");
	for (const char *body : {"", " \n", "<html>x</html>", "{\"error\": ", "[1]", "3", "null", "{}",
			 R"({"error": {"message": 3}})", R"({"detail": [{"loc": ["body"]}]})"})
		EXPECT_EQ(server_message(body), "") << body;
	EXPECT_EQ(server_message(std::string(70'000, 'a')), "");
	EXPECT_EQ(server_message(std::string("\0\1\2\3\4\5\6\7", 8)), "");
	EXPECT_EQ(server_message("{\"error\":" + std::string(30'000, '[') + std::string(30'000, ']') + "}"), "");
}

TEST(RemoteReason, AnyBytes)
{
	std::mt19937 random(3);
	for (int i = 0; i < 2000; ++i) {
		std::string bytes(random() % 600, ' ');
		for (char &c : bytes)
			c = static_cast<char>(random());
		const std::string line = one_line(bytes, "k");
		ASSERT_TRUE(txt::is_valid(line));
		ASSERT_LE(txt::count_characters(line), 300u);
		ASSERT_EQ(txt::printable(line).find("\\x0"), std::string::npos);
		server_message(bytes);
	}
}
