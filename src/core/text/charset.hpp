// The text of a file whose encoding nobody has declared.
//
// UTF-8, or UTF-16 with a byte order mark, where the bytes say so. Else ICU's detector is asked, which knows encodings by how often
// sequences of letters stand in the languages that are written in them (ISO 8859, Windows, KOI8, Shift JIS, EUC, Big5, GB 18030);
// where it is not sure, Windows-1252. No bytes are an error.
#pragma once

#include <string>
#include <string_view>

namespace vectorizer::txt {

struct PlainText {
	std::string text;          // valid UTF-8, without byte order mark
	std::string charset;       // that it was read as, where that is neither UTF-8 nor UTF-16; else empty
	std::size_t replaced = 0;  // sequences replaced by U+FFFD
	bool binary = false;       // hardly text in any encoding; text is empty
};

/// Throws bad_alloc.
PlainText decode_text(std::string_view bytes);

/// Whether the bytes make more whole sequences of several bytes in UTF-8 than broken ones, or as many.
bool mostly_utf8(std::string_view bytes);

}  // namespace vectorizer::txt
