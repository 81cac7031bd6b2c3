#include "core/workspace/glob.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <random>

using namespace vectorizer;
using namespace vectorizer::workspace;

namespace {

bool matches(std::string_view pattern, std::string_view path)
{
	return Glob(pattern).matches(path);
}

PatternSet patterns(std::vector<std::string> includes, std::vector<std::string> excludes = {})
{
	return PatternSet(includes, excludes);
}

// The meaning of a pattern said another way: braces expanded, then plain recursion. Exponential, for small patterns only.
std::vector<std::string> expand(const std::string &pattern)
{
	std::size_t open = pattern.find('{');
	if (open == std::string::npos)
		return {pattern};
	int depth = 0;
	std::vector<std::string> ways{""};
	std::size_t at = open;
	for (;; ++at) {
		char c = pattern[at];
		depth += (c == '{') - (c == '}');
		if (depth == 0)
			break;
		if (c == ',' && depth == 1)
			ways.emplace_back();
		else if (at != open)
			ways.back() += c;
	}
	std::vector<std::string> result;
	for (const std::string &way : ways) {
		for (const std::string &whole : expand(pattern.substr(0, open) + way + pattern.substr(at + 1)))
			result.push_back(whole);
	}
	return result;
}

bool recursive(std::string_view pattern, std::string_view path, bool fresh = true)
{
	if (pattern.empty())
		return path.empty();
	if (fresh && pattern == "**")
		return true;
	if (fresh && pattern.starts_with("**/") && pattern.size() > 3) {
		if (recursive(pattern.substr(3), path))
			return true;
		std::size_t slash = path.find('/');
		return slash != std::string_view::npos && slash > 0 && recursive(pattern, path.substr(slash + 1));
	}
	if (pattern[0] == '*') {
		return recursive(pattern.substr(1), path, false) ||
			   (!path.empty() && path[0] != '/' && recursive(pattern, path.substr(1), false));
	}
	if (path.empty())
		return false;
	bool same = pattern[0] == '?' ? path[0] != '/' : pattern[0] == path[0];
	return same && recursive(pattern.substr(1), path.substr(1), pattern[0] == '/');
}

std::string random_path(std::mt19937 &random)
{
	std::string path;
	for (std::size_t segments = 1 + random() % 4; segments > 0; --segments) {
		for (std::size_t n = 1 + random() % 2; n > 0; --n)
			path += static_cast<char>('a' + random() % 3);
		path += segments > 1 ? "/" : "";
	}
	return path;
}

std::string random_pattern(std::mt19937 &random)
{
	std::string pattern;
	for (std::size_t segments = 1 + random() % 4; segments > 0; --segments) {
		if (random() % 3 == 0) {
			pattern += "**";
		} else {
			for (std::size_t n = 1 + random() % 3; n > 0; --n)
				pattern += std::vector<std::string>{"a", "b", "c", "*", "?", "{a,b}", "{a*,c}", "{b,{c,a}?}"}[random() % 8];
		}
		pattern += segments > 1 ? "/" : "";
	}
	return pattern;
}

std::string error_of(std::string_view pattern)
{
	try {
		Glob glob(pattern);
	}
	catch (const Error &error) {
		return (error.code() == Errc::kLimit ? "limit: " : "") + std::string(error.what());
	}
	return "";
}

}  // namespace

TEST(Glob, StaysInItsSegment)
{
	EXPECT_TRUE(matches("*.md", "a.md"));
	EXPECT_TRUE(matches("*.md", ".md"));
	EXPECT_FALSE(matches("*.md", "a/b.md"));
	EXPECT_FALSE(matches("a?b", "a/b"));
	EXPECT_FALSE(matches("a[!x]b", "a/b"));
	EXPECT_FALSE(matches("a[/]b", "a/b"));
	EXPECT_TRUE(matches("src/*/x", "src/a/x"));
	EXPECT_FALSE(matches("src/*/x", "src/a/b/x"));
	EXPECT_FALSE(matches("A.md", "a.md"));
}

