#include "core/workspace/scan.hpp"

#include "core/error.hpp"
#include "core/text/utf8.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace vectorizer::workspace {

namespace {

FileStat file_stat(const struct stat &status)
{
	auto nanoseconds = [](const struct timespec &time) {
		return static_cast<std::int64_t>(time.tv_sec) * 1000000000 + time.tv_nsec;
	};
	return {static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim), nanoseconds(status.st_ctim),
			static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
}

/// Why a file of this kind is not read, or nothing for a regular file.
const char *irregular(mode_t mode)
{
	if (S_ISREG(mode))
		return nullptr;
	if (S_ISLNK(mode))
		return "symbolic link";
	if (S_ISFIFO(mode))
		return "FIFO";
	if (S_ISSOCK(mode))
		return "socket";
	if (S_ISDIR(mode))
		return "directory";
	return "device";
}

std::string larger_than(std::uint64_t bytes)
{
	return "larger than " + std::to_string(bytes) + " bytes";
}

bool unfit_name(std::string_view name)
{
	if (!txt::is_valid(name))
		return true;
	return std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; });
}

class Scanner {
public:
	Scanner(int root, const PatternSet &patterns, const ScanLimits &limits, Stop stop, const Witness &witness)
		: root_(root), patterns_(patterns), limits_(limits), stop_(stop), witness_(witness)
	{
		struct stat status {};
		if (fstat(root_, &status) != 0)
			throw Error(Errc::kIo, "could not stat the root directory: " + errno_message(errno));
		result_.device = static_cast<std::uint64_t>(status.st_dev);
		result_.inode = static_cast<std::uint64_t>(status.st_ino);
	}

	void all()
	{
		if (patterns_.may_contain(""))
			directories_.push_back({"", 0});
		read_directories();
	}

	void at(const std::set<std::string> &paths)
	{
		for (const std::string &path : paths) {
			if (full_)
				return;
			if (has_ancestor(paths, path))
				continue;
			look_at_path(path);
			read_directories();
		}
	}

	/// What was found, in order.
	ScanResult result()
	{
		auto by_path = [](const auto &a, const auto &b) { return a.path < b.path; };
		std::sort(result_.files.begin(), result_.files.end(), by_path);
		std::sort(result_.skipped.begin(), result_.skipped.end(), by_path);
		auto same_path = [](const auto &a, const auto &b) { return a.path == b.path; };
		// What is made printable or cut can look like something else's path.
		result_.skipped.erase(std::unique(result_.skipped.begin(), result_.skipped.end(), same_path), result_.skipped.end());
		std::erase_if(result_.skipped, [&](const SkippedFile &each) {
			auto at = std::lower_bound(result_.files.begin(), result_.files.end(), each, by_path);
			return at != result_.files.end() && at->path == each.path;
		});
		return std::move(result_);
	}

private:
	struct Directory {
		std::string path;
		std::size_t depth;
	};

