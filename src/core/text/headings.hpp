// The headings that a place in a document stands under, as one line.
#pragma once

#include "core/text/utf8.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace vectorizer::txt {

inline constexpr std::size_t kMaxTitle = 200;  // characters; every heading below carries those above it

/// One line of at most kMaxTitle characters.
inline void make_title(std::string &text)
{
	text.resize(prefix_bytes(text, kMaxTitle));
	std::replace(text.begin(), text.end(), '\n', ' ');
}

class HeadingPath {
public:
	/// Goes on to a heading of level 1 to 6. Returns the document's title, the headings above it and itself, joined by " > "; the
	/// title is left out where the first heading says the same.
	std::string enter(std::size_t level, const std::string &heading, std::string_view document)
	{
		levels_[level] = heading;
		std::fill(levels_.begin() + static_cast<std::ptrdiff_t>(level) + 1, levels_.end(), std::string());
		std::string path;
		bool first = true;
		for (const std::string &part : levels_) {
			if (part.empty())
				continue;
			if (first && part != document)
				path = document;
			first = false;
			path += path.empty() ? part : " > " + part;
		}
		return path;
	}

private:
	std::array<std::string, 7> levels_;  // [0] is not used
};

}  // namespace vectorizer::txt
