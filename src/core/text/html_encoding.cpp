#include "core/text/html_encoding.hpp"

#include "core/text/charset.hpp"
#include "core/text/utf8.hpp"

#include <algorithm>

namespace vectorizer::txt {

namespace {

constexpr const char *kKnown[] = {"iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-9", "iso-8859-15", "windows-1250",
								  "windows-1251", "windows-1253", "windows-1254", "windows-1257", "koi8-r", "koi8-u",
								  "shift_jis", "euc-jp", "euc-kr", "big5", "gbk", "gb18030"};

// What <meta charset=...> or <meta http-equiv ... charset=...> near the beginning says, in lower case.
std::string declared_charset(std::string_view bytes)
{
	std::string head(bytes.substr(0, 4096));
	for (char &c : head)
		c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
	std::size_t at = head.find("charset=");
	if (at == std::string::npos)
		return {};
	at = head.find_first_not_of("\"' ", at + 8);
	if (at == std::string::npos)
		return {};
	return head.substr(at, head.find_first_of("\"'> ;/", at) - at);
}

// Windows-1252, which browsers take for Latin-1 too; its five unassigned bytes become U+FFFD.
std::string from_windows_1252(std::string_view bytes)
{
	static constexpr char16_t kHigh[32] = {0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
										   0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
										   0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
	std::string text;
	text.reserve(bytes.size() + bytes.size() / 8);
	for (char c : bytes) {
		auto byte = static_cast<unsigned char>(c);
		append_utf8(text, byte >= 0x80 && byte < 0xA0 ? kHigh[byte - 0x80] : byte);
	}
	return text;
}

}  // namespace

HtmlSource html_source(std::string_view bytes)
{
	HtmlSource source{{}, "UTF-8"};
	std::string charset;
	if (byte_order_mark(bytes) == ByteOrderMark::kNone && !is_valid(bytes) && !mostly_utf8(bytes))
		charset = declared_charset(bytes);

	const char *const *known = std::find(std::begin(kKnown), std::end(kKnown), charset);
	if (known != std::end(kKnown)) {
		source.bytes = bytes;
		source.encoding = *known;
	} else if (charset == "utf-8" || charset == "utf8" || byte_order_mark(bytes) != ByteOrderMark::kNone || is_valid(bytes) ||
			   mostly_utf8(bytes)) {
		source.bytes = to_utf8(bytes).text;
	} else {
		source.bytes = from_windows_1252(bytes);
	}
	std::replace(source.bytes.begin(), source.bytes.end(), '\0', ' ');
	return source;
}

}  // namespace vectorizer::txt
