// Walking a directory tree and reading its files, with nothing trusted: not names, not types, not sizes, not what
// stands still.
//
// No symbolic link is followed, no other file system entered, nothing but a regular file opened for reading, and
// nothing blocks on a FIFO or a device. Results are plain memory; no descriptor outlives a call.
#pragma once

#include "core/stop.hpp"
#include "core/workspace/fd.hpp"
#include "core/workspace/glob.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::workspace {

struct ScanLimits {
	std::size_t max_files = 1000000;               // more: the scan ends, cut short
	std::size_t max_entries = 10000000;            // names of any kind looked at; likewise
	std::size_t max_depth = 64;                    // directories below the root; deeper ones are skipped
	std::size_t max_path_bytes = 1500;             // of a path below the root; longer ones are skipped
	std::uint64_t max_file_bytes = 16 << 20;       // larger files are skipped
	std::size_t max_skipped = 10000;               // reasons kept; all are counted
	bool hidden = false;                           // whether names that begin with '.' count
};

/// What tells one state of a file from another.
struct FileStat {
	std::uint64_t size = 0;
	std::int64_t mtime_ns = 0;
	std::int64_t ctime_ns = 0;
	std::uint64_t device = 0;
	std::uint64_t inode = 0;

	bool operator==(const FileStat &) const = default;
};

struct FoundFile {
	std::string path;  // relative to the root, valid UTF-8
	FileStat stat;
};

struct SkippedFile {
	std::string path;    // printable: bytes that are not UTF-8 and control characters as \xNN; cut with "..." if too long
	std::string reason;  // "symbolic link", "FIFO", "larger than 16777216 bytes", "permission denied", ...
};

/// A directory, or what may be one, that could not be read: what is at or below it is not known.
struct Unread {
	std::string path;
	bool vanished;  // it was there a moment before
};

struct ScanResult {
	std::vector<FoundFile> files;      // by path, byte order
	std::vector<SkippedFile> skipped;  // what the patterns want but we do not take; at most max_skipped, by path, each
									   // path once and none that is a file's
	std::size_t skipped_count = 0;     // of all
	std::vector<Unread> unread;
	bool cut_short = false;            // a limit of count was met
	bool hard_links = false;           // a file has other names, whose changes are its own
	std::uint64_t device = 0;          // of the root
	std::uint64_t inode = 0;

	/// Whether a file that is not listed is not there.
	bool complete() const { return unread.empty() && !cut_short; }

	/// The same of this path alone.
	bool knows(std::string_view path) const;
};

/// Who looks on while a tree is walked. Each may be empty.
struct Witness {
	/// Every directory that is opened, before its names are read.
	std::function<void(int directory, const std::string &path)> entered;

	/// Every name that the patterns leave out, a directory with all below it.
	std::function<void(const std::string &path)> left_out;
};

/// What neither patterns nor `hidden` select is left out without a word. Skipped, with a reason: symbolic links, FIFOs,
/// sockets, devices, other file systems, too large, too deep, too long a path, names that are not UTF-8 or hold control characters. A
/// directory that cannot be opened or read, or is gone by then, is skipped and unread. Throws
/// Errc::kIo (the root cannot be read at all), kCancelled.
ScanResult scan(int root, const PatternSet &patterns, const ScanLimits &limits, Stop stop, const Witness &witness = {});

/// The same of these paths alone, each a file, a directory with all below it, or nothing any more. What scan() of the whole tree
/// would list at or below them; complete() speaks of them alone. REQUIRES: relative paths, none empty.
ScanResult scan_paths(int root, const std::set<std::string> &paths, const PatternSet &patterns, const ScanLimits &limits, Stop stop,
					  const Witness &witness = {});

enum class ReadStatus {
	kOk,
	kVanished,  // no such file now
	kChanged,   // size, times or identity changed while it was read: try again later
	kSkipped,   // not a regular file, a symbolic link on the way, too large: reason says
	kFailed,    // the operating system said no: reason says
};

struct ReadResult {
	ReadStatus status = ReadStatus::kOk;
	std::string reason;  // empty if kOk
	std::string bytes;   // empty unless kOk
	FileStat stat;       // of the open file; zero if it could not be opened
};

/// Reads a regular file beneath the root; `path` as scan() gave it. Throws kCancelled and bad_alloc only.
ReadResult read_file(int root, std::string_view path, std::uint64_t max_bytes, Stop stop);

}  // namespace vectorizer::workspace
