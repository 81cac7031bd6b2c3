// Fuzzes core/text/document: bytes under any file name give a text, breaks and chunks that keep their contracts. Input: a byte that
// chooses the name, one of chunk size, then the file. How to run it: README.md.
#include "core/text/document.hpp"

#include "../unit/text/chunk_rule.hpp"
#include "core/text/utf8.hpp"
#include "require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	using namespace vectorizer::txt;
	static constexpr const char *kNames[] = {"a.txt", "a.md", "a.html", "a.c", "a.py", "a.yaml", "a.ini", "a.csv", "a.json", "a.jsonl", "a.log"};
	if (size < 2)
		return 0;
	const char *name = kNames[data[0] % std::size(kNames)];
	ChunkOptions options;
	options.size = 32 + data[1];
	options.overlap = options.size / 10;
	const std::string_view bytes(reinterpret_cast<const char *>(data) + 2, size - 2);
	if (format_of(name, bytes) == Format::kPdf) {
		const Document pages = pdf_document(bytes, {});
		REQUIRE(is_valid(pages.text));
		return 0;
	}
	const Document document = read_document(name, bytes, {});
	REQUIRE(is_valid(document.text) && is_valid(document.title) && is_valid(document.table_header));
	std::size_t last = 0;
	for (const Break &each : document.breaks) {
		REQUIRE(each.offset > last && each.offset <= document.text.size());
		REQUIRE(cut_before(document.text, each.offset) == each.offset);
		last = each.offset;
	}
	const std::string broken =
		broken_rule(document.text, options, document.headings, chunk(document.text, options, {}, document.headings, document.breaks));
	if (!broken.empty())
		std::fprintf(stderr, "rule: %s\n", broken.c_str());
	REQUIRE(broken.empty());
	const Cut cut = cut_document(document, options, {});
	for (const Chunk &each : cut.chunks)
		REQUIRE(is_valid(each.heading));
	return 0;
}
