#include "core/remote/retry.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <curl/curl.h>

namespace vectorizer::remote {

double next_delay(int attempt, double retry_after, double random01)
{
	const double own = std::min(kLongestDelay, std::ldexp(1.0, std::clamp(attempt - 1, 0, 30)));
	const double delay = own * (1 - random01 / 4);
	return retry_after > delay ? std::min(retry_after, kLongestServerDelay) : delay;
}

double read_retry_after(std::string_view value, std::time_t now)
{
	const auto blank = [](char c) { return c == ' ' || c == '\t'; };
	while (!value.empty() && blank(value.front()))
		value.remove_prefix(1);
	while (!value.empty() && blank(value.back()))
		value.remove_suffix(1);
	if (value.empty())
		return -1;
	if (std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
		// More digits than a number has are still a long time, not none.
		if (value.size() > 15)
			return 1e15;
		double seconds = 0;
		for (const char digit : value)
			seconds = seconds * 10 + (digit - '0');
		return seconds;
	}
	const std::time_t date = curl_getdate(std::string(value).c_str(), nullptr);
	return date < 0 ? -1 : std::max(0.0, std::difftime(date, now));
}

}  // namespace vectorizer::remote
