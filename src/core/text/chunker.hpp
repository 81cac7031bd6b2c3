// Cuts a text into chunks of about equal size that end where the text itself pauses.
//
// The rule, which callers and tests may rely on. Chunk i is text[byte_begin_i, byte_end_i); sizes count characters.
// - Order: byte_begin and byte_end both strictly ascend.
// - Nothing lost: every byte outside all chunks belongs to white space (txt::is_space). Taking the bytes of each chunk
//   past the end of the one before it, and the white space between them, gives the text back.
// - A chunk begins and ends with a character that is not white space. A text of white space has no chunks.
// - Size: at most `size` characters.
// - Overlap: byte_end_i - byte_begin_{i+1} is at most `overlap` characters. It begins at a sentence in its first half (at the first
//   break, where breaks are given), else at a word, else at `overlap` characters, and never reaches back over a heading mark.
// - Cuts: the last paragraph end (blank line) that leaves the chunk between half full and full, else the last sentence
//   end, else line end, else word end, else `size` characters; never inside a UTF-8 sequence. Where breaks are given, the last of
//   the best rank takes the place of paragraph, sentence and line ends; before a word end comes one that leaves it a quarter full.
// - A heading mark starts a new chunk when the chunk before it would be at least a quarter full without its overlap.
//
// Work is linear in the text whatever it holds: every chunk but the last moves on by at least a quarter of `size`
// characters and looks at no more than 4 * size. `stop` is asked once every kStopInterval characters looked at.
#pragma once

#include "core/stop.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::txt {

struct ChunkOptions {
	std::size_t size = 1200;          // characters, 16 to 1,000,000
	std::size_t overlap = 150;        // characters, at most size / 2
	std::size_t max_chunks = 100000;  // more: Errc::kLimit
};

/// A heading of the text: everything from `offset` on stands under it, up to the next mark.
struct HeadingMark {
	std::size_t offset;   // bytes into the text; where the heading's own line begins
	std::string heading;  // may be a path: "19. Server Setup > 19.2. Creating a Cluster"
};

/// Where a text that is no prose may be cut: before `offset`. Rank 0 is the best place, 2 the least.
struct Break {
	std::uint32_t rank : 2;
	std::uint32_t offset : 30;  // texts have at most 256 MiB
};

inline constexpr std::size_t kStopInterval = 1 << 16;

/// Views point into the text and the marks given: valid as long as those.
struct Chunk {
	std::string_view content;
	std::string_view heading;  // the last mark at or before the new part of this chunk; else the first inside; else empty
	std::size_t byte_begin;
	std::size_t byte_end;
	std::uint32_t start_line;  // 1-based; a line ends with its LF
	std::uint32_t end_line;    // the line of the last character
};

/// REQUIRES: marks ascending by offset, breaks strictly so, none inside a character.
/// Throws Errc::kInvalidInput (options out of range, text that is not valid UTF-8), kLimit (max_chunks), kCancelled.
std::vector<Chunk> chunk(std::string_view text, const ChunkOptions &options, Stop stop,
						 std::span<const HeadingMark> marks = {}, std::span<const Break> breaks = {});

}  // namespace vectorizer::txt
