// Fuzzes core/text/utf8: repair gives valid text, keeps valid text, and every function agrees with decode().
// How to run it: README.md.
#include "core/text/utf8.hpp"
#include "require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	using namespace vectorizer::txt;
	std::string_view bytes(reinterpret_cast<const char *>(data), size);

	std::string repaired(bytes);
	std::size_t replaced = make_valid(repaired);
	REQUIRE(is_valid(repaired));
	REQUIRE((replaced == 0) == (repaired == bytes));
	REQUIRE((replaced == 0) == is_valid(bytes));
	REQUIRE(is_valid(to_utf8(bytes).text));
	REQUIRE(is_valid(printable(bytes)));
	looks_binary(bytes);

	std::string encoded;
	std::size_t characters = 0;
	for (std::size_t at = 0; at < repaired.size(); ++characters) {
		REQUIRE(prefix_bytes(repaired, characters) == at || characters > 64);
		Decoded c = decode(repaired, at);
		REQUIRE(c.valid && c.length >= 1 && c.length <= 4);
		for (std::size_t i = 0; i < c.length; ++i)
			REQUIRE(cut_before(repaired, at + i) == at);
		append_utf8(encoded, c.code_point);
		at += c.length;
	}
	REQUIRE(encoded == repaired);
	REQUIRE(count_characters(repaired) == characters);
	return 0;
}
