// HTML to text, by libxml2's HTML parser.
//
// Blocks become paragraphs parted by one blank line; list items ("- "), table rows (cells parted by " | ") and line
// breaks stand on lines of their own, a definition right under its term; <pre> keeps its lines; other white space
// collapses, no-break spaces become spaces. Dropped: head, script, style, noscript, template, svg, form controls,
// <nav>, <header> and <footer> of the page (not those inside article, main or section), what is hidden, and elements
// whose class, id or role says navigation (navheader, navfooter, toc, breadcrumbs, role="navigation", a book's index,
// ...). Positions in chunks of such a text refer to the extracted text.
//
// Any bytes are safe: broken markup, wrong encodings, truncation, NULs. Nesting ends the text at libxml2's own limit
// (256 elements). No network, no external entity, no global state of libxml2 is touched (the server uses the library
// too).
#pragma once

#include "core/stop.hpp"
#include "core/text/chunker.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::txt {

/// A heading's path: the document's title, then the headings it stands under and itself, joined by " > ", at most 200
/// characters of each. The title is left out where the first heading says the same.
struct HtmlText {
	std::string title;                  // of <title>, else of the first heading; may be empty
	std::string text;                   // valid UTF-8
	std::vector<HeadingMark> headings;  // h1 to h6 but those of notes and tips, each with its path
	bool cut_short = false;             // the parser gave up, at elements that are nested too deeply
};

/// The encoding is that of a byte order mark; else UTF-8 if the bytes are valid or at least as many sequences are whole
/// as broken (those become U+FFFD); else what <meta> declares, if that is in common use; else Windows-1252.
/// Throws Errc::kLimit (more than 256 MiB of input), kCancelled; bad_alloc. Empty input gives empty text.
HtmlText html_to_text(std::string_view bytes, Stop stop);

/// Whether a file is HTML, by its name's ending (.html .htm .xhtml) or the beginning of its content.
bool looks_like_html(std::string_view path, std::string_view bytes);

}  // namespace vectorizer::txt
