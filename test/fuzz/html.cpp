// Fuzzes core/text/html: any bytes give valid text, with marks inside it and in order; plain_html() is a fixed point.
// How to run it: README.md.
#include "core/text/html.hpp"

#include "core/text/html_tags.hpp"
#include "core/text/utf8.hpp"
#include "require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	using namespace vectorizer::txt;
	std::string_view bytes(reinterpret_cast<const char *>(data), size);
	HtmlText page = html_to_text(bytes, {});
	REQUIRE(is_valid(page.text));
	REQUIRE(is_valid(page.title));
	std::size_t last = 0;
	for (const HeadingMark &mark : page.headings) {
		REQUIRE(mark.offset >= last && mark.offset < page.text.size());
		REQUIRE(is_valid(mark.heading) && !mark.heading.empty());
		last = mark.offset;
	}
	std::string plain = plain_html(bytes, {});
	REQUIRE(plain_html(plain, {}) == plain);
	looks_like_html("", bytes);
	return 0;
}
