#include "core/config/document.hpp"

#include "plans.hpp"

#include <gtest/gtest.h>

#include <chrono>

using namespace vectorizer::config;

namespace {

/// The tree on one line: {a: [1, ~], b: "2"}.
std::string shown(const Node &node)
{
	std::string result;
	switch (node.kind) {
		case Node::Kind::kNull: return "~";
		case Node::Kind::kScalar: return node.plain ? node.text : "\"" + node.text + "\"";
		case Node::Kind::kSequence:
			for (const Node *item : node.items)
				result += (result.empty() ? "" : ", ") + shown(*item);
			return "[" + result + "]";
		case Node::Kind::kMap:
			for (const Entry &entry : node.entries)
				result += (result.empty() ? "" : ", ") + entry.key + ": " + shown(*entry.value);
			return "{" + result + "}";
	}
	return result;
}

/// The tree, or else the findings.
std::string read(std::string_view yaml)
{
	Findings findings;
	const Document document(yaml, findings);
	const std::string found = vectorizer::config::shown(findings.take());
	return found.empty() ? shown(*document.root()) : found;
}

}  // namespace

TEST(ConfigDocument, Trees)
{
	EXPECT_EQ(read("a: [1, ~]\nb: '2'\nc:\n  - x: y\n    z:\n"), "{a: [1, ~], b: \"2\", c: [{x: y, z: ~}]}");
	EXPECT_EQ(read("a: |\n  two\n  lines\nb: !!str 1\n"), "{a: \"two\nlines\n\", b: \"1\"}");
	EXPECT_EQ(read("{\"a\": {\"b\": [true, \"\\u00e9\\n\"]}}"), "{a: {b: [true, \"\xC3\xA9\n\"]}}");
	EXPECT_EQ(read("\xEF\xBB\xBF"
				   "a: 1\r\nb: 2\r\n"),
		"{a: 1, b: 2}")
		<< "byte order mark, CR LF";
}

TEST(ConfigDocument, Lines)
{
	Findings findings;
	const Document document("# one\na: 1\nb:\nc:\n  - x\n  -\n  - {d: 2}\n", findings);
	ASSERT_TRUE(document.root());
	const std::vector<Entry> &entries = document.root()->entries;
	ASSERT_EQ(entries.size(), 3u);
	EXPECT_EQ(entries[0].line, 2);
	EXPECT_EQ(entries[1].line, 3);
	EXPECT_EQ(entries[1].value->line, 3);
	EXPECT_EQ(entries[2].line, 4);
	EXPECT_EQ(entries[2].value->items[0]->line, 5);
	EXPECT_EQ(entries[2].value->items[2]->entries[0].line, 7);
}

TEST(ConfigDocument, AliasesAndMergeKeys)
{
	EXPECT_EQ(read("a: &x {k: 1}\nb: *x\n"), "{a: {k: 1}, b: {k: 1}}");
	EXPECT_EQ(read("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\n"), "{a: {k: 1, l: 2}, b: {k: 3, l: 2}}");
	EXPECT_EQ(read("a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y]}\n"), "{a: {k: 1}, b: {k: 2, m: 3}, c: {k: 1, m: 3}}");
	EXPECT_EQ(read("a: {<<: 1}\n"), "error 1 a: \"<<\" merges maps only\n");
	EXPECT_EQ(read("a: &x [1, *x]\n"), "error 1 a[1]: an alias names what it is part of\n");
	EXPECT_TRUE(read("a: *nobody\n").starts_with("error 1 : not YAML: the referenced anchor is not defined"));  // 0.8 names it
	EXPECT_EQ(read("&k a: 1\n*k : 2\n"), "error 2 a: the key is here twice\n");
}

TEST(ConfigDocument, WhatIsRefused)
{
	EXPECT_EQ(read("a:\n  b: 1\n  c: 2\n  b: 3\n"), "error 4 a.b: the key is here twice\n");
	EXPECT_EQ(read("a: 1\n---\nb: 2\n"), "error 2 : a second document begins here; a workspace file is one\n");
	EXPECT_EQ(read("a:\n  ? [1]\n  : 2\n"), "error 2 a: a key is not text, or a bracket is not closed\n");
	EXPECT_EQ(read("a:\n  ~: 2\n"), "error 2 a: a key is missing\n");
	EXPECT_EQ(read(""), "error 1 : the document is empty\n");
	EXPECT_EQ(read("# nothing\n"), "error 1 : the document is empty\n");
	EXPECT_EQ(read("a: \"\\0\"\n"), "error 1 a: a text holds what no database takes (NUL)\n");
	EXPECT_EQ(read("a: 1\nb: \xFF\n"), "error 2 : the document is not UTF-8\n");
	EXPECT_EQ(read("a: 1\n\nb: \x04\n"), "error 3 : control character \\x04: only quoted and escaped\n");
	EXPECT_EQ(read("- [a, b\n- c\n"), "error 1 [0]: a key is not text, or a bracket is not closed\n");
	EXPECT_EQ(read("a: [1, 2\nb: 3\n").substr(0, 18), "error 2 : not YAML");
	EXPECT_EQ(read("a: 1\n  b: 2\n").substr(0, 18), "error 2 : not YAML");
}

TEST(ConfigDocument, Limits)
{
	EXPECT_EQ(read(std::string((1 << 20) + 1, ' ')), "error 1 : the document has more than 1048576 bytes\n");
	const std::string deep = read(std::string(33, '[') + std::string(33, ']'));
	EXPECT_NE(deep.find("the document is nested deeper than 32"), std::string::npos) << deep;
	EXPECT_EQ(read(std::string(32, '[') + std::string(32, ']')).front(), '[');

	std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
	for (int i = 1; i < 9; ++i) {
		const std::string before = "*a" + std::to_string(i - 1);
		laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
		for (int j = 0; j < 9; ++j)
			laughs += ", " + before;
		laughs += "]\n";
	}
	EXPECT_EQ(read(laughs), "error 5 a4: the document has more than 100000 nodes, aliases followed\n");

	std::string chain = "m0: &m0 {k: 1}\n";
	for (int i = 1; i < 2000; ++i)
		chain += "m" + std::to_string(i) + ": &m" + std::to_string(i) + " {<<: *m" + std::to_string(i - 1) + ", k" +
				 std::to_string(i) + ": 1}\n";
	const std::string grown = read(chain);
	EXPECT_NE(grown.find("more than 100000 nodes"), std::string::npos) << grown;
	EXPECT_NE(grown.substr(0, 8), "error 1 ") << "it is told while it grows, not at the end";
}

TEST(ConfigDocument, HostileTextTakesLittleTime)
{
	for (const char *part : {"[", "{", "- ", "? ", ": ", "a: ", "&a ", "*a ", "!", "!a ", "\"", "'", "|\n", ">\n ", "%",
			 "---\n", "...\n", "#", "a\n", "a: b\n", "[a, ", "{a: ", "- - ", "a:\n ", "\t", "[]", "{}", "[:", "{:", "a: [&b",
			 "!<", ", ", "\\", "\"\\", "a: |2\n", "k: \"x\"\n", "a b ", " \n", "\r", "<<: ", "? - : "}) {
		std::string text;
		while (text.size() < 200'000)
			text += part;
		const auto start = std::chrono::steady_clock::now();
		Findings findings;
		const Document document(text, findings);
		const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
		EXPECT_LT(taken.count(), 5) << part;
	}
}