	static bool has_ancestor(const std::set<std::string> &paths, const std::string &path)
	{
		for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
			if (paths.contains(path.substr(0, slash)))
				return true;
		}
		return false;
	}

	void read_directories()
	{
		while (!directories_.empty() && !full_) {
			Directory next = std::move(directories_.back());
			directories_.pop_back();
			read(next);
		}
	}

	/// As if its directory had just been read, if a scan would have come there.
	void look_at_path(const std::string &path)
	{
		const std::size_t slash = path.rfind('/');
		const Directory parent{slash == std::string::npos ? std::string() : path.substr(0, slash),
							   static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'))};
		if (parent.depth > limits_.max_depth || !patterns_.may_contain(parent.path) || unfit_name(parent.path) ||
			(!limits_.hidden && (path[0] == '.' || path.find("/.") != std::string::npos)))
			return;
		const Fd fd = open_beneath(root_, parent.path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
		struct stat status {};
		if (!fd || fstat(fd.get(), &status) != 0) {
			// Where no directory is, nothing is below it.
			if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
				result_.unread.push_back({path, false});
			return;
		}
		if (static_cast<std::uint64_t>(status.st_dev) == result_.device)
			look_at(parent, fd.get(), path.c_str() + (slash == std::string::npos ? 0 : slash + 1));
	}

	// Each directory is opened from the root anew: a deep tree holds no descriptors, and a directory that became a
	// symbolic link since it was listed is not entered.
	void read(const Directory &directory)
	{
		Fd fd = open_beneath(root_, directory.path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
		if (!fd) {
			fail(directory, errno);
			return;
		}
		struct stat status {};
		if (fstat(fd.get(), &status) != 0) {
			fail(directory, errno);
			return;
		}
		if (static_cast<std::uint64_t>(status.st_dev) != result_.device) {
			skip(directory.path, "on another file system");
			return;
		}
		if (witness_.entered)
			witness_.entered(fd.get(), directory.path);
		std::unique_ptr<DIR, int (*)(DIR *)> stream(fdopendir(fd.get()), closedir);
		if (stream == nullptr) {
			fail(directory, errno);
			return;
		}
		int descriptor = fd.release();

		while (!full_) {
			errno = 0;
			const dirent *entry = readdir(stream.get());
			if (entry == nullptr) {
				if (errno != 0)
					fail(directory, errno);
				return;
			}
			std::string_view name = entry->d_name;
			if (name == "." || name == ".." || (name[0] == '.' && !limits_.hidden))
				continue;
			if (stop_())
				throw Error(Errc::kCancelled, "scanning a directory was canceled");
			if (++entries_ > limits_.max_entries) {
				end_at("more than " + std::to_string(limits_.max_entries) + " directory entries");
				return;
			}
			look_at(directory, descriptor, entry->d_name);
		}
	}

	void look_at(const Directory &directory, int descriptor, const char *name)
	{
		std::string path = directory.path.empty() ? std::string(name) : directory.path + "/" + name;
		bool wanted = patterns_.matches(path);
		bool may_contain = patterns_.may_contain(path);
		if (!wanted && !may_contain) {
			leave_out(path);
			return;
		}

		struct stat status {};
		if (fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno == ENOENT)
				return;
			skip(path, errno_message(errno));
			result_.unread.push_back({path, false});  // it may be a directory
			return;
		}
		bool is_directory = S_ISDIR(status.st_mode);
		// A link may stand for a directory, whose name no pattern of files matches.
		bool selected = is_directory ? may_contain : wanted || S_ISLNK(status.st_mode);
		if (!selected) {
			leave_out(path);
			return;
		}

		const char *kind = irregular(status.st_mode);
		if (unfit_name(name))
			skip(path, "name is not valid UTF-8 or holds a control character");
		else if (path.size() > limits_.max_path_bytes)
			skip(path, "path is longer than " + std::to_string(limits_.max_path_bytes) + " bytes");
		else if (is_directory && static_cast<std::uint64_t>(status.st_dev) != result_.device)
			skip(path, "on another file system");
		else if (is_directory && directory.depth >= limits_.max_depth)
			skip(path, "deeper than " + std::to_string(limits_.max_depth) + " directories");
		else if (is_directory)
			directories_.push_back({std::move(path), directory.depth + 1});
		else if (kind != nullptr)
			skip(path, kind);
		else
			take(std::move(path), status);
	}

	void leave_out(const std::string &path)
	{
		if (witness_.left_out)
			witness_.left_out(path);
	}

	void take(std::string path, const struct stat &status)
	{
		FileStat stat = file_stat(status);
		result_.hard_links = result_.hard_links || status.st_nlink > 1;
		if (stat.size > limits_.max_file_bytes)
			skip(path, larger_than(limits_.max_file_bytes));
		else if (result_.files.size() == limits_.max_files)
			end_at("more than " + std::to_string(limits_.max_files) + " files");
		else
			result_.files.push_back({std::move(path), stat});
	}

	void skip(const std::string &path, std::string reason)
	{
		++result_.skipped_count;
		if (result_.skipped.size() >= limits_.max_skipped)
			return;
		std::string shown = txt::printable(path);
		if (shown.size() > limits_.max_path_bytes)
			shown = shown.substr(0, txt::cut_before(shown, limits_.max_path_bytes)) + "...";
		result_.skipped.push_back({std::move(shown), std::move(reason)});
	}

	void fail(const Directory &directory, int error)
	{
		if (directory.path.empty())
			throw Error(Errc::kIo, "could not read the root directory: " + errno_message(error));
		// Between listing and opening, a directory may have gone, or a link or file have taken its place.
		const bool changed = error == ENOENT || error == ENOTDIR || error == ELOOP;
		skip(directory.path, changed ? "changed during the scan" : errno_message(error));
		result_.unread.push_back({directory.path, changed});
	}

	void end_at(std::string reason)
	{
		skip("", std::move(reason));
		result_.cut_short = true;
		full_ = true;
	}

	int root_;
	const PatternSet &patterns_;
	const ScanLimits &limits_;
	Stop stop_;
	const Witness &witness_;
	ScanResult result_;
	std::vector<Directory> directories_;  // yet to be read
	std::size_t entries_ = 0;
	bool full_ = false;
};

ReadResult not_read(ReadStatus status, std::string reason, const FileStat &stat = {})
{
	return {status, std::move(reason), {}, stat};
}

ReadResult not_opened(int error)
{
	switch (error) {
		case ENOENT:
			return not_read(ReadStatus::kVanished, "no such file");
		case ELOOP:
			return not_read(ReadStatus::kSkipped, "symbolic link");
		case ENOTDIR:
			return not_read(ReadStatus::kSkipped, "a part of the path is no directory, or a symbolic link");
		case ENXIO:  // a socket
			return not_read(ReadStatus::kSkipped, "socket");
		default:
			return not_read(ReadStatus::kFailed, errno_message(error));
	}
}

}  // namespace

