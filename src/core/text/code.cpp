#include "core/text/code.hpp"

#include "core/error.hpp"
#include "core/text/lines.hpp"

namespace vectorizer::txt {

namespace {

struct Shape {
	bool blank;
	bool at_margin;
	bool closes;  // nothing but brackets and what ends a statement, or a word that ends a block
};

Shape shape_of(std::string_view line)
{
	const std::size_t begin = line.find_first_not_of(" \t\r\f\v");
	if (begin == std::string_view::npos)
		return {true, false, false};
	const std::string_view words = line.substr(begin, line.find_last_not_of(" \t\r\f\v") - begin + 1);
	const bool brackets = words.find_first_not_of("})];,") == std::string_view::npos;
	const bool word = words == "end" || words == "end;" || words == "fi" || words == "done" || words == "esac";
	return {false, begin == 0, brackets || word};
}

}  // namespace

std::vector<Break> code_breaks(std::string_view text, Stop stop)
{
	std::vector<Break> breaks;
	Shape last{true, true, false};  // of the last line that was not blank
	bool blank = true;
	for (const Line line : Lines(text, stop)) {
		const Shape shape = shape_of(line.text);
		if (shape.blank) {
			blank = true;
			continue;
		}
		const bool pause = blank || last.closes;
		const bool definition = shape.at_margin && !shape.closes && (blank || (last.closes && last.at_margin));
		const bool outer = shape.at_margin && !shape.closes && !last.at_margin;
		if (line.offset > 0)
			breaks.push_back({definition ? 0U : (pause && !shape.closes) || outer ? 1U : 2U, static_cast<std::uint32_t>(line.offset)});
		last = shape;
		blank = false;
	}
	return breaks;
}

}  // namespace vectorizer::txt
