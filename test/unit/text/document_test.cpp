#include "core/text/document.hpp"

#include "chunk_rule.hpp"
#include "core/error.hpp"
#include "core/text/charset.hpp"
#include "core/text/code.hpp"
#include "core/text/configuration.hpp"
#include "core/text/file_kinds.hpp"
#include "core/text/json.hpp"
#include "core/text/records.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string_view>

using namespace vectorizer;
using namespace vectorizer::txt;
using namespace std::string_view_literals;

namespace {

using Strings = std::vector<std::string>;

/// What the lines are that breaks of a rank stand before.
Strings lines_before(std::string_view text, const std::vector<Break> &breaks, unsigned rank)
{
	Strings result;
	for (const Break &each : breaks) {
		if (each.rank == rank)
			result.emplace_back(text.substr(each.offset, text.find('\n', each.offset) - each.offset));
	}
	return result;
}

Strings chunks_of(const char *path, std::string_view bytes, std::size_t size, std::size_t overlap = 0)
{
	const Document document = read_document(path, bytes, {});
	Strings result;
	for (const Chunk &each : cut_document(document, {.size = size, .overlap = overlap}, {}).chunks)
		result.emplace_back(each.content);
	return result;
}

Strings headings_of(const char *path, std::string_view bytes, std::size_t size)
{
	const Document document = read_document(path, bytes, {});
	const Cut cut = cut_document(document, {.size = size, .overlap = 0}, {});
	Strings result;
	for (const Chunk &each : cut.chunks)
		result.emplace_back(each.heading);
	return result;
}

constexpr std::string_view kC = "#include <stdio.h>\n"
								"#include <math.h>\n"
								"\n"
								"static int twice(int x)\n"
								"{\n"
								"\tint y = x;\n"
								"\n"
								"\treturn 2 * y;\n"
								"}\n"
								"int main(void)\n"
								"{\n"
								"\tif (1) {\n"
								"\t\tputs(\"a\");\n"
								"\t}\n"
								"\treturn 0;\n"
								"}\n";

constexpr std::string_view kPython = "import os\n"
									 "\n"
									 "def row(to):\n"
									 "    for i in to:\n"
									 "        yield i\n"
									 "\n"
									 "    return\n"
									 "class Boat:\n"
									 "    pass\n";

}  // namespace

TEST(FileKinds, NamesAndExtensions)
{
	std::set<std::string_view> seen;
	for (const FileKind &kind : file_kinds()) {
		for (std::string_view list : {kind.extensions, kind.names}) {
			while (!list.empty()) {
				const std::size_t end = std::min(list.find(' '), list.size());
				EXPECT_TRUE(seen.insert(list.substr(0, end)).second || list.substr(0, end) == "dockerfile") << list.substr(0, end);
				list.remove_prefix(std::min(end + 1, list.size()));
			}
		}
	}
	EXPECT_EQ(kind_of("a/b/Main.CPP")->language, "c++");
	EXPECT_EQ(kind_of("src/Makefile")->language, "make");
	EXPECT_EQ(kind_of("CMakeLists.txt")->language, "make");
	EXPECT_EQ(kind_of("x.d/notes"), nullptr);
	EXPECT_EQ(kind_of("x."), nullptr);
	EXPECT_EQ(kind_of(""), nullptr);
	EXPECT_EQ(category_name(kind_of("deploy.yml")->category), "configuration");
}

TEST(Document, FormatsByNameAndBeginning)
{
	EXPECT_EQ(format_of("a.md", "<html>"), Format::kMarkdown);
	EXPECT_EQ(format_of("a", "<!DOCTYPE html><p>x"), Format::kHtml);
	EXPECT_EQ(format_of("a.bin", "%PDF-1.7"), Format::kPdf);
	EXPECT_EQ(format_of("a.rs", ""), Format::kCode);
	EXPECT_EQ(format_of("a.toml", ""), Format::kConfiguration);
	EXPECT_EQ(format_of("a.CSV", ""), Format::kTable);
	EXPECT_EQ(format_of("a.json", ""), Format::kJson);
	EXPECT_EQ(format_of("a.NDJSON", ""), Format::kRecords);
	EXPECT_EQ(format_of("a.log", ""), Format::kRecords);
	EXPECT_EQ(format_of("a.txt", ""), Format::kPlain);
	EXPECT_EQ(format_of("a.unheard", ""), Format::kPlain);
}

