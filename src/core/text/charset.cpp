#include "core/text/charset.hpp"

#include "core/text/utf8.hpp"

#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace vectorizer::txt {

namespace {

constexpr std::size_t kSample = 1 << 16;  // bytes that the detector sees
// Confidence, of 100. For encodings of one byte a character it is the share of letter sequences that are usual in a language: noise
// has 4 or so, and control characters, a line of text 9 and more. Of more bytes it is 10 as soon as nothing is wrong.
constexpr int32_t kLeastOfOneByte = 5;
constexpr int32_t kLeastOfMoreBytes = 25;
constexpr std::string_view kMoreBytes[] = {"Shift_JIS", "GB18030", "EUC-JP", "EUC-KR", "Big5"};
constexpr const char *kFallback = "windows-1252";

struct Guess {
	std::string charset;
	bool sure;
};

Guess guess(std::string_view bytes)
{
	UErrorCode status = U_ZERO_ERROR;
	const std::unique_ptr<UCharsetDetector, decltype(&ucsdet_close)> detector(ucsdet_open(&status), ucsdet_close);
	ucsdet_setText(detector.get(), bytes.data(), static_cast<int32_t>(std::min(bytes.size(), kSample)), &status);
	int32_t count = 0;
	const UCharsetMatch **matches = ucsdet_detectAll(detector.get(), &count, &status);
	for (int32_t i = 0; U_SUCCESS(status) && i < count; ++i) {
		const std::string name = ucsdet_getName(matches[i], &status);
		const int32_t confidence = ucsdet_getConfidence(matches[i], &status);
		if (U_FAILURE(status))
			break;
		if (name.starts_with("UTF-") || name.starts_with("IBM"))  // EBCDIC
			continue;
		const bool more = std::ranges::find(kMoreBytes, name) != std::end(kMoreBytes);
		if (confidence >= (more ? kLeastOfMoreBytes : kLeastOfOneByte))
			return {name, true};
	}
	return {kFallback, false};
}

/// None where ICU has no such converter.
std::optional<std::string> convert(std::string_view bytes, const std::string &charset)
{
	UErrorCode status = U_ZERO_ERROR;
	const std::unique_ptr<UConverter, decltype(&ucnv_close)> from(ucnv_open(charset.c_str(), &status), ucnv_close);
	if (U_FAILURE(status))
		return {};
	auto run = [&](char *out, int32_t room) {
		status = U_ZERO_ERROR;
		return ucnv_toAlgorithmic(UCNV_UTF8, from.get(), out, room, bytes.data(), static_cast<int32_t>(bytes.size()), &status);
	};
	std::string text(static_cast<std::size_t>(run(nullptr, 0)), '\0');
	if (status != U_BUFFER_OVERFLOW_ERROR)
		return {};
	run(text.data(), static_cast<int32_t>(text.size()));
	if (U_FAILURE(status))
		return {};
	return text;
}

}  // namespace

bool mostly_utf8(std::string_view bytes)
{
	std::size_t whole = 0;
	std::size_t broken = 0;
	for (std::size_t at = 0; at < bytes.size();) {
		Decoded c = decode(bytes, at);
		whole += c.valid && c.length > 1;
		broken += !c.valid;
		at += c.length;
	}
	return whole >= broken;
}

PlainText decode_text(std::string_view bytes)
{
	PlainText result;
	if (byte_order_mark(bytes) == ByteOrderMark::kNone && !is_valid(bytes) && !mostly_utf8(bytes)) {
		const Guess guessed = guess(bytes);
		const auto high = static_cast<std::size_t>(std::ranges::count_if(bytes, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }));
		const auto control = static_cast<std::size_t>(std::ranges::count_if(bytes, [](char c) {
			return static_cast<unsigned char>(c) < ' ' && !is_space(static_cast<unsigned char>(c));
		}));
		result.binary = (!guessed.sure && high * 10 > bytes.size() * 3) || control * 50 > bytes.size();
		if (result.binary)
			return result;
		if (std::optional<std::string> text = convert(bytes, guessed.charset)) {
			result.text = std::move(*text);
			result.charset = guessed.charset;
			result.replaced = make_valid(result.text);
			return result;
		}
	}
	Repaired repaired = to_utf8(bytes);
	result.text = std::move(repaired.text);
	result.replaced = repaired.replaced;
	return result;
}

}  // namespace vectorizer::txt
