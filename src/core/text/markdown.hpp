// The headings of Markdown, by md4c's parser of CommonMark.
//
// The text itself stays as it is: people write and search Markdown as they read it, and positions in chunks are those of the file.
// Headings are those of the document, ATX or setext, not those inside quotes and lists, nor "#" in code. A block between "---" lines
// at the very beginning is front matter (YAML): it holds no heading, and its "title:" is the document's.
#pragma once

#include "core/stop.hpp"
#include "core/text/chunker.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::txt {

/// A heading's path as in html.hpp.
struct Outline {
	std::string title;                  // of the front matter, else the first heading; may be empty
	std::vector<HeadingMark> headings;  // ascending
};

/// REQUIRES: valid UTF-8. Throws Errc::kLimit (more than 256 MiB), kCancelled; bad_alloc.
Outline outline_markdown(std::string_view text, Stop stop);

/// Whether a file is Markdown, by its name's ending (.md .markdown .mdx, in either case).
bool looks_like_markdown(std::string_view path);

}  // namespace vectorizer::txt
