#include "core/config/nearest.hpp"
#include "core/config/paths.hpp"
#include "core/config/yaml_text.hpp"

#include "core/config/document.hpp"
#include "plans.hpp"

#include <gtest/gtest.h>

#include <array>

using namespace vectorizer::config;

TEST(ConfigNearest, DidYouMean)
{
	constexpr std::array<std::string_view, 4> kKnown{"chunk_size", "chunk_overlap", "include", "m"};
	EXPECT_EQ(nearest("chunk_sise", kKnown), "chunk_size");
	EXPECT_EQ(nearest("chunksize", kKnown), "chunk_size");
	EXPECT_EQ(nearest("inlcude", kKnown), "include");
	EXPECT_EQ(nearest("includes", kKnown), "include");
	EXPECT_EQ(nearest("colour", kKnown), "");
	EXPECT_EQ(nearest("x", kKnown), "") << "one letter is not near another";
	EXPECT_EQ(nearest("", kKnown), "");
	EXPECT_EQ(nearest(std::string(100'000, 'x'), kKnown), "");
	EXPECT_EQ(suggestion("include_", kKnown), ": did you mean \"include\"?");
	EXPECT_EQ(suggestion("colour", kKnown), "; there are chunk_size, chunk_overlap, include, m");
	EXPECT_EQ(suggestion("colour", {}), "");
}

TEST(ConfigPaths, Absolute)
{
	EXPECT_EQ(absolute_path("a/b", "/srv"), "/srv/a/b");
	EXPECT_EQ(absolute_path("./a//b/../c/", "/srv/"), "/srv/a/c");
	EXPECT_EQ(absolute_path("../../..", "/srv/x"), "/");
	EXPECT_EQ(absolute_path("//etc/./x", "/srv"), "/etc/x");
	EXPECT_EQ(absolute_path(".", "/srv"), "/srv");
	EXPECT_EQ(absolute_path("a", ""), "");
	EXPECT_EQ(absolute_path("a", "srv"), "");
	EXPECT_EQ(path_from("/srv/a", "/srv"), "a");
	EXPECT_EQ(path_from("/srv", "/srv/"), ".");
	EXPECT_EQ(path_from("/srvx/a", "/srv"), "/srvx/a");
	EXPECT_EQ(path_from("/a", "/"), "a");
	EXPECT_EQ(path_from("/", "/"), ".");
	EXPECT_EQ(path_from("/a", ""), "/a");
}

TEST(ConfigYamlText, Quoting)
{
	EXPECT_EQ(yaml_text("plain"), "plain");
	EXPECT_EQ(yaml_text("two words (and more)"), "two words (and more)");
	EXPECT_EQ(yaml_text("a/b.c_d-e"), "a/b.c_d-e");
	for (const char *text : {"", "yes", "No", "true", "NULL", "~", "1.0", "007", "a: b", "a:", "#x", "a #b", " a", "a ", "- a",
			 "-", "[a", "*a", "&a", "!a", "{a}", "a,b", "a]", ".inf", "'a'", "@a", "%a", "a\tb", "0x1", "<<", "---"})
		EXPECT_EQ(yaml_text(text).front(), '"') << text;
	EXPECT_EQ(yaml_text("a \"b\" \\"), R"("a \"b\" \\")");
	EXPECT_EQ(yaml_text("a\n\t\x01\xC2\x85\xE2\x80\xA8"), R"("a\n\t\u0001\u0085\u2028")");
	EXPECT_EQ(yaml_text("caf\xC3\xA9"), "\"caf\xC3\xA9\"");
	EXPECT_EQ(yaml_number(0.1), "0.1");
	EXPECT_EQ(yaml_number(2), "2");
}

TEST(ConfigYamlText, LongListsGoOn)
{
	std::vector<std::string> patterns(20, "some/folder/**/*.md");
	YamlLines lines;
	lines.open("a");
	lines.pair("include", patterns);
	EXPECT_GT(lines_of(lines.text()), 3);
	Findings findings;
	const Document document(lines.text(), findings);
	ASSERT_TRUE(document.root());
	const Node &list = *document.root()->entries[0].value->entries[0].value;
	ASSERT_EQ(list.items.size(), 20u);
	for (const Node *item : list.items)
		EXPECT_EQ(item->text, "some/folder/**/*.md");
	std::size_t begin = 0;
	for (std::size_t end = 0; (end = lines.text().find('\n', begin)) != std::string::npos; begin = end + 1)
		EXPECT_LE(end - begin, 120u);
}
