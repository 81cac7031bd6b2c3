// Where source code pauses: between definitions, at blank lines, after blocks, at line ends.
//
// Told from indentation and closing brackets alone, so that it holds in any language that people indent. Ranks of a break before
// a line that is not blank:
//   0  it begins at the margin, and a blank line or a block's end at the margin is before it: between definitions
//   1  a blank line or a line of closing brackets is before it, or it begins at the margin after lines that do not
//   2  any other line
#pragma once

#include "core/stop.hpp"
#include "core/text/chunker.hpp"

#include <string_view>
#include <vector>

namespace vectorizer::txt {

/// Breaks of a text, ascending. Throws Errc::kCancelled.
std::vector<Break> code_breaks(std::string_view text, Stop stop);

}  // namespace vectorizer::txt
