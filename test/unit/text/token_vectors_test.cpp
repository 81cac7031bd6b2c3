#include "core/text/token_vectors.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <sstream>

using namespace vectorizer;
using namespace vectorizer::txt;

namespace {

/// What a file holds, fed in pieces of so many bytes: "token: 1 2; ..."
std::string read(std::string_view file, std::size_t piece = 1000, std::size_t most = 100)
{
	TokenVectors vectors;
	std::ostringstream out;
	std::size_t count = 0;
	auto take = [&](std::string_view token, std::span<const float> numbers) {
		out << token << ":";
		for (const float each : numbers)
			out << " " << each;
		out << "; ";
		return ++count < most;
	};
	for (; !file.empty(); file.remove_prefix(std::min(piece, file.size()))) {
		if (!vectors.feed(file.substr(0, piece), take))
			return out.str();
	}
	vectors.finish(take);
	return out.str();
}

std::string error(std::string_view file)
{
	try {
		read(file);
	}
	catch (const Error &e) {
		return e.what();
	}
	return "";
}

}  // namespace

TEST(TokenVectors, GloveAndWord2vec)
{
	EXPECT_EQ(read("the 0.1 -2 3e1\nof 1 2 3\n"), "the: 0.1 -2 30; of: 1 2 3; ");
	EXPECT_EQ(read("2 3\r\nthe 0.5 -2 3 \r\nof 1 2 3"), "the: 0.5 -2 3; of: 1 2 3; ");
	EXPECT_EQ(read("at name 1 2\n\n. . . 3 4\n7 5 6\n"), "at name: 1 2; . . .: 3 4; 7: 5 6; ");
	EXPECT_EQ(read("small 1e-50 1e-500 2\nnext 1 2 3\n"), "small: 0 0 2; next: 1 2 3; ");
	EXPECT_EQ(error("large 1e50\n"), "line 1: a number that is not finite");
	EXPECT_EQ(error("large 1e500\n"), "line 1: a number that is not finite");
	EXPECT_EQ(read(""), "");
	EXPECT_EQ(read("a 1\nb 2\nc 3\n", 1000, 2), "a: 1; b: 2; ");
	for (std::size_t piece = 1; piece < 12; ++piece)
		EXPECT_EQ(read("the 0.1 -2 3e1\n\u00E9t\u00E9 1 2 3\n", piece), "the: 0.1 -2 30; \u00E9t\u00E9: 1 2 3; ") << piece;
}

TEST(TokenVectors, SaysWhichLineIsWrong)
{
	EXPECT_EQ(error("a 1 2\nb 3\n"), "line 2: \"b\" where the 1. of 2 numbers should be");
	EXPECT_EQ(error("a 1 2\n3 4\n"), "line 2: has 1 numbers, not 2");
	EXPECT_EQ(error("a 1 2\nb x 2\n"), "line 2: \"x\" where the 1. of 2 numbers should be");
	EXPECT_EQ(error("alone\n"), "line 1: has 0 numbers");
	EXPECT_EQ(error("a 1 nan\n"), "line 1: a number that is not finite");
	EXPECT_EQ(error(std::string((1 << 20) + 1, 'x')), "line 1 is longer than a megabyte");
	std::string wide = "a";
	for (int i = 0; i < 2001; ++i)
		wide += " 1";
	EXPECT_EQ(error(wide), "line 1 has more than 2000 numbers");
}