TEST(Code, BreaksBetweenDefinitions)
{
	EXPECT_EQ(lines_before(kC, code_breaks(kC, {}), 0), (Strings{"static int twice(int x)", "int main(void)"}));
	EXPECT_EQ(lines_before(kC, code_breaks(kC, {}), 1), (Strings{"\treturn 2 * y;", "\treturn 0;"}));
	EXPECT_EQ(lines_before(kPython, code_breaks(kPython, {}), 0), (Strings{"def row(to):"}));
	EXPECT_EQ(lines_before(kPython, code_breaks(kPython, {}), 1), (Strings{"    return", "class Boat:"}));
	EXPECT_TRUE(code_breaks("", {}).empty());
	EXPECT_TRUE(code_breaks("one line", {}).empty());
}

TEST(Code, ChunksAreDefinitionsWhereTheyFit)
{
	EXPECT_EQ(chunks_of("a.c", kC, 110),
			  (Strings{"#include <stdio.h>\n#include <math.h>\n\nstatic int twice(int x)\n{\n\tint y = x;\n\n\treturn 2 * y;\n}",
					   "int main(void)\n{\n\tif (1) {\n\t\tputs(\"a\");\n\t}\n\treturn 0;\n}"}));
	const Document document = read_document("a.c", kC, {});
	const Cut cut = cut_document(document, {.size = 110, .overlap = 0}, {});
	ASSERT_EQ(cut.chunks.size(), 2U);
	EXPECT_EQ(cut.chunks[1].start_line, 10U);
	EXPECT_EQ(cut.chunks[1].end_line, 16U);
}

TEST(Code, OverlapIsOfWholeLines)
{
	std::string text;
	for (int i = 0; i < 30; ++i)
		text += "value" + std::to_string(100 + i) + " = 1\n";
	const Strings chunks = chunks_of("a.py", text, 64, 30);
	for (const std::string &each : chunks)
		EXPECT_TRUE(each.starts_with("value")) << each;
	EXPECT_EQ(chunks.at(1).substr(0, 8), "value103");
}

TEST(Configuration, SectionsAreHeadings)
{
	const std::string ini = "; top\n[server]\nport = 80\n\n[ log ]\nlevel = info\n[]\n[unclosed\n";
	std::vector<HeadingMark> marks = configuration_sections(ini, {});
	ASSERT_EQ(marks.size(), 2U);
	EXPECT_EQ(marks[0].heading, "server");
	EXPECT_EQ(ini.substr(marks[0].offset, 8), "[server]");
	EXPECT_EQ(marks[1].heading, "log");

	const std::string yaml = "# c\nserver:\n  port: 80\nname: x\n- item:\nlog: # why\n  level: info\nlast:\r\n  a: b\n";
	marks = configuration_sections(yaml, {});
	ASSERT_EQ(marks.size(), 2U);
	EXPECT_EQ(marks[0].heading, "server");
	EXPECT_EQ(marks[1].heading, "last");
	EXPECT_EQ(headings_of("a.toml", "[[a.b]]\nx = 1\ny = 2\nz = 3\n[c]\nx = 1\ny = 3\n", 32), (Strings{"a.b", "c"}));
}

