#include "core/text/chunker.hpp"

#include "chunk_rule.hpp"
#include "core/error.hpp"
#include "core/text/utf8.hpp"

#include <gtest/gtest.h>

#include <random>

using namespace vectorizer;
using namespace vectorizer::txt;

namespace {

ChunkOptions sized(std::size_t size, std::size_t overlap = 0)
{
	ChunkOptions options;
	options.size = size;
	options.overlap = overlap;
	return options;
}

std::vector<std::string> contents(std::string_view text, const ChunkOptions &options,
								  std::span<const HeadingMark> marks = {})
{
	std::vector<std::string> result;
	for (const Chunk &c : chunk(text, options, {}, marks))
		result.emplace_back(c.content);
	return result;
}

using Strings = std::vector<std::string>;

std::string random_text(std::mt19937 &random, std::size_t pieces)
{
	static const std::string kPieces[] = {
		" ", "\n", "\n\n", "\r\n", "\t", "a", "word", "Longerword", ". ", "! ", ".\" ", "\u00E9", "\u3002", "\u4E2D\u6587",
		"\U0001F600", "\u00A0", "\u2003", ", ", "e.g. ", std::string(30, 'x'), std::string(20, ' '), std::string(9, '\n')};
	std::string text;
	for (std::size_t i = 0; i < pieces; ++i)
		text += kPieces[random() % std::size(kPieces)];
	return text;
}

Errc code_of(std::string_view text, const ChunkOptions &options, Stop stop = {})
{
	try {
		chunk(text, options, stop);
	}
	catch (const Error &error) {
		return error.code();
	}
	return Errc::kInternal;
}

}  // namespace

TEST(Chunker, KeepsItsRuleOnRandomText)
{
	std::mt19937 random(1);
	for (int round = 0; round < 4000; ++round) {
		std::string text = random_text(random, random() % 200);
		ChunkOptions options;
		options.size = 16 + random() % 100;
		options.overlap = random() % (options.size / 2 + 1);
		std::vector<HeadingMark> marks;
		for (std::size_t at = random() % 50; at < text.size() + 20 && random() % 8 != 0; at += random() % 60)
			marks.push_back({cut_before(text, at), "h" + std::to_string(marks.size())});
		std::vector<Chunk> chunks = chunk(text, options, {}, marks);
		ASSERT_EQ(broken_rule(text, options, marks, chunks), "") << "round " << round;
	}
}

TEST(Chunker, CutsAtParagraphsFirst)
{
	EXPECT_EQ(contents("One two three four.\n\nFive six. Seven\neight nine ten eleven", sized(36)),
			  (Strings{"One two three four.", "Five six. Seven\neight nine ten", "eleven"}));
	EXPECT_EQ(contents("One two three four.\n \t\r\nFive six seven eight nine", sized(36))[0], "One two three four.");
}

TEST(Chunker, CutsAtSentencesBeforeLinesAndWords)
{
	EXPECT_EQ(contents("One two three four. Five six\nseven eight nine ten", sized(36))[0], "One two three four.");
	EXPECT_EQ(contents("He said \"one two three.\" Five six\nseven eight nine ten", sized(36))[0],
			  "He said \"one two three.\"");
	EXPECT_EQ(contents("One two three four\nfive six seven eight nine", sized(36))[0], "One two three four");
	EXPECT_EQ(contents("One two three four five six seven eight nine", sized(36))[0],
			  "One two three four five six seven");
	// An abbreviation before a small letter does not end a sentence.
	EXPECT_EQ(contents("One two three four, e.g. five six seven eight", sized(36))[0],
			  "One two three four, e.g. five six");
	// Ideographs write no spaces.
	EXPECT_EQ(contents("\u4E00\u4E8C\u4E09\u56DB\u4E94\u516D\u4E03\u516B\u4E5D\u3002\u4E00\u4E8C\u4E09\u56DB\u4E94\u516D\u4E03",
					   sized(16))[0],
			  "\u4E00\u4E8C\u4E09\u56DB\u4E94\u516D\u4E03\u516B\u4E5D\u3002");
}

TEST(Chunker, TakesAPauseRightAfterAFullChunk)
{
	EXPECT_EQ(contents("0123456789 abcde\n\nnext", sized(16)), (Strings{"0123456789 abcde", "next"}));
	EXPECT_EQ(contents("0123456789 abcde. Next", sized(17)), (Strings{"0123456789 abcde.", "Next"}));
}

TEST(Chunker, CutsUnbrokenTextBySize)
{
	EXPECT_EQ(contents(std::string(40, 'x'), sized(16)), (Strings{std::string(16, 'x'), std::string(16, 'x'), std::string(8, 'x')}));
	std::string faces;
	for (int i = 0; i < 20; ++i)
		faces += "\U0001F600";
	Strings chunks = contents(faces, sized(16));
	ASSERT_EQ(chunks.size(), 2U);
	EXPECT_EQ(chunks[0].size(), 64U);
}

