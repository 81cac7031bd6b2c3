// Records: lines that belong to themselves. A table of comma-separated values, JSON a line, a log.
#pragma once

#include "core/stop.hpp"
#include "core/text/chunker.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::txt {

struct Records {
	std::vector<Break> breaks;  // before each record but the first, of rank 0
	std::string header;         // of a table: its first record, on one line, at most kMaxTitle characters; else empty
};

/// The records of a table (RFC 4180): a line end within double quotes ends none. Throws Errc::kCancelled.
Records table_records(std::string_view text, Stop stop);

/// A record a line.
Records line_records(std::string_view text, Stop stop);

}  // namespace vectorizer::txt
