#include "core/remote/resolve.hpp"

#include "core/error.hpp"
#include "core/workspace/child.hpp"

#include <algorithm>
#include <chrono>
#include <sstream>

namespace vectorizer::remote {

namespace {

using Clock = std::chrono::steady_clock;

/// The caller's stop, or the end of the time that there is.
struct Patience {
	Stop stop;
	Clock::time_point end;

	static bool asked(void *context)
	{
		const auto *patience = static_cast<const Patience *>(context);
		return patience->stop() || Clock::now() >= patience->end;
	}
};

}  // namespace

Resolved resolve(const std::string &host, int timeout_ms, Stop stop)
{
	const std::string program = workspace::find_program("getent");
	if (program.empty())
		return {{}, "could not look up " + host + ": there is no getent"};
	Patience patience{stop, Clock::now() + std::chrono::milliseconds(timeout_ms)};
	const std::string arguments[] = {"ahosts", "--", host};
	workspace::ChildResult child;
	try {
		child = workspace::run_child(program, arguments, {}, {}, {Patience::asked, &patience});
	}
	catch (const Error &error) {
		if (error.code() != Errc::kCancelled || stop())
			throw;
		return {{}, "could not look up " + host + " within " + std::to_string(timeout_ms) + " ms"};
	}

	// A line is "ADDRESS KIND [NAME]"; each address comes once for each kind of socket.
	Resolved result;
	std::istringstream lines(child.output);
	for (std::string line; std::getline(lines, line);) {
		const std::string address = line.substr(0, line.find_first_of(" \t"));
		if (!address.empty() && std::find(result.addresses.begin(), result.addresses.end(), address) == result.addresses.end())
			result.addresses.push_back(address);
	}
	if (result.addresses.empty())
		result.reason = "could not look up " + host + ": there is no such host";
	return result;
}

}  // namespace vectorizer::remote
