// Paths of projects as text, without asking the file system.
#pragma once

#include <string>
#include <string_view>

namespace vectorizer::config {

/// The path from the root, without "." and "..", doubled slashes and one at the end. A relative path begins at `base`.
/// Empty if neither is absolute.
std::string absolute_path(std::string_view path, std::string_view base);

/// The path as it reads from `base`, if it is there or below; else the path. REQUIRES: a path as absolute_path gives it.
std::string path_from(std::string_view path, std::string_view base);

}  // namespace vectorizer::config