TEST(Records, OfATableStandUnderItsHeader)
{
	const std::string_view csv = "id,name,text\n1,Anna,\"two\nlines, one row\"\n2,\"B \"\"quoted\"\"\",x\n3,C,y\n";
	EXPECT_EQ(lines_before(csv, table_records(csv, {}).breaks, 0), (Strings{"1,Anna,\"two", "2,\"B \"\"quoted\"\"\",x", "3,C,y"}));
	EXPECT_EQ(table_records(csv, {}).header, "id,name,text");
	EXPECT_EQ(chunks_of("a.csv", csv, 32), (Strings{"id,name,text", "1,Anna,\"two\nlines, one row\"", "2,\"B \"\"quoted\"\"\",x\n3,C,y"}));
	EXPECT_EQ(headings_of("a.csv", csv, 32), (Strings{"", "id,name,text", "id,name,text"}));
	EXPECT_EQ(table_records("only one line", {}).header, "");
	const std::string open = "a,b\n\"never closed\n" + std::string(70000, 'x') + "\n1,2\n3,4\n";
	EXPECT_GE(table_records(open, {}).breaks.size(), 3U) << "a quote that nobody closes ends somewhere";
}

TEST(Records, JsonLines)
{
	EXPECT_EQ(chunks_of("a.jsonl", "{\"a\": 1}\n{\"a\": 2}\n{\"a\": 3, \"b\": 4}\n", 20),
			  (Strings{"{\"a\": 1}\n{\"a\": 2}", "{\"a\": 3, \"b\": 4}"}));
}

TEST(Json, BreaksAndPaths)
{
	const std::string json = R"({"servers": [{"name": "a", "ports": [1, 2]}, {"name": "b,\"]"}], "on": true})";
	std::vector<Break> breaks = json_breaks(json, {});
	ASSERT_EQ(breaks.size(), 4U);
	EXPECT_EQ(breaks[0].rank, 2U);  // before "ports"
	EXPECT_EQ(breaks[2].rank, 1U);  // before the second server
	EXPECT_EQ(breaks[3].rank, 0U);  // before "on"
	const std::size_t offsets[] = {0, json.find("\"name\""), json.find("2]"), json.find("\"b,"), json.find("\"on\"")};
	EXPECT_EQ(json_paths(json, offsets, {}), (Strings{"", "servers[0]", "servers[0].ports", "servers[1]", ""}));
	EXPECT_EQ(json_paths("]]}}[1,2", std::vector<std::size_t>{8}, {}), (Strings{""}));
	EXPECT_EQ(json_breaks(std::string(100000, '[') + "1,2", {}).size(), 1U);
}

TEST(Json, LongKeysTakeNoMemory)
{
	std::string json = "{\"" + std::string(1 << 20, 'k') + "\": {";
	std::vector<std::size_t> offsets;
	for (int i = 0; i < 1000; ++i) {
		offsets.push_back(json.size());
		json += "\"a\": 1, ";
	}
	std::size_t bytes = 0;
	for (const std::string &path : json_paths(json, offsets, {}))
		bytes += path.capacity();
	EXPECT_LT(bytes, 1000 * 1000U);
}

TEST(Json, ChunksAreNamedByWhereTheyStand)
{
	std::string json = "{\"servers\": [";
	for (int i = 0; i < 6; ++i)
		json += (i > 0 ? "," : "") + std::string("\n  {\"name\": \"host") + std::to_string(i) + "\", \"port\": 80}";
	json += "\n]}\n";
	EXPECT_EQ(chunks_of("a.json", json, 70).at(1), "{\"name\": \"host1\", \"port\": 80},\n  {\"name\": \"host2\", \"port\": 80},");
	EXPECT_EQ(headings_of("a.json", json, 70).at(1), "servers");
}

TEST(Pdf, PagesAreHeadings)
{
	const Document document = pdf_document("First words.\fSecond page\nwith two lines.\f", {});
	ASSERT_EQ(document.headings.size(), 2U);
	EXPECT_EQ(document.headings[1].heading, "page 2");
	const Cut cut = cut_document(document, {.size = 40, .overlap = 0}, {});
	ASSERT_EQ(cut.chunks.size(), 2U);
	EXPECT_EQ(cut.chunks[1].content, "Second page\nwith two lines.");
	EXPECT_EQ(cut.chunks[1].heading, "page 2");
}

