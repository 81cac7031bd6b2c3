#include "core/workspace/child.hpp"

#include "core/error.hpp"
#include "core/workspace/fd.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vectorizer::workspace {

namespace {

constexpr const char *kLimiter = "/usr/bin/prlimit";
constexpr int kLookMilliseconds = 100;  // between looks at the clock and at `stop`

[[noreturn]] void fail(const char *what, int error)
{
	throw Error(Errc::kIo, std::string("could not ") + what + ": " + std::strerror(error));
}

struct Pipe {
	Fd read;
	Fd write;

	Pipe()
	{
		int ends[2];
		if (pipe2(ends, O_CLOEXEC) != 0)
			fail("make a pipe", errno);
		read = Fd(ends[0]);
		write = Fd(ends[1]);
	}
};

void no_wait(int fd)
{
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		fail("set up a pipe", errno);
}

/// A process that ends with this object.
class Child {
public:
	Child(const std::vector<std::string> &command, int input, int output)
	{
		posix_spawn_file_actions_t files;
		posix_spawn_file_actions_init(&files);
		posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
		posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
		posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
		posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
		posix_spawn_file_actions_addchdir_np(&files, "/");

		posix_spawnattr_t attributes;
		posix_spawnattr_init(&attributes);
		sigset_t signals;
		sigemptyset(&signals);
		posix_spawnattr_setsigmask(&attributes, &signals);
		sigfillset(&signals);
		posix_spawnattr_setsigdefault(&attributes, &signals);
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

		std::vector<char *> arguments;
		for (const std::string &each : command)
			arguments.push_back(const_cast<char *>(each.c_str()));
		arguments.push_back(nullptr);
		char path[] = "PATH=/usr/bin:/bin";
		char locale[] = "LC_ALL=C.UTF-8";
		char *environment[] = {path, locale, nullptr};
		const int error = posix_spawn(&pid_, kLimiter, &files, &attributes, arguments.data(), environment);
		posix_spawnattr_destroy(&attributes);
		posix_spawn_file_actions_destroy(&files);
		if (error != 0)
			fail("start a program", error);
	}

	Child(const Child &) = delete;
	Child &operator=(const Child &) = delete;

	~Child()
	{
		if (pid_ > 0) {
			int status;
			kill(pid_, SIGKILL);
			ended(status, true);
		}
	}

	/// Whether it has ended; then `status` is as waitpid() gives it. `wait`: not before it has.
	bool ended(int &status, bool wait)
	{
		pid_t pid;
		while ((pid = waitpid(pid_, &status, wait ? 0 : WNOHANG)) < 0 && errno == EINTR) {
		}
		if (pid == 0)
			return false;
		pid_ = -1;
		return true;
	}

private:
	pid_t pid_ = -1;
};

}  // namespace

std::string find_program(std::string_view name)
{
	for (const char *folder : {"/usr/bin/", "/usr/local/bin/"}) {
		std::string path = folder + std::string(name);
		if (access(path.c_str(), X_OK) == 0)
			return path;
	}
	return {};
}

ChildResult run_child(const std::string &program, std::span<const std::string> arguments, std::string_view input,
					  const ChildLimits &limits, Stop stop)
{
	std::vector<std::string> command = {kLimiter, "--core=0", "--cpu=" + std::to_string(limits.cpu_seconds),
										"--as=" + std::to_string(limits.memory), "--", program};
	command.insert(command.end(), arguments.begin(), arguments.end());
	Pipe in;
	Pipe out;
	Child child(command, in.read.get(), out.write.get());
	in.read = Fd();
	out.write = Fd();
	no_wait(in.write.get());
	no_wait(out.read.get());

	ChildResult result;
	std::vector<char> buffer(1 << 16);
	const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(limits.wall_seconds);
	int status = 0;
	for (bool open = true; open || !child.ended(status, false);) {
		if (stop())
			throw Error(Errc::kCancelled, "waiting for a program was canceled");
		if (std::chrono::steady_clock::now() > deadline) {
			result.reason = "took longer than " + std::to_string(limits.wall_seconds) + " s";
			result.late = true;
			return result;
		}
		if (!open) {  // it has said all, and has not ended yet
			poll(nullptr, 0, 1);
			continue;
		}
		pollfd ends[] = {{out.read.get(), POLLIN, 0}, {in.write.get(), POLLOUT, 0}};
		poll(ends, in.write.get() >= 0 ? 2 : 1, kLookMilliseconds);
		if (in.write.get() >= 0) {
			// The server ignores SIGPIPE; elsewhere the caller has to.
			const ssize_t written = input.empty() ? 0 : write(in.write.get(), input.data(), input.size());
			if (written > 0)
				input.remove_prefix(static_cast<std::size_t>(written));
			if (input.empty() || (written < 0 && errno != EAGAIN && errno != EINTR))
				in.write = Fd();
		}
		const ssize_t got = read(out.read.get(), buffer.data(), buffer.size());
		open = got != 0;
		if (got > 0)
			result.output.append(buffer.data(), static_cast<std::size_t>(got));
		if (result.output.size() > limits.output) {
			result.reason = "gives more than " + std::to_string(limits.output >> 20) + " MiB";
			return result;
		}
	}
	result.ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (WIFSIGNALED(status))
		result.reason = WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL
			? "took longer than " + std::to_string(limits.cpu_seconds) + " s of computing"
			: std::string("was ended by ") + strsignal(WTERMSIG(status));
	else if (!result.ok)
		result.reason = "failed with status " + std::to_string(WEXITSTATUS(status));
	return result;
}

}  // namespace vectorizer::workspace
