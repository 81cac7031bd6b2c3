// Where JSON may be cut, and what stands where: one pass over the text, which need not be valid JSON.
#pragma once

#include "core/stop.hpp"
#include "core/text/chunker.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::txt {

/// A break before each member and element but a container's first: rank 0 in the outermost container, 1 in those within it, 2 further
/// in. Throws Errc::kCancelled.
std::vector<Break> json_breaks(std::string_view text, Stop stop);

/// The container that each offset lies in, as `servers[3].ports`, at most kMaxTitle characters; empty at the top.
/// REQUIRES: offsets ascending, at most text.size(). Throws Errc::kCancelled.
std::vector<std::string> json_paths(std::string_view text, std::span<const std::size_t> offsets, Stop stop);

}  // namespace vectorizer::txt
