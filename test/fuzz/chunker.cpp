// Fuzzes core/text/chunker against its contract (test/unit/text/chunk_rule.hpp). Input: two bytes of size, one of
// overlap, one that says how many marks, and breaks, their distances, then the text.
// How to run it: README.md.
#include "core/text/chunker.hpp"

#include "../unit/text/chunk_rule.hpp"
#include "core/text/utf8.hpp"
#include "require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	using namespace vectorizer::txt;
	if (size < 4)
		return 0;
	ChunkOptions options;
	options.size = 16 + (data[0] | (data[1] & 3U) << 8);
	options.overlap = std::min<std::size_t>(data[2], options.size / 2);
	std::size_t marks_wanted = std::min<std::size_t>(data[3] % 16, size - 4);
	std::string text(reinterpret_cast<const char *>(data) + 4 + marks_wanted, size - 4 - marks_wanted);
	make_valid(text);

	std::vector<HeadingMark> marks;
	std::size_t at = 0;
	for (std::size_t i = 0; i < marks_wanted; ++i) {
		at += data[4 + i];
		marks.push_back({cut_before(text, at), std::to_string(i)});
	}
	std::vector<Break> breaks;
	at = 0;
	for (std::size_t i = 0; i < marks_wanted && data[3] >= 128; ++i) {
		at = cut_before(text, at + 1 + data[4 + i] / 2);
		if (at > 0 && at < text.size() && (breaks.empty() || breaks.back().offset < at))
			breaks.push_back({static_cast<std::uint32_t>(i % 3), static_cast<std::uint32_t>(at)});
	}
	std::string broken = broken_rule(text, options, marks, chunk(text, options, {}, marks, breaks));
	if (!broken.empty())
		std::fprintf(stderr, "rule: %s\n", broken.c_str());
	REQUIRE(broken.empty());
	return 0;
}
