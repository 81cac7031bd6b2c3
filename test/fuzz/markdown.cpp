// Fuzzes core/text/markdown: any text gives marks at the beginnings of lines, in order. How to run it: README.md.
#include "core/text/markdown.hpp"

#include "core/text/utf8.hpp"
#include "require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	using namespace vectorizer::txt;
	const Repaired repaired = to_utf8(std::string_view(reinterpret_cast<const char *>(data), size));
	const Outline outline = outline_markdown(repaired.text, {});
	REQUIRE(is_valid(outline.title));
	std::size_t last = 0;
	for (const HeadingMark &mark : outline.headings) {
		REQUIRE(mark.offset >= last && mark.offset < repaired.text.size());
		REQUIRE(mark.offset == 0 || repaired.text[mark.offset - 1] == '\n');
		REQUIRE(is_valid(mark.heading) && !mark.heading.empty());
		last = mark.offset;
	}
	return 0;
}
