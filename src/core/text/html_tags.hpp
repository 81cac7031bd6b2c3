// Rewrites HTML into a plain form before libxml2 parses it, so that the parser meets nothing it is slow on.
//
// libxml2 compares every attribute of a tag with all before it: a tag of a million attributes, a few megabytes, would
// hold a server process for hours where no cancel can reach it. What leaves here has at most the five attributes that
// html.cpp reads on a tag, no comments, no declarations and no script or style content; every other '<' is written
// &lt;. Linear time.
#pragma once

#include "core/stop.hpp"

#include <string>
#include <string_view>

namespace vectorizer::txt {

/// REQUIRES: an encoding in which ASCII bytes of value < 0x40 stand for themselves (all that html_source() names do).
/// An unclosed comment, script or tag runs to the end, as in a browser. Throws kCancelled.
std::string plain_html(std::string_view bytes, Stop stop);

}  // namespace vectorizer::txt
