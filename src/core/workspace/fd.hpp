// A file descriptor that closes itself, and opening paths that no symbolic link can lead astray.
//
// Functions return plain results, hold at most a few descriptors at a time and close them before they return or throw.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace vectorizer::workspace {

class Fd {
public:
	Fd() = default;
	explicit Fd(int fd) : fd_(fd) {}
	Fd(Fd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Fd &operator=(Fd &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	~Fd();

	int get() const { return fd_; }
	explicit operator bool() const { return fd_ >= 0; }
	int release() { return std::exchange(fd_, -1); }

private:
	int fd_ = -1;
};

/// Opens a directory by its absolute path, each component without following a symbolic link: give it a resolved path
/// (realpath). Throws Errc::kIo that names the path, the component at fault and the reason; kInvalidInput if not
/// absolute.
Fd open_root(const std::string &absolute_path);

/// Opens `path` beneath `root` component by component, following no symbolic link; "" is the root itself. `flags` are
/// those of the last component (O_NOFOLLOW and O_CLOEXEC are added). An empty Fd and errno on failure: EINVAL for an
/// absolute path, an empty, "." or ".." component; ELOOP or ENOTDIR for a symbolic link.
Fd open_beneath(int root, std::string_view path, int flags);

/// What an errno means, for a reason or message: lower case, "symbolic link" for ELOOP.
std::string errno_message(int error);

}  // namespace vectorizer::workspace