TEST(Charset, IsFoundOut)
{
	EXPECT_EQ(decode_text("plain").charset, "");
	EXPECT_EQ(decode_text("na\xC3\xAFve").text, "na\u00EFve");
	EXPECT_EQ(decode_text("\xFF\xFEh\0i\0"sv).text, "hi");
	PlainText french = decode_text("Le caf\xE9 est ferm\xE9 \xE0 cause de la gr\xE8ve, o\xF9 \xEAtes-vous all\xE9s cet \xE9t\xE9?");
	EXPECT_EQ(french.text, "Le caf\u00E9 est ferm\u00E9 \u00E0 cause de la gr\u00E8ve, o\u00F9 \u00EAtes-vous all\u00E9s cet \u00E9t\u00E9?");
	EXPECT_NE(french.charset, "");
	EXPECT_EQ(decode_text("caf\xE9").text, "caf\u00E9") << "short texts are Windows-1252";
	// KOI8-R
	PlainText russian = decode_text("\xF3\xDF\xC5\xDB\xD8 \xD6\xC5 \xC5\xDD\xA3 \xDC\xD4\xC9\xC8 \xCD\xD1\xC7\xCB\xC9\xC8 \xC6\xD2\xC1\xCE\xC3\xD5\xDA\xD3\xCB\xC9\xC8 "
									"\xC2\xD5\xCC\xCF\xCB, \xC4\xC1 \xD7\xD9\xD0\xC5\xCA \xDE\xC1\xC0. \xFB\xC9\xD2\xCF\xCB\xC1\xD1 \xDC\xCC\xC5\xCB\xD4\xD2\xC9\xC6\xC9\xCB\xC1\xC3\xC9\xD1");
	EXPECT_EQ(russian.charset, "KOI8-R");
	EXPECT_TRUE(russian.text.starts_with("\u0421\u044A\u0435\u0448\u044C \u0436\u0435")) << russian.text;
	EXPECT_TRUE(decode_text(std::string(1000, '\x90')).binary);
	std::mt19937 random(1);
	for (int round = 0; round < 100; ++round) {
		std::string noise(3000, ' ');
		for (char &c : noise)
			c = static_cast<char>(1 + random() % 255);
		EXPECT_TRUE(decode_text(noise).binary) << round;
	}
	const Document document = read_document("a.txt", "Le caf\xE9 est ferm\xE9", {});
	EXPECT_TRUE(document.remark.starts_with("read as ")) << document.remark;
	EXPECT_TRUE(read_document("a.c", "\x7F""ELF\x02\x01\x01\0\0\0"sv, {}).binary);
}

TEST(Document, KeepsTheRuleOfChunksOnRandomText)
{
	static constexpr const char *kNames[] = {"a.c", "a.yml", "a.csv", "a.json", "a.jsonl"};
	static constexpr std::string_view kPieces[] = {"{", "}", "[", "]", "\"", ",", ":", "\n", "\n\n", "\t", "  ", "word", "key: ", "\u00E9", "// x", "\\", "end"};
	std::mt19937 random(1);
	for (int round = 0; round < 500; ++round) {
		std::string text;
		for (unsigned i = 0; i < random() % 300; ++i)
			text += kPieces[random() % std::size(kPieces)];
		const Document document = read_document(kNames[round % std::size(kNames)], text, {});
		const ChunkOptions options{.size = 16 + random() % 100, .overlap = random() % 8};
		EXPECT_EQ(broken_rule(document.text, options, document.headings, chunk(document.text, options, {}, document.headings, document.breaks)), "");
	}
}

TEST(Document, HearsAStop)
{
	Stop at_once{[](void *) { return true; }, nullptr};
	std::string text;
	for (int i = 0; i < 10000; ++i)
		text += "line\n";
	for (const char *name : {"a.c", "a.csv", "a.jsonl", "a.json", "a.ini"})
		EXPECT_THROW(read_document(name, text, at_once), Error) << name;
}
