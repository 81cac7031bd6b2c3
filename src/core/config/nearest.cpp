#include "core/config/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace vectorizer::config {

namespace {

constexpr std::size_t kLongest = 64;

/// Edits from one word to the other, where neighbours that are swapped are one edit (optimal string alignment).
std::size_t edits(std::string_view a, std::string_view b)
{
	std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
	for (std::size_t j = 0; j <= b.size(); ++j)
		last[j] = j;
	for (std::size_t i = 1; i <= a.size(); ++i) {
		row[0] = i;
		for (std::size_t j = 1; j <= b.size(); ++j) {
			row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = std::min(row[j], before_last[j - 2] + 1);
		}
		std::swap(before_last, last);
		std::swap(last, row);
	}
	return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> known)
{
	if (word.size() > kLongest)
		return {};
	std::string_view found;
	std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
	for (const std::string_view candidate : known) {
		const std::size_t distance = edits(word, candidate);
		// A word of which nothing is left is not near, however short.
		if (distance < best && distance < candidate.size()) {
			best = distance;
			found = candidate;
		}
	}
	return found;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known)
{
	constexpr std::size_t kShortList = 12;
	if (const std::string_view near = nearest(word, known); !near.empty())
		return ": did you mean \"" + std::string(near) + "\"?";
	if (known.empty() || known.size() > kShortList)
		return {};
	std::string list = known.size() == 1 ? "; there is " : "; there are ";
	for (std::size_t i = 0; i < known.size(); ++i)
		list += (i == 0 ? "" : ", ") + std::string(known[i]);
	return list;
}

}  // namespace vectorizer::config
