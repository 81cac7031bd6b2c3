// When to ask again. Pure functions: the clock and chance are the caller's.
#pragma once

#include <ctime>
#include <string_view>

namespace vectorizer::remote {

inline constexpr double kLongestDelay = 300;         // seconds, by our own count
inline constexpr double kLongestServerDelay = 3600;  // seconds, where the server asks for it

/// Seconds to wait after the `attempt`-th failure in a row (1: the first): 1 s, doubling, at most kLongestDelay, and by chance up
/// to a quarter less, so that callers that failed together do not come back together. The server's own delay counts where it is
/// longer, up to kLongestServerDelay. retry_after < 0: the server said nothing. REQUIRES: 0 <= random01 <= 1.
double next_delay(int attempt, double retry_after, double random01);

/// What a Retry-After header says, in seconds from `now`: a number of seconds, or a date (RFC 9110, section 10.2.3). A date that
/// has passed is 0; -1 for what is neither.
double read_retry_after(std::string_view value, std::time_t now);

}  // namespace vectorizer::remote