bool ScanResult::knows(std::string_view path) const
{
	return !cut_short && std::none_of(unread.begin(), unread.end(), [&](const Unread &each) {
		return path.starts_with(each.path) && (path.size() == each.path.size() || path[each.path.size()] == '/');
	});
}

ScanResult scan(int root, const PatternSet &patterns, const ScanLimits &limits, Stop stop, const Witness &witness)
{
	Scanner scanner(root, patterns, limits, stop, witness);
	scanner.all();
	return scanner.result();
}

ScanResult scan_paths(int root, const std::set<std::string> &paths, const PatternSet &patterns, const ScanLimits &limits, Stop stop,
					  const Witness &witness)
{
	Scanner scanner(root, patterns, limits, stop, witness);
	scanner.at(paths);
	return scanner.result();
}

ReadResult read_file(int root, std::string_view path, std::uint64_t max_bytes, Stop stop)
{
	Fd fd = path.empty() ? Fd() : open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (!fd)
		return not_opened(path.empty() ? EINVAL : errno);
	struct stat status {};
	if (fstat(fd.get(), &status) != 0)
		return not_read(ReadStatus::kFailed, errno_message(errno));
	FileStat before = file_stat(status);
	if (const char *kind = irregular(status.st_mode))
		return not_read(ReadStatus::kSkipped, kind, before);
	if (before.size > max_bytes)
		return not_read(ReadStatus::kSkipped, larger_than(max_bytes), before);

	// One byte more than its size is asked for, so that a file that grew is noticed and never read to its new end.
	constexpr std::size_t kBlock = 1 << 20;
	std::string bytes(static_cast<std::size_t>(before.size) + 1, '\0');
	std::size_t length = 0;
	while (length < bytes.size()) {
		if (stop())
			throw Error(Errc::kCancelled, "reading a file was canceled");
		ssize_t got = ::read(fd.get(), bytes.data() + length, std::min(kBlock, bytes.size() - length));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return not_read(ReadStatus::kFailed, errno_message(errno), before);
		if (got == 0)
			break;
		length += static_cast<std::size_t>(got);
	}
	if (fstat(fd.get(), &status) != 0)
		return not_read(ReadStatus::kFailed, errno_message(errno), before);
	FileStat after = file_stat(status);
	if (length != before.size || after != before)
		return not_read(ReadStatus::kChanged, "changed while it was read", after);
	bytes.resize(length);
	return {ReadStatus::kOk, {}, std::move(bytes), after};
}

}  // namespace vectorizer::workspace
