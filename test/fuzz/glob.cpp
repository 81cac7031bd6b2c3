// Fuzzes core/workspace/glob: a pattern is refused or matches; pruning never loses a match. Input: pattern, line feed,
// path.
// How to run it: README.md.
#include "core/workspace/glob.hpp"

#include "core/error.hpp"
#include "require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	using namespace vectorizer;
	using namespace vectorizer::workspace;
	std::string_view input(reinterpret_cast<const char *>(data), size);
	std::size_t split = std::min(input.find('\n'), input.size());
	std::string_view pattern = input.substr(0, split);
	std::string_view path = input.substr(std::min(split + 1, input.size()));
	try {
		Glob glob(pattern);
		bool matches = glob.matches(path);
		REQUIRE(!matches || glob.matches_or_contains(path));
		for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
			std::string_view directory = path.substr(0, slash);
			// An empty directory name says "the root".
			if (directory.empty() || slash + 1 == path.size())
				continue;
			REQUIRE(!matches || glob.may_match_below(directory));
			REQUIRE(!glob.covers(directory) || matches || glob.matches_or_contains(path));
		}
	}
	catch (const Error &error) {
		REQUIRE(error.code() == Errc::kInvalidInput || error.code() == Errc::kLimit);
	}
	return 0;
}
