#include "core/text/markdown.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

using namespace vectorizer;
using namespace vectorizer::txt;

namespace {

/// "offset heading", one a line.
std::string headings(std::string_view text)
{
	std::string result;
	for (const HeadingMark &mark : outline_markdown(text, {}).headings)
		result += std::to_string(mark.offset) + " " + mark.heading + "\n";
	return result;
}

}  // namespace

TEST(Markdown, PathsOfHeadings)
{
	EXPECT_EQ(headings("# Guide\n\nText.\n\n## Install\n\nMore.\n\n### Debian\n\n## Use\n"),
			  "0 Guide\n16 Guide > Install\n35 Guide > Install > Debian\n47 Guide > Use\n");
	EXPECT_EQ(headings("Guide\n=====\n\nText.\n\nInstall\n---\n"), "0 Guide\n20 Guide > Install\n");
	EXPECT_EQ(headings("No heading\n\nat all.\n"), "");
	EXPECT_EQ(headings(""), "");
}

TEST(Markdown, TextOfHeadings)
{
	EXPECT_EQ(headings("## The `vector` *type* and [its](x) size ##\n"), "0 The vector type and its size\n");
	EXPECT_EQ(headings("text\n\n   # Indented\n"), "6 Indented\n");
	EXPECT_EQ(headings("# **bold first**\n"), "0 bold first\n");
	EXPECT_EQ(headings("Two\nlines\n===\n"), "0 Two lines\n");
	EXPECT_EQ(headings("#\n# ![](x.png)\n#hash\n"), "") << "empty ones, and what is none";
	EXPECT_EQ(headings("# " + std::string(300, 'a') + "\n"), "0 " + std::string(200, 'a') + "\n");
	EXPECT_EQ(headings("# Caf\xC3\xA9\r\n\r\n## R&D\r\n"), "0 Caf\xC3\xA9\n11 Caf\xC3\xA9 > R&D\n");
}

TEST(Markdown, WhatIsNoHeadingOfTheDocument)
{
	EXPECT_EQ(headings("```sh\n# comment\n```\n\n    # code\n\n# One\n"), "33 One\n");
	EXPECT_EQ(headings("> # Quoted\n\n- # In a list\n\n# One\n"), "27 One\n");
	EXPECT_EQ(headings("<div>\n# Raw\n</div>\n\n# One\n"), "20 One\n");
}

TEST(Markdown, FrontMatter)
{
	const Outline outline = outline_markdown("---\ntitle: \"The Guide\"\ntags: [a]\n---\n# Start\n\n## Next\n", {});
	EXPECT_EQ(outline.title, "The Guide");
	ASSERT_EQ(outline.headings.size(), 2u);
	EXPECT_EQ(outline.headings[0].offset, 37u);
	EXPECT_EQ(outline.headings[0].heading, "The Guide > Start");
	EXPECT_EQ(outline.headings[1].heading, "The Guide > Start > Next");
	EXPECT_EQ(headings("---\ntitle: Same\n---\n# Same\n"), "20 Same\n");
	EXPECT_EQ(outline_markdown("---\r\ntitle: Windows\r\n...\r\ntext", {}).title, "Windows");
	EXPECT_EQ(headings("---\n\nA rule, not front matter.\n\n# One\n"), "32 One\n");
}

TEST(Markdown, TheTitleIsTheFirstHeadingElse)
{
	EXPECT_EQ(outline_markdown("## First\n\n# Second\n", {}).title, "First");
	EXPECT_EQ(outline_markdown("text", {}).title, "");
}

TEST(Markdown, HostileTextTakesNoTime)
{
	for (const char *part : {"[a](", "*a **b ", "![[]()", "> ", "- ", "<!--", "`", "\\", "* a\n  ", "[a]: b\n", "&#", "a\n=\n"}) {
		std::string text;
		while (text.size() < 1 << 20)
			text += part;
		outline_markdown(text, {});
	}
}

TEST(Markdown, CanBeCanceled)
{
	const Stop stop{[](void *) { return true; }, nullptr};
	EXPECT_THROW(outline_markdown("# One\n", stop), Error);
}

TEST(Markdown, IsToldByName)
{
	EXPECT_TRUE(looks_like_markdown("a/README.MD"));
	EXPECT_TRUE(looks_like_markdown("b.markdown"));
	EXPECT_FALSE(looks_like_markdown(".md"));
	EXPECT_FALSE(looks_like_markdown("md"));
	EXPECT_FALSE(looks_like_markdown("a.md.txt"));
}
