// The sections of configuration files: [section] of INI and TOML, keys at the margin of YAML.
#pragma once

#include "core/stop.hpp"
#include "core/text/chunker.hpp"

#include <string_view>
#include <vector>

namespace vectorizer::txt {

/// A mark a section, with its name. Throws Errc::kCancelled.
std::vector<HeadingMark> configuration_sections(std::string_view text, Stop stop);

}  // namespace vectorizer::txt