TEST(Chunker, OverlapBeginsAtASentenceElseAtAWord)
{
	Strings sentences = contents("Alpha beta gamma. Delta eps. Zeta eta theta iota kappa lambda.", sized(40, 20));
	EXPECT_EQ(sentences, (Strings{"Alpha beta gamma. Delta eps.", "Delta eps. Zeta eta theta iota kappa", "theta iota kappa lambda."}));
	Strings unbroken = contents(std::string(30, 'x'), sized(20, 5));
	EXPECT_EQ(unbroken, (Strings{std::string(20, 'x'), std::string(15, 'x')}));
}

TEST(Chunker, StartsAChunkAtAHeadingWhenAQuarterIsFull)
{
	std::string text = "Intro text of some length.\n\nPart one\n\nIts text.\n\nPart two\n\nMore.";
	std::vector<HeadingMark> marks{{text.find("Part one"), "one"}, {text.find("Part two"), "two"}};
	std::vector<Chunk> chunks = chunk(text, sized(60, 20), {}, marks);
	ASSERT_EQ(chunks.size(), 3U);
	EXPECT_EQ(chunks[0].content, "Intro text of some length.");
	EXPECT_EQ(chunks[0].heading, "");
	EXPECT_EQ(chunks[1].content, "Part one\n\nIts text.");
	EXPECT_EQ(chunks[1].heading, "one");
	EXPECT_EQ(chunks[1].start_line, 3U);
	EXPECT_EQ(chunks[1].end_line, 5U);
	EXPECT_EQ(chunks[2].heading, "two");

	// Less than a quarter before the heading: it stays together and carries the first heading inside.
	std::vector<Chunk> joined = chunk(text, sized(200), {}, marks);
	ASSERT_EQ(joined.size(), 1U);
	EXPECT_EQ(joined[0].heading, "one");
}

TEST(Chunker, DefinesTheSmallCases)
{
	EXPECT_TRUE(contents("", {}).empty());
	EXPECT_TRUE(contents(" \n\t\u00A0\u3000\r\n", {}).empty());
	EXPECT_EQ(contents("\n\n  x\n", {}), (Strings{"x"}));
	EXPECT_EQ(chunk("\n\n  x\n", {}, {})[0].start_line, 3U);
	EXPECT_EQ(chunk("a\r\nb\rc", {}, {})[0].end_line, 2U);
}

TEST(Chunker, RefusesBadOptionsAndTooManyChunks)
{
	EXPECT_EQ(code_of("x", sized(15)), Errc::kInvalidInput);
	EXPECT_EQ(code_of("x", sized(1000001)), Errc::kInvalidInput);
	EXPECT_EQ(code_of("x", sized(16, 9)), Errc::kInvalidInput);
	EXPECT_EQ(code_of("\xFF", sized(16)), Errc::kInvalidInput);
	ChunkOptions few = sized(16);
	few.max_chunks = 2;
	EXPECT_EQ(contents(std::string(32, 'x'), few).size(), 2U);
	EXPECT_EQ(code_of(std::string(33, 'x'), few), Errc::kLimit);
	Stop now{[](void *) { return true; }, nullptr};
	EXPECT_EQ(code_of(std::string(100000, 'x'), sized(100), now), Errc::kCancelled);
}

// The work is counted by the stop predicate, which is asked once every kStopInterval characters looked at.
TEST(Chunker, DoesLinearWorkOnHostileText)
{
	const std::string long_gap = "word" + std::string(5000, ' ');
	struct Case {
		std::string_view piece;
		std::size_t length;
	};
	const Case cases[] = {{"x", 10'000'000}, {"\n", 10'000'000}, {" ", 1'000'000}, {".", 1'000'000}, {". ", 1'000'000},
						  {"a\n\n", 1'000'000}, {"\u3002", 1'000'000}, {"x\u00A0", 1'000'000}, {long_gap, 1'000'000}};
	for (const Case &hostile : cases) {
		std::string text;
		while (text.size() < hostile.length)
			text += hostile.piece;
		std::vector<HeadingMark> marks;
		for (std::size_t at = 0; at < text.size(); at += 7)
			marks.push_back({at, ""});
		for (ChunkOptions options : {sized(1000, 0), sized(1000, 500), sized(100000, 50000)}) {
			options.max_chunks = text.size();
			std::size_t asked = 0;
			Stop stop{[](void *count) { return ++*static_cast<std::size_t *>(count), false; }, &asked};
			bool marked = options.overlap != 0;
			chunk(text, options, stop, marked ? std::span<const HeadingMark>(marks) : std::span<const HeadingMark>());
			EXPECT_LE(asked, 17 * text.size() / kStopInterval) << "piece '" << hostile.piece.substr(0, 8) << "'";
		}
	}
}
