#include "core/text/records.hpp"

#include "core/text/headings.hpp"
#include "core/text/lines.hpp"

#include <algorithm>

namespace vectorizer::txt {

namespace {

/// A quote that nobody closes holds no more than this.
constexpr std::size_t kMaxQuoted = 1 << 16;

}  // namespace

Records table_records(std::string_view text, Stop stop)
{
	Records records;
	bool quoted = false;
	std::size_t quoted_since = 0;
	std::size_t header_end = text.size();
	for (const Line line : Lines(text, stop)) {
		if (quoted && line.offset - quoted_since > kMaxQuoted)
			quoted = false;
		if (!quoted && line.offset > 0) {
			records.breaks.push_back({0, static_cast<std::uint32_t>(line.offset)});
			header_end = std::min(header_end, line.offset);
		}
		const auto quotes = std::ranges::count(line.text, '"');
		if (quotes % 2 != 0) {
			quoted = !quoted;
			quoted_since = line.offset;
		}
	}
	if (!records.breaks.empty()) {
		records.header = text.substr(0, header_end);
		while (!records.header.empty() && (records.header.back() == '\n' || records.header.back() == '\r'))
			records.header.pop_back();
		std::ranges::replace(records.header, '\r', ' ');
		make_title(records.header);
	}
	return records;
}

Records line_records(std::string_view text, Stop stop)
{
	Records records;
	for (const Line line : Lines(text, stop)) {
		if (line.offset > 0)
			records.breaks.push_back({0, static_cast<std::uint32_t>(line.offset)});
	}
	return records;
}

}  // namespace vectorizer::txt
