// UTF-8: validation, decoding, repair, cut positions; and what kind of bytes a file holds.
//
// Valid means what a text column of a UTF-8 database takes: shortest form, no surrogates, at most U+10FFFF, no NUL.
// A broken sequence is consumed as its maximal subpart (Unicode 15, section 3.9, "U+FFFD Substitution of Maximal
// Subparts"), so every function advances by at least one byte. Pure functions, linear time.
//
// The namespace is `txt`, not `text`: the latter would hide the server's type of that name from all of src/pg.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vectorizer::txt {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

struct Decoded {
	char32_t code_point;   // kReplacementCharacter where !valid
	std::uint32_t length;  // bytes consumed, 1 to 4
	bool valid;            // NUL decodes as valid here: it is a code point
};

/// The character at byte `at`. REQUIRES: at < bytes.size().
Decoded decode(std::string_view bytes, std::size_t at);

/// Appends the UTF-8 form of a code point; surrogates and values past U+10FFFF become U+FFFD.
void append_utf8(std::string &out, char32_t code_point);

/// Offset of the first byte that is not valid (NUL included), or npos.
std::size_t find_invalid(std::string_view bytes);
inline bool is_valid(std::string_view bytes) { return find_invalid(bytes) == std::string_view::npos; }

/// Replaces each maximal invalid subpart and each NUL by U+FFFD. Returns how many it replaced.
std::size_t make_valid(std::string &bytes);

/// Characters (code points) in valid text: the bytes that are not continuation bytes.
std::size_t count_characters(std::string_view text);

/// The greatest position <= at where valid text can be cut, never inside a character. at > size gives size.
std::size_t cut_before(std::string_view text, std::size_t at);

/// The byte length of the first `characters` characters, or size if there are fewer.
std::size_t prefix_bytes(std::string_view text, std::size_t characters);

/// Unicode's White_Space property.
bool is_space(char32_t code_point);

enum class ByteOrderMark { kNone, kUtf8, kUtf16Le, kUtf16Be };
ByteOrderMark byte_order_mark(std::string_view bytes);

struct Repaired {
	std::string text;          // valid UTF-8, without byte order mark
	std::size_t replaced = 0;  // sequences replaced by U+FFFD
};

/// The text of a file: UTF-16 with a byte order mark is converted, everything else read as UTF-8 and repaired.
Repaired to_utf8(std::string_view bytes);

/// Whether a file is hardly text, from its first 8 kB: a NUL (unless the bytes begin with a UTF-16 mark), or more than
/// one byte in ten that is a control character other than tab, line feed, form feed, carriage return and escape. What is left may still
/// be text in no encoding: decode_text() says so. Empty input is not binary.
bool looks_binary(std::string_view bytes);

/// `bytes` for a message: invalid bytes, control characters and backslashes as \xNN.
std::string printable(std::string_view bytes);

}  // namespace vectorizer::txt
