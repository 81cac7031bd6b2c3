// A file as text that can be cut: what its bytes are, what it says, where it pauses, what its parts are called.
//
//   Document document = read_document("src/a.c", bytes, stop);     // binary? then there is nothing more
//   Cut cut = cut_document(document, {.size = 256}, stop);          // chunks point into document and cut
#pragma once

#include "core/stop.hpp"
#include "core/text/chunker.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::txt {

enum class Format { kPlain, kMarkdown, kHtml, kCode, kConfiguration, kTable, kJson, kRecords, kPdf };

/// By a file's name, and by its beginning where that says HTML or PDF.
Format format_of(std::string_view path, std::string_view bytes);

struct Document {
	bool binary = false;              // hardly text: all that follows is empty
	Format format = Format::kPlain;
	const char *media_type = "text/plain";
	std::string title;                // may be empty
	std::string text;                 // valid UTF-8
	std::vector<HeadingMark> headings;
	std::vector<Break> breaks;
	std::string table_header;         // chunks of a table stand under it
	std::string remark;               // what should be known of how it was read; may be empty
};

/// REQUIRES: not a PDF, whose text comes from elsewhere (pdf_document).
/// Throws Errc::kLimit (more than 256 MiB), kCancelled; bad_alloc.
Document read_document(std::string_view path, std::string_view bytes, Stop stop);

/// A PDF from the text that pdftotext(1) made of it: pages end with a form feed, each is a heading.
Document pdf_document(std::string_view text, Stop stop);

struct Cut {
	std::vector<Chunk> chunks;
	std::deque<std::string> names;  // that chunks' headings may point into
};

/// Throws as chunk().
Cut cut_document(const Document &document, const ChunkOptions &options, Stop stop);

}  // namespace vectorizer::txt
