#include "core/workspace/fd.hpp"

#include "core/error.hpp"
#include "core/text/utf8.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace vectorizer::workspace {

namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;

int open_retrying(int directory, const char *name, int flags)
{
	int fd;
	do
		fd = openat(directory, name, flags);
	while (fd < 0 && errno == EINTR);
	return fd;
}

}  // namespace

Fd::~Fd()
{
	if (fd_ >= 0) {
		int saved = errno;
		close(fd_);
		errno = saved;
	}
}

std::string errno_message(int error)
{
	switch (error) {
		case ELOOP:
			return "symbolic link";
		case ENOTDIR:
			return "not a directory";
		default:
			break;
	}
	std::string message = std::generic_category().message(error);
	if (!message.empty() && message[0] >= 'A' && message[0] <= 'Z')
		message[0] = static_cast<char>(message[0] + 32);
	return message;
}

Fd open_root(const std::string &absolute_path)
{
	std::string shown = txt::printable(absolute_path);
	if (absolute_path.empty() || absolute_path[0] != '/' || absolute_path.find('\0') != std::string::npos)
		throw Error(Errc::kInvalidInput, "\"" + shown + "\" is not an absolute path");

	Fd directory(open_retrying(AT_FDCWD, "/", kDirectory));
	std::size_t at = 1;
	while (directory && at < absolute_path.size()) {
		std::size_t end = std::min(absolute_path.find('/', at), absolute_path.size());
		std::string name = absolute_path.substr(at, end - at);
		at = end + 1;
		if (name.empty() || name == ".")
			continue;
		if (name == "..")
			throw Error(Errc::kInvalidInput, "path \"" + shown + "\" contains \"..\"");
		Fd next(open_retrying(directory.get(), name.c_str(), kDirectory));
		if (!next) {
			int error = errno;
			struct stat status {};
			// With O_DIRECTORY a symbolic link answers ENOTDIR.
			bool link = error == ENOTDIR && fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
			throw Error(Errc::kIo, "could not open directory \"" + shown + "\": \"" +
									   txt::printable(absolute_path.substr(0, end)) + "\": " + errno_message(link ? ELOOP : error));
		}
		directory = std::move(next);
	}
	if (!directory)
		throw Error(Errc::kIo, "could not open directory \"/\": " + errno_message(errno));
	return directory;
}

Fd open_beneath(int root, std::string_view path, int flags)
{
	if (path.empty())
		return Fd(open_retrying(root, ".", flags | O_NOFOLLOW | O_CLOEXEC));

	Fd directory;
	int parent = root;
	for (std::size_t at = 0;;) {
		std::size_t end = std::min(path.find('/', at), path.size());
		std::string name(path.substr(at, end - at));
		if (name.empty() || name == "." || name == ".." || name.find('\0') != std::string::npos) {
			errno = EINVAL;
			return {};
		}
		bool last = end == path.size();
		Fd next(open_retrying(parent, name.c_str(), last ? flags | O_NOFOLLOW | O_CLOEXEC : kDirectory));
		if (last || !next)
			return next;
		directory = std::move(next);
		parent = directory.get();
		at = end + 1;
	}
}

}  // namespace vectorizer::workspace
