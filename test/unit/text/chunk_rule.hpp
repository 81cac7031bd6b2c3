// The chunker's contract as a function: says which rule of core/text/chunker.hpp a result breaks, or nothing.
#pragma once

#include "core/text/chunker.hpp"
#include "core/text/utf8.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::txt {

inline bool all_space(std::string_view text)
{
	for (std::size_t at = 0; at < text.size();) {
		Decoded c = decode(text, at);
		if (!is_space(c.code_point))
			return false;
		at += c.length;
	}
	return true;
}

inline bool space_at_an_end(std::string_view text)
{
	return is_space(decode(text, 0).code_point) || is_space(decode(text, cut_before(text, text.size() - 1)).code_point);
}

inline std::string broken_rule(std::string_view text, const ChunkOptions &options, std::span<const HeadingMark> marks,
							   const std::vector<Chunk> &chunks)
{
	auto line_of = [&](std::size_t at) {
		return 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
	};
	std::size_t covered = 0;
	std::string rebuilt;
	for (std::size_t i = 0; i < chunks.size(); ++i) {
		const Chunk &c = chunks[i];
		std::string where = " in chunk " + std::to_string(i);
		if (c.byte_begin >= c.byte_end || c.byte_end > text.size())
			return "bounds" + where;
		if (c.content != text.substr(c.byte_begin, c.byte_end - c.byte_begin))
			return "content" + where;
		if (!is_valid(c.content))
			return "cut inside a character" + where;
		if (space_at_an_end(c.content))
			return "white space at an end" + where;
		if (count_characters(c.content) > options.size)
			return "size" + where;
		if (i > 0 && (c.byte_begin <= chunks[i - 1].byte_begin || c.byte_end <= chunks[i - 1].byte_end))
			return "order" + where;
		if (c.start_line != line_of(c.byte_begin) || c.end_line != line_of(c.byte_end - 1))
			return "lines" + where;

		if (c.byte_begin < covered) {
			if (count_characters(text.substr(c.byte_begin, covered - c.byte_begin)) > options.overlap)
				return "overlap" + where;
			for (const HeadingMark &mark : marks) {
				if (mark.offset > c.byte_begin && mark.offset <= covered)
					return "overlap across a heading" + where;
			}
		}
		std::size_t fresh = std::max(c.byte_begin, covered);
		std::string_view between = text.substr(covered, fresh - covered);
		if (!all_space(between))
			return "text lost before" + where;
		rebuilt += between;
		rebuilt += text.substr(fresh, c.byte_end - fresh);
		covered = c.byte_end;

		while (is_space(decode(text, fresh).code_point))
			fresh += decode(text, fresh).length;
		std::string_view heading;
		bool above = false;
		for (const HeadingMark &mark : marks) {
			if (mark.offset <= fresh) {
				heading = mark.heading;
				above = true;
			} else if (mark.offset < c.byte_end) {
				if (!above && heading.empty())
					heading = mark.heading;
				if (count_characters(text.substr(fresh, cut_before(text, mark.offset) - fresh)) > options.size / 4)
					return "heading not at a beginning" + where;
			}
		}
		if (c.heading != heading)
			return "heading" + where;
	}
	if (!all_space(text.substr(covered)))
		return "text lost at the end";
	rebuilt += text.substr(covered);
	return rebuilt == text ? "" : "the chunks do not make the text";
}

}  // namespace vectorizer::txt
