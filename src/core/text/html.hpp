// HTML to text, by libxml2's HTML parser.
//
// Blocks become paragraphs parted by one blank line; list items ("- "), table rows (cells parted by " | "), definition
// terms and line breaks stand on lines of their own; <pre> keeps its lines; other white space collapses. Dropped: head,
// script, style, noscript, template, svg, form controls, <nav>, <header> and <footer> of the page (not those inside
// article or section), and elements whose class, id or role says navigation (navheader, navfooter, toc, breadcrumb,
// sidebar, role="navigation", ...). Positions in chunks of such a text refer to the extracted text.
//
// Any bytes are safe: broken markup, wrong encodings, truncation, nesting of any depth, NULs. No network, no external
// entity, no global state of libxml2 is touched (the server uses the library too).
#pragma once

#include "core/stop.hpp"
#include "core/text/chunker.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::txt {

struct HtmlText {
	std::string title;                  // of <title>, else of the first heading; may be empty
	std::string text;                   // valid UTF-8
	std::vector<HeadingMark> headings;  // h1 to h6, each with its path: "Chapter > Section"
};

/// The encoding is that of a byte order mark, else UTF-8 if the bytes are valid UTF-8, else what <meta> declares.
/// Throws Errc::kLimit (more than 1 GiB of input), kCancelled; bad_alloc. Empty input gives empty text.
HtmlText html_to_text(std::string_view bytes, Stop stop);

/// Whether a file is HTML, by its name's ending (.html .htm .xhtml) or the beginning of its content.
bool looks_like_html(std::string_view path, std::string_view bytes);

}  // namespace vectorizer::txt
