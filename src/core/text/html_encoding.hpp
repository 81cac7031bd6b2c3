// Which bytes and which encoding name the HTML parser is given for a file.
#pragma once

#include <string>
#include <string_view>

namespace vectorizer::txt {

struct HtmlSource {
	std::string bytes;     // without NUL and byte order mark
	const char *encoding;  // a name for libxml2, static
};

/// See html_to_text(). Only encodings of a fixed list are ever named: which converter runs is not the file's choice.
HtmlSource html_source(std::string_view bytes);

}  // namespace vectorizer::txt
