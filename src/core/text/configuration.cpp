#include "core/text/configuration.hpp"

#include "core/text/headings.hpp"
#include "core/text/lines.hpp"

namespace vectorizer::txt {

namespace {

std::string_view trimmed(std::string_view text)
{
	const std::size_t begin = text.find_first_not_of(" \t\r");
	return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// What the section that a line begins is called; empty if it begins none.
std::string_view section(std::string_view line)
{
	if (line.empty())
		return {};
	if (line.front() == '[') {
		std::size_t begin = line.find_first_not_of("[ \t");
		std::size_t end = line.find(']');
		return begin == std::string_view::npos || end == std::string_view::npos || end < begin
			? std::string_view()
			: trimmed(line.substr(begin, end - begin));
	}
	// A key alone on its line: what is below it is indented.
	const std::string_view words = trimmed(line);
	const bool key = words.size() > 1 && words.back() == ':' &&
		words.find_first_of(" \t#{}[],&*!|>%@`\"'=") == std::string_view::npos && words.front() != '-';
	return key && words.data() == line.data() ? words.substr(0, words.size() - 1) : std::string_view();
}

}  // namespace

std::vector<HeadingMark> configuration_sections(std::string_view text, Stop stop)
{
	std::vector<HeadingMark> marks;
	for (const Line line : Lines(text, stop)) {
		std::string name(section(line.text));
		if (name.empty())
			continue;
		make_title(name);
		marks.push_back({line.offset, std::move(name)});
	}
	return marks;
}

}  // namespace vectorizer::txt
