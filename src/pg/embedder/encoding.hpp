// Texts between the database's encoding and UTF-8, which endpoints speak.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace vectorizer::pg {

/// So many characters of a text in the database's encoding.
inline std::string_view first_characters(std::string_view text, int32 characters)
{
	if (text.size() <= static_cast<std::size_t>(characters))
		return text;
	return text.substr(0, static_cast<std::size_t>(pg_mbcharcliplen(text.data(), static_cast<int>(text.size()), characters)));
}

/// As it is, or palloc'd. Raises what a conversion raises.
inline std::string_view to_utf8(std::string_view text)
{
	const char *converted = pg_server_to_any(text.data(), static_cast<int>(text.size()), PG_UTF8);
	return converted == text.data() ? text : std::string_view(converted);
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
