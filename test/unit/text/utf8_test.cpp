#include "core/text/utf8.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace vectorizer::txt;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

std::string random_bytes(std::mt19937 &random, std::size_t length)
{
	// Mostly bytes that matter to UTF-8: leads at the ends of their ranges, continuations, ASCII, NUL.
	static constexpr unsigned char kInteresting[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2,
													 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFE, 0xFF, 0x20};
	std::string bytes;
	for (std::size_t i = 0; i < length; ++i)
		bytes += static_cast<char>(random() % 4 == 0 ? random() : kInteresting[random() % sizeof kInteresting]);
	return bytes;
}

}  // namespace

TEST(Utf8, EveryCodePointRoundTrips)
{
	for (char32_t c = 0; c <= 0x10FFFF; ++c) {
		if (c >= 0xD800 && c < 0xE000)
			continue;
		std::string bytes;
		append_utf8(bytes, c);
		Decoded decoded = decode(bytes, 0);
		ASSERT_TRUE(decoded.valid) << std::hex << static_cast<unsigned>(c);
		ASSERT_EQ(decoded.code_point, c);
		ASSERT_EQ(decoded.length, bytes.size());
		ASSERT_EQ(is_valid(bytes), c != 0);
	}
}

TEST(Utf8, RejectsWhatPostgresRejects)
{
	EXPECT_FALSE(is_valid("\xC0\x80"));          // overlong NUL
	EXPECT_FALSE(is_valid("\xC1\xBF"));          // overlong
	EXPECT_FALSE(is_valid("\xC0\xAF"));          // overlong '/'
	EXPECT_FALSE(is_valid("\xE0\x9F\xBF"));      // overlong
	EXPECT_FALSE(is_valid("\xED\xA0\x80"));      // surrogate
	EXPECT_FALSE(is_valid("\xF4\x90\x80\x80"));  // past U+10FFFF
	EXPECT_FALSE(is_valid("\xF0\x8F\xBF\xBF"));  // overlong
	EXPECT_FALSE(is_valid("\x80"));
	EXPECT_FALSE(is_valid("\xE2\x82"));          // cut off
	EXPECT_FALSE(is_valid("a\0b"sv));
	EXPECT_EQ(find_invalid("ab\xFF"), 2U);
	EXPECT_TRUE(is_valid(""));
}

TEST(Utf8, ReplacesMaximalSubparts)
{
	// The example of Unicode 15, table 3-8.
	std::string bytes = "\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64";
	EXPECT_EQ(make_valid(bytes), 6U);
	EXPECT_EQ(bytes, "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");

	std::string surrogate = "\xED\xA0\x80";
	EXPECT_EQ(make_valid(surrogate), 3U);
	std::string nul = "a\0b"s;
	EXPECT_EQ(make_valid(nul), 1U);
	EXPECT_EQ(nul, "a\uFFFDb");
}

TEST(Utf8, RepairIsValidIdempotentAndKeepsValidText)
{
	std::mt19937 random(1);
	for (int i = 0; i < 20000; ++i) {
		std::string bytes = random_bytes(random, random() % 24);
		std::string repaired = bytes;
		std::size_t replaced = make_valid(repaired);
		ASSERT_TRUE(is_valid(repaired));
		ASSERT_EQ(replaced == 0, repaired == bytes);
		ASSERT_EQ(replaced == 0, is_valid(bytes));
		std::string again = repaired;
		ASSERT_EQ(make_valid(again), 0U);
		ASSERT_LE(repaired.size(), 3 * bytes.size());
	}
}

TEST(Utf8, CutsAndCountsAgreeWithDecoding)
{
	std::mt19937 random(2);
	for (int i = 0; i < 2000; ++i) {
		std::string text = random_bytes(random, random() % 40);
		make_valid(text);
		std::vector<std::size_t> starts;
		for (std::size_t at = 0; at < text.size(); at += decode(text, at).length)
			starts.push_back(at);
		ASSERT_EQ(count_characters(text), starts.size());
		starts.push_back(text.size());
		for (std::size_t n = 0; n < starts.size(); ++n)
			ASSERT_EQ(prefix_bytes(text, n), starts[n]);
		ASSERT_EQ(prefix_bytes(text, starts.size() + 5), text.size());
		for (std::size_t at = 0; at <= text.size() + 2; ++at) {
			std::size_t expected = *(std::upper_bound(starts.begin(), starts.end(), at) - 1);
			ASSERT_EQ(cut_before(text, at), expected);
		}
	}
}

TEST(Utf8, ReadsByteOrderMarks)
{
	EXPECT_EQ(byte_order_mark("\xEF\xBB\xBFx"), ByteOrderMark::kUtf8);
	EXPECT_EQ(byte_order_mark("\xFF\xFEx"), ByteOrderMark::kUtf16Le);
	EXPECT_EQ(byte_order_mark("\xFE\xFFx"), ByteOrderMark::kUtf16Be);
	EXPECT_EQ(byte_order_mark("\xEF\xBB"), ByteOrderMark::kNone);
	EXPECT_EQ(to_utf8("\xEF\xBB\xBF\xC3\xA9").text, "\u00E9");
	EXPECT_EQ(to_utf8("\xFF\xFE\xE9\x00\x3D\xD8\x00\xDE"sv).text, "\u00E9\U0001F600");
	EXPECT_EQ(to_utf8("\xFE\xFF\x00\xE9\xD8\x3D\xDE\x00"sv).text, "\u00E9\U0001F600");
	// A lone surrogate, a NUL and half a unit at the end.
	Repaired broken = to_utf8("\xFE\xFF\xD8\x3D\x00\x41\x00\x00\x12"sv);
	EXPECT_EQ(broken.text, "\uFFFDA\uFFFD\uFFFD");
	EXPECT_EQ(broken.replaced, 3U);
	EXPECT_EQ(to_utf8("").text, "");
}

TEST(Utf8, TellsTextFromBinary)
{
	EXPECT_FALSE(looks_binary(""));
	EXPECT_FALSE(looks_binary("plain text\r\n\tand more\f\n"));
	EXPECT_FALSE(looks_binary("\x1B[31mred\x1B[0m terminal output"));
	EXPECT_FALSE(looks_binary("caf\xE9 na\xEFve, Latin-1 but text"));
	EXPECT_FALSE(looks_binary("\xFF\xFEh\0i\0"sv));
	EXPECT_TRUE(looks_binary("\x7F""ELF\x02\x01\x01\0\0\0"sv));
	EXPECT_TRUE(looks_binary("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"sv));
	EXPECT_TRUE(looks_binary("\x01\x02\x03\x04 abc"));
	EXPECT_FALSE(looks_binary(std::string(100, '\x90'))) << "which decode_text() decides";
	// What counts is the first 8 kB, and a character across its end is whole.
	EXPECT_FALSE(looks_binary(std::string(8192, 'x') + "\0\0\0"s));
	EXPECT_FALSE(looks_binary(std::string(8191, 'x') + "\u20AC"));
}

TEST(Utf8, PrintsNamesSafely)
{
	EXPECT_EQ(printable("a\xFF\nb\\\u00E9\x7F"), "a\\xFF\\x0Ab\\x5C\u00E9\\x7F");
	std::mt19937 random(3);
	for (int i = 0; i < 2000; ++i)
		ASSERT_TRUE(is_valid(printable(random_bytes(random, 20))));
}
