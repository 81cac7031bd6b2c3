#include "core/text/utf8.hpp"

#include <algorithm>

namespace vectorizer::txt {

namespace {

bool is_continuation(char c)
{
	return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

char32_t utf16_unit(std::string_view bytes, std::size_t at, bool little)
{
	auto a = static_cast<unsigned char>(bytes[at]);
	auto b = static_cast<unsigned char>(bytes[at + 1]);
	return little ? static_cast<char32_t>(b << 8 | a) : static_cast<char32_t>(a << 8 | b);
}

Repaired from_utf16(std::string_view bytes, bool little)
{
	Repaired result;
	result.text.reserve(bytes.size());
	auto replace = [&] {
		append_utf8(result.text, kReplacementCharacter);
		++result.replaced;
	};

	std::size_t at = 0;
	while (at + 1 < bytes.size()) {
		char32_t unit = utf16_unit(bytes, at, little);
		at += 2;
		if (unit >= 0xD800 && unit < 0xDC00 && at + 1 < bytes.size()) {
			char32_t low = utf16_unit(bytes, at, little);
			if (low >= 0xDC00 && low < 0xE000) {
				at += 2;
				append_utf8(result.text, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
				continue;
			}
		}
		if (unit == 0 || (unit >= 0xD800 && unit < 0xE000))
			replace();
		else
			append_utf8(result.text, unit);
	}
	if (at < bytes.size())
		replace();
	return result;
}

}  // namespace

Decoded decode(std::string_view bytes, std::size_t at)
{
	auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
	unsigned char lead = byte(at);
	if (lead < 0x80)
		return {lead, 1, true};
	if (lead < 0xC2 || lead > 0xF4)
		return {kReplacementCharacter, 1, false};

	std::uint32_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	// The second byte's range is narrower after four leads: no overlong forms, no surrogates, nothing past U+10FFFF.
	unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
	char32_t code_point = lead & (0x7FU >> length);
	for (std::uint32_t i = 1; i < length; ++i) {
		if (at + i >= bytes.size() || byte(at + i) < low || byte(at + i) > high)
			return {kReplacementCharacter, i, false};
		code_point = code_point << 6 | (byte(at + i) & 0x3FU);
		low = 0x80;
		high = 0xBF;
	}
	return {code_point, length, true};
}

void append_utf8(std::string &out, char32_t code_point)
{
	if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000))
		code_point = kReplacementCharacter;
	auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (code_point >> shift & 0x3F)); };
	if (code_point < 0x80) {
		out += static_cast<char>(code_point);
	} else if (code_point < 0x800) {
		out += static_cast<char>(0xC0 | code_point >> 6);
		tail(0);
	} else if (code_point < 0x10000) {
		out += static_cast<char>(0xE0 | code_point >> 12);
		tail(6);
		tail(0);
	} else {
		out += static_cast<char>(0xF0 | code_point >> 18);
		tail(12);
		tail(6);
		tail(0);
	}
}

std::size_t find_invalid(std::string_view bytes)
{
	for (std::size_t at = 0; at < bytes.size();) {
		Decoded c = decode(bytes, at);
		if (!c.valid || c.code_point == 0)
			return at;
		at += c.length;
	}
	return std::string_view::npos;
}

std::size_t make_valid(std::string &bytes)
{
	std::size_t at = find_invalid(bytes);
	if (at == std::string_view::npos)
		return 0;

	std::size_t replaced = 0;
	std::string repaired;
	repaired.reserve(bytes.size() + 16);
	repaired.assign(bytes, 0, at);
	while (at < bytes.size()) {
		Decoded c = decode(bytes, at);
		if (c.valid && c.code_point != 0) {
			repaired.append(bytes, at, c.length);
		} else {
			append_utf8(repaired, kReplacementCharacter);
			++replaced;
		}
		at += c.length;
	}
	bytes = std::move(repaired);
	return replaced;
}

std::size_t count_characters(std::string_view text)
{
	return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::size_t cut_before(std::string_view text, std::size_t at)
{
	if (at >= text.size())
		return text.size();
	while (at > 0 && is_continuation(text[at]))
		--at;
	return at;
}

std::size_t prefix_bytes(std::string_view text, std::size_t characters)
{
	std::size_t at = 0;
	for (; at < text.size(); ++at) {
		if (!is_continuation(text[at]) && characters-- == 0)
			break;
	}
	return at;
}

bool is_space(char32_t c)
{
	if (c < 0x80)
		return c == ' ' || (c >= '\t' && c <= '\r');
	return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
		   c == 0x205F || c == 0x3000;
}

ByteOrderMark byte_order_mark(std::string_view bytes)
{
	if (bytes.starts_with("\xEF\xBB\xBF"))
		return ByteOrderMark::kUtf8;
	if (bytes.starts_with("\xFF\xFE"))
		return ByteOrderMark::kUtf16Le;
	if (bytes.starts_with("\xFE\xFF"))
		return ByteOrderMark::kUtf16Be;
	return ByteOrderMark::kNone;
}

Repaired to_utf8(std::string_view bytes)
{
	switch (byte_order_mark(bytes)) {
		case ByteOrderMark::kUtf16Le:
			return from_utf16(bytes.substr(2), true);
		case ByteOrderMark::kUtf16Be:
			return from_utf16(bytes.substr(2), false);
		case ByteOrderMark::kUtf8:
			bytes.remove_prefix(3);
			break;
		case ByteOrderMark::kNone:
			break;
	}
	Repaired result{std::string(bytes), 0};
	result.replaced = make_valid(result.text);
	return result;
}

bool looks_binary(std::string_view bytes)
{
	constexpr std::size_t kSample = 8192;
	ByteOrderMark mark = byte_order_mark(bytes);
	bool utf16 = mark == ByteOrderMark::kUtf16Le || mark == ByteOrderMark::kUtf16Be;
	// A character that the sample's end cuts in two is not broken: decode from the whole.
	std::size_t end = std::min(bytes.size(), kSample);
	std::string converted;
	if (utf16) {
		converted = to_utf8(bytes.substr(0, end)).text;
		bytes = converted;
		end = bytes.size();
	}

	std::size_t control = 0;
	for (std::size_t at = 0; at < end;) {
		Decoded c = decode(bytes, at);
		if (c.valid && c.code_point == 0)
			return true;
		if (c.valid && ((c.code_point < ' ' && !is_space(c.code_point) && c.code_point != 0x1B) || c.code_point == 0x7F))
			++control;
		at += c.length;
	}
	return control * 10 > end;
}

std::string printable(std::string_view bytes)
{
	static constexpr char kDigits[] = "0123456789ABCDEF";
	std::string out;
	out.reserve(bytes.size());
	for (std::size_t at = 0; at < bytes.size();) {
		Decoded c = decode(bytes, at);
		bool plain = c.valid && c.code_point >= ' ' && c.code_point != '\\' && !(c.code_point >= 0x7F && c.code_point < 0xA0);
		if (plain) {
			out.append(bytes, at, c.length);
		} else {
			for (std::size_t i = at; i < at + c.length; ++i) {
				auto byte = static_cast<unsigned char>(bytes[i]);
				out += "\\x";
				out += kDigits[byte >> 4];
				out += kDigits[byte & 15];
			}
		}
		at += c.length;
	}
	return out;
}

}  // namespace vectorizer::txt
