// The addresses of a host, found without a thread and without standing still.
//
// The C library's resolver blocks, for as long as name servers are silent, and libcurl's way around that is a thread, which a
// server process must not have. So getent(1) asks, in a process of its own (core/workspace/child), which can be waited for with
// an eye on the clock and on `stop`.
#pragma once

#include "core/stop.hpp"

#include <string>
#include <vector>

namespace vectorizer::remote {

struct Resolved {
	std::vector<std::string> addresses;  // IPv4 and IPv6, in the order to try them; empty: not found
	std::string reason;                  // why not
};

/// What the system says of a host (/etc/hosts, DNS and what else nsswitch.conf names). REQUIRES: getent(1) of libc-bin. Throws
/// Errc::kCancelled, and Errc::kIo where no process can be started.
Resolved resolve(const std::string &host, int timeout_ms, Stop stop);

}  // namespace vectorizer::remote