TEST(Glob, DoubleStarCrossesDirectories)
{
	for (const char *path : {"a.md", "x/a.md", "x/y/a.md"})
		EXPECT_TRUE(matches("**/*.md", path)) << path;
	EXPECT_FALSE(matches("**/*.md", "a.mdx"));
	EXPECT_TRUE(matches("src/**/x.c", "src/x.c"));
	EXPECT_TRUE(matches("src/**/x.c", "src/a/b/x.c"));
	EXPECT_FALSE(matches("src/**/x.c", "src/ax.c"));
	EXPECT_FALSE(matches("src/**/x.c", "srcs/x.c"));
	for (const char *pattern : {"doc/**", "doc/"}) {
		EXPECT_TRUE(matches(pattern, "doc/a"));
		EXPECT_TRUE(matches(pattern, "doc/a/b"));
		EXPECT_FALSE(matches(pattern, "doc"));
		EXPECT_FALSE(matches(pattern, "docs/a"));
	}
	EXPECT_TRUE(matches("**", "a/b/c"));
	EXPECT_TRUE(matches("a**b", "axxb"));
	EXPECT_FALSE(matches("a**b", "a/b"));
	EXPECT_TRUE(matches("{src/**,doc}", "src/a/b"));
	EXPECT_TRUE(matches("./a/*", "a/b"));
}

TEST(Glob, KnowsSetsBracesAndEscapes)
{
	EXPECT_TRUE(matches("[a-c]x", "bx"));
	EXPECT_FALSE(matches("[!a-c]x", "bx"));
	EXPECT_TRUE(matches("[^a-c]x", "dx"));
	EXPECT_TRUE(matches("[]a]", "]"));
	EXPECT_TRUE(matches("[a-]", "-"));
	EXPECT_TRUE(matches("[\\]]", "]"));
	EXPECT_TRUE(matches("*.{c,h}{,pp}", "x.hpp"));
	EXPECT_TRUE(matches("*.{c,h}{,pp}", "x.c"));
	EXPECT_FALSE(matches("*.{c,h}{,pp}", "x.cp"));
	EXPECT_TRUE(matches("{a,{b,c/*}}d", "c/xd"));
	EXPECT_TRUE(matches("a\\*b", "a*b"));
	EXPECT_FALSE(matches("a\\*b", "axb"));
	EXPECT_TRUE(matches("a,b}", "a,b}"));
	// By character, not by byte.
	EXPECT_TRUE(matches("?", "\u00E9"));
	EXPECT_TRUE(matches("[\u00E0-\u00FF]", "\u00E9"));
	EXPECT_TRUE(matches("?x", "\xFFx"));
}

TEST(Glob, AgreesWithPlainRecursion)
{
	std::mt19937 random(1);
	int matched = 0;
	for (int i = 0; i < 60000; ++i) {
		std::string pattern = random_pattern(random);
		std::string path = random_path(random);
		bool expected = false;
		for (const std::string &way : expand(pattern))
			expected = expected || recursive(way, path);
		matched += expected;
		ASSERT_EQ(matches(pattern, path), expected) << pattern << " on " << path;
	}
	EXPECT_GT(matched, 5000);
}

TEST(Glob, SaysWhatIsWrongAndWhere)
{
	EXPECT_EQ(error_of(""), "invalid glob pattern \"\": pattern is empty at position 1");
	EXPECT_EQ(error_of("/etc/*"), "invalid glob pattern \"/etc/*\": pattern begins with \"/\" at position 1");
	EXPECT_EQ(error_of("a{b,c"), "invalid glob pattern \"a{b,c\": \"{\" is not closed at position 2");
	EXPECT_EQ(error_of("ab[c"), "invalid glob pattern \"ab[c\": \"[\" is not closed at position 3");
	EXPECT_EQ(error_of("[z-a]"), "invalid glob pattern \"[z-a]\": range is reversed at position 2");
	EXPECT_NE(error_of("a\\"), "");
	EXPECT_NE(error_of("[]"), "");
	EXPECT_NE(error_of("[a\\"), "");
	EXPECT_EQ(error_of(std::string(4096, 'a')), "");
	EXPECT_TRUE(error_of(std::string(4097, 'a')).starts_with("limit"));
	EXPECT_TRUE(error_of(std::string(33, '{')).starts_with("limit"));
	EXPECT_EQ(error_of(std::string(32, '{') + std::string(32, '}')), "");
}

