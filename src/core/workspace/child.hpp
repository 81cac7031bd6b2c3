// Work that is left to another program, under limits: parsers of formats that are not to be trusted near a server.
#pragma once

#include "core/stop.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vectorizer::workspace {

struct ChildLimits {
	std::size_t cpu_seconds = 20;
	std::size_t wall_seconds = 60;
	std::size_t memory = std::size_t{512} << 20;  // bytes of address space
	std::size_t output = std::size_t{64} << 20;   // bytes
};

struct ChildResult {
	bool ok = false;
	std::string output;  // standard output
	std::string reason;  // why it is not ok
	bool late = false;   // it took too long by the clock: it may not, another time
};

/// The program of that name in /usr/bin or /usr/local/bin; empty if it is in neither.
std::string find_program(std::string_view name);

/// Runs a program with `input` as its standard input, in /, with no other file open and an environment of its own. It ends when a
/// limit is met. REQUIRES: prlimit(1) in /usr/bin, of util-linux. Throws Errc::kIo (no process, no pipe), kCancelled; the child has
/// ended by then.
ChildResult run_child(const std::string &program, std::span<const std::string> arguments, std::string_view input,
					  const ChildLimits &limits, Stop stop);

}  // namespace vectorizer::workspace
