#include "core/text/document.hpp"

#include "core/error.hpp"
#include "core/text/charset.hpp"
#include "core/text/code.hpp"
#include "core/text/configuration.hpp"
#include "core/text/file_kinds.hpp"
#include "core/text/html.hpp"
#include "core/text/json.hpp"
#include "core/text/markdown.hpp"
#include "core/text/records.hpp"
#include "core/text/utf8.hpp"

#include <algorithm>

namespace vectorizer::txt {

namespace {

constexpr std::size_t kMaxText = 256 << 20;

const char *media_type(Format format)
{
	switch (format) {
		case Format::kMarkdown: return "text/markdown";
		case Format::kHtml: return "text/html";
		case Format::kTable: return "text/csv";
		case Format::kJson: return "application/json";
		case Format::kRecords: return "application/jsonl";
		case Format::kPdf: return "application/pdf";
		case Format::kCode:
		case Format::kConfiguration:
		case Format::kPlain: return "text/plain";
	}
	return "text/plain";
}

/// Whether a path ends so, in either case. `ending` is in lower case.
bool ends_like(std::string_view path, std::string_view ending)
{
	return path.size() >= ending.size() &&
		std::ranges::equal(path.substr(path.size() - ending.size()), ending,
						   [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

void read_html(std::string_view bytes, Document &document, Stop stop)
{
	HtmlText html = html_to_text(bytes, stop);
	document.title = std::move(html.title);
	document.text = std::move(html.text);
	document.headings = std::move(html.headings);
	if (html.cut_short)
		document.remark = "elements are nested too deeply: the text ends there";
}

void read_plain(std::string_view bytes, Document &document)
{
	PlainText plain = decode_text(bytes);
	document.binary = plain.binary;
	document.text = std::move(plain.text);
	if (!plain.charset.empty())
		document.remark = "read as " + plain.charset;
	if (plain.replaced > 0)
		document.remark += (document.remark.empty() ? "" : "; ") + std::to_string(plain.replaced) + " byte sequences that are not " +
			(plain.charset.empty() ? "UTF-8" : plain.charset) + " were replaced";
}

}  // namespace

Format format_of(std::string_view path, std::string_view bytes)
{
	const FileKind *kind = kind_of(path);
	const std::string_view language = kind == nullptr ? std::string_view() : kind->language;
	if (language == "markdown")  // which may begin with tags
		return Format::kMarkdown;
	if (bytes.starts_with("%PDF-"))
		return Format::kPdf;
	if (looks_like_html(path, bytes))
		return Format::kHtml;
	if (kind == nullptr)
		return Format::kPlain;
	if (language == "csv")
		return Format::kTable;
	if (language == "json")
		return ends_like(path, ".jsonl") || ends_like(path, ".ndjson") ? Format::kRecords : Format::kJson;
	if (language == "log")
		return Format::kRecords;
	if (language == "xml")  // nested as code is
		return Format::kCode;
	switch (kind->category) {
		case Category::kCode: return Format::kCode;
		case Category::kConfiguration: return Format::kConfiguration;
		case Category::kDocumentation:
		case Category::kData: return Format::kPlain;
	}
	return Format::kPlain;
}

Document read_document(std::string_view path, std::string_view bytes, Stop stop)
{
	Document document;
	if (bytes.size() > kMaxText)
		throw Error(Errc::kLimit, "a text of more than 256 MiB");
	document.format = format_of(path, bytes);
	document.media_type = media_type(document.format);
	document.binary = looks_binary(bytes);
	if (!document.binary) {
		if (document.format == Format::kHtml)
			read_html(bytes, document, stop);
		else
			read_plain(bytes, document);
	}
	if (document.binary)
		return document;
	const std::string_view text = document.text;
	switch (document.format) {
		case Format::kMarkdown: {
			Outline outline = outline_markdown(text, stop);
			document.title = std::move(outline.title);
			document.headings = std::move(outline.headings);
			break;
		}
		case Format::kCode: document.breaks = code_breaks(text, stop); break;
		case Format::kConfiguration:
			document.headings = configuration_sections(text, stop);
			document.breaks = code_breaks(text, stop);
			break;
		case Format::kTable: {
			Records records = table_records(text, stop);
			document.breaks = std::move(records.breaks);
			document.table_header = std::move(records.header);
			break;
		}
		case Format::kRecords: document.breaks = line_records(text, stop).breaks; break;
		case Format::kJson: document.breaks = json_breaks(text, stop); break;
		case Format::kPlain:
		case Format::kHtml:
		case Format::kPdf: break;
	}
	return document;
}

Document pdf_document(std::string_view text, Stop stop)
{
	Document document;
	document.format = Format::kPdf;
	document.media_type = media_type(Format::kPdf);
	Repaired repaired = to_utf8(text);
	document.text = std::move(repaired.text);
	std::size_t page = 1;
	for (std::size_t begin = 0; begin < document.text.size(); ++page) {
		if (stop())
			throw Error(Errc::kCancelled, "reading a PDF was canceled");
		document.headings.push_back({begin, "page " + std::to_string(page)});
		const std::size_t end = document.text.find('\f', begin);
		if (end == std::string::npos)
			break;
		begin = end + 1;
	}
	return document;
}

Cut cut_document(const Document &document, const ChunkOptions &options, Stop stop)
{
	Cut cut;
	cut.chunks = chunk(document.text, options, stop, document.headings, document.breaks);
	if (document.format == Format::kTable && !document.table_header.empty()) {
		for (Chunk &each : cut.chunks) {
			if (each.byte_begin > 0)
				each.heading = document.table_header;
		}
	}
	if (document.format == Format::kJson) {
		std::vector<std::size_t> begins;
		for (const Chunk &each : cut.chunks)
			begins.push_back(each.byte_begin);
		const std::vector<std::string> paths = json_paths(document.text, begins, stop);
		for (std::size_t i = 0; i < paths.size(); ++i)
			cut.chunks[i].heading = cut.names.emplace_back(paths[i]);
	}
	return cut;
}

}  // namespace vectorizer::txt
