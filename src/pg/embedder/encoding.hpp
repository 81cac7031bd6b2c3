// Texts between the database's encoding and UTF-8, which endpoints speak.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
}

namespace vectorizer::pg {

/// As it is, or palloc'd. What cannot be said in UTF-8, or is broken, becomes something else and no error: a text of bytes that are no
/// characters is what core repairs, and where another encoding has none for a character, a question mark stands for all that is not ASCII.
/// REQUIRES: a transaction.
inline std::string_view to_utf8(std::string_view text)
{
	const int encoding = GetDatabaseEncoding();
	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII || text.empty())
		return text;
	const Oid conversion = FindDefaultConversionProc(encoding, PG_UTF8);
	const int most = static_cast<int>(text.size()) * MAX_CONVERSION_GROWTH + 1;
	auto *converted = static_cast<char *>(palloc(static_cast<std::size_t>(most)));
	auto *source = reinterpret_cast<unsigned char *>(const_cast<char *>(text.data()));
	if (OidIsValid(conversion) &&
		pg_do_encoding_conversion_buf(conversion, encoding, PG_UTF8, source, static_cast<int>(text.size()),
									  reinterpret_cast<unsigned char *>(converted), most, true) == static_cast<int>(text.size()))
		return converted;
	std::replace_copy_if(text.begin(), text.end(), converted, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
	return {converted, text.size()};
}

/// Whether there is anything to embed. What is blank has no embedding: most endpoints refuse it.
inline bool is_blank(std::string_view text)
{
	return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

/// So many characters of a UTF-8 text.
inline std::string_view first_characters(std::string_view text, int32 characters)
{
	if (text.size() <= static_cast<std::size_t>(characters))
		return text;
	std::size_t end = 0;
	for (int32 seen = 0; end < text.size(); ++end) {
		const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
		if (begins && seen++ == characters)
			break;
	}
	return text.substr(0, end);
}

/// Palloc'd, of UTF-8; with ? for what the database's encoding may lack.
inline const char *from_utf8(const std::string &text)
{
	char *copy = pstrdup(text.c_str());
	if (GetDatabaseEncoding() != PG_UTF8)
		std::replace_if(copy, copy + text.size(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
	return copy;
}

}  // namespace vectorizer::pg