// What makes backtracking matchers run for ever ends at once here: states times characters.
TEST(Glob, HasNoExponentialCase)
{
	std::string stars;
	std::string braces;
	std::string directories;
	for (int i = 0; i < 500; ++i) {
		stars += "*a";
		braces += "{a,aa}";
		directories += "**/";
	}
	std::string path(5000, 'a');
	EXPECT_FALSE(matches(stars + "b", path));
	EXPECT_FALSE(matches(braces + "b", path));
	EXPECT_FALSE(matches(directories + "b", path));
	std::string deep;
	for (int i = 0; i < 2000; ++i)
		deep += "a/";
	EXPECT_FALSE(matches(directories + "b", deep + "a"));
	EXPECT_TRUE(matches(directories + "a", deep + "a"));
}

TEST(PatternSet, IncludesAndExcludes)
{
	PatternSet set = patterns({"**/*.md", "src/**"}, {"**/node_modules/**", "**/secret", "*.tmp.md"});
	EXPECT_TRUE(set.matches("a.md"));
	EXPECT_TRUE(set.matches("src/x.c"));
	EXPECT_FALSE(set.matches("x.c"));
	EXPECT_FALSE(set.matches("src/node_modules/x.c"));
	EXPECT_FALSE(set.matches("src/secret/a/b.c"));
	EXPECT_FALSE(set.matches("src/secret"));
	EXPECT_FALSE(set.matches("a.tmp.md"));
	EXPECT_TRUE(patterns({}).matches("anything/at/all"));
	EXPECT_TRUE(PatternSet().matches("x"));
	EXPECT_TRUE(PatternSet().may_contain("x"));
}

TEST(PatternSet, PrunesDirectories)
{
	PatternSet set = patterns({"src/**/*.c", "doc/*.md"}, {"**/node_modules/**", "**/.git"});
	EXPECT_TRUE(set.may_contain(""));
	EXPECT_TRUE(set.may_contain("src"));
	EXPECT_TRUE(set.may_contain("src/a/b"));
	EXPECT_FALSE(set.may_contain("source"));
	EXPECT_FALSE(set.may_contain("srcs"));
	EXPECT_TRUE(set.may_contain("doc"));
	EXPECT_FALSE(set.may_contain("doc/sub"));
	EXPECT_FALSE(set.may_contain("src/node_modules"));
	EXPECT_FALSE(set.may_contain("src/node_modules/x"));
	EXPECT_FALSE(set.may_contain("src/.git"));
	EXPECT_FALSE(patterns({}, {"**"}).may_contain(""));
}

// Pruning must not lose a file: whatever matches has only directories above it that may contain something.
TEST(PatternSet, NeverPrunesAMatch)
{
	std::mt19937 random(2);
	int matched = 0;
	int pruned = 0;
	for (int i = 0; i < 60000; ++i) {
		std::string include = random_pattern(random);
		std::string exclude = random_pattern(random);
		PatternSet set = patterns({include}, {exclude});
		std::string path = random_path(random);
		bool matching = set.matches(path);
		matched += matching;
		pruned += !set.may_contain("");
		for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
			bool may = set.may_contain(path.substr(0, slash));
			pruned += !may;
			ASSERT_TRUE(may || !matching) << path << " in " << include << " but " << exclude;
		}
	}
	EXPECT_GT(matched, 3000);
	EXPECT_GT(pruned, 10000);
}
