// Fuzzes core/remote/answer and core/remote/reason: any bytes are an answer with sound values, or say in a line why not. Input: a
// byte of texts, one of dimension, then the body. How to run it: README.md.
#include "core/remote/answer.hpp"

#include "core/remote/reason.hpp"
#include "core/remote/retry.hpp"
#include "core/text/utf8.hpp"
#include "require.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	using namespace vectorizer;
	using namespace vectorizer::remote;
	if (size < 2)
		return 0;
	const std::size_t texts = 1 + data[0] % 8;
	const int dimension = 1 + data[1] % 8;
	const auto width = static_cast<std::size_t>(dimension);
	const std::string_view body(reinterpret_cast<const char *>(data) + 2, size - 2);

	const Answer answer = read_answer(body, texts, dimension, {});
	const bool some = answer.outcome == Outcome::kOk || answer.outcome == Outcome::kPartial;
	REQUIRE(answer.outcome != Outcome::kRefused);
	REQUIRE(answer.reason.empty() == (answer.outcome == Outcome::kOk));
	REQUIRE(answer.values.size() == (some ? texts * width : 0) && answer.given.size() == (some ? texts : 0));
	if (some) {
		const auto given = static_cast<std::size_t>(std::count(answer.given.begin(), answer.given.end(), true));
		REQUIRE(given >= 1 && (given == texts) == (answer.outcome == Outcome::kOk));
		REQUIRE(std::all_of(answer.values.begin(), answer.values.end(), [](float value) { return std::isfinite(value); }));
		for (std::size_t i = 0; i < texts * width; ++i)
			REQUIRE(answer.given[i / width] || answer.values[i] == 0);
	}

	const std::string line = one_line(answer.reason + ": " + server_message(body), "key");
	REQUIRE(txt::is_valid(line) && txt::count_characters(line) <= kMostReasonCharacters);
	REQUIRE(std::none_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; }));
	REQUIRE(read_retry_after(body.substr(0, 64), 0) >= -1);
	return 0;
}
