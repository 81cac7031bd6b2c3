// What the name of a file says about it: the language it is in, and what such files are for.
#pragma once

#include <span>
#include <string_view>

namespace vectorizer::txt {

enum class Category { kCode, kDocumentation, kConfiguration, kData };

std::string_view category_name(Category category);

struct FileKind {
	std::string_view extensions;  // without dots, in lower case, separated by spaces
	std::string_view names;       // of whole files that need no extension, likewise
	std::string_view language;
	Category category;
};

/// All that are known; an extension and a name stand in one of them.
std::span<const FileKind> file_kinds();

/// The kind of a path, by its last part's name or extension in either case; null if it is not known.
const FileKind *kind_of(std::string_view path);

}  // namespace vectorizer::txt
