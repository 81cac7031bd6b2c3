// test/t/lib/embeddings_server for tests: its usage says what paths make it do.
#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vectorizer::remote {

/// A process that ends with this object, its standard output to be read, its errors left out if `quiet`.
class Spawned {
public:
	explicit Spawned(const std::vector<std::string> &command, bool quiet = false)
	{
		int ends[2];
		if (pipe2(ends, O_CLOEXEC) != 0)
			return;
		posix_spawn_file_actions_t files;
		posix_spawn_file_actions_init(&files);
		posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
		posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		if (quiet)
			posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
		std::vector<char *> arguments;
		for (const std::string &each : command)
			arguments.push_back(const_cast<char *>(each.c_str()));
		arguments.push_back(nullptr);
		if (posix_spawn(&pid_, arguments[0], &files, nullptr, arguments.data(), environ) != 0)
			pid_ = -1;
		posix_spawn_file_actions_destroy(&files);
		close(ends[1]);
		output_ = ends[0];
	}
	Spawned(const Spawned &) = delete;
	Spawned &operator=(const Spawned &) = delete;
	~Spawned()
	{
		if (pid_ > 0) {
			kill(pid_, SIGTERM);
			while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
			}
		}
		close(output_);
	}

	/// The next line of its output; empty at the end.
	std::string line() const
	{
		std::string result;
		for (char c = 0; read(output_, &c, 1) == 1 && c != '\n';)
			result += c;
		return result;
	}

	/// All that it has to say until it ends.
	std::string rest() const
	{
		std::string result;
		char buffer[4096];
		for (ssize_t got = 0; (got = read(output_, buffer, sizeof buffer)) > 0;)
			result.append(buffer, static_cast<std::size_t>(got));
		return result;
	}

private:
	pid_t pid_ = -1;
	int output_ = -1;
};

class Server {
public:
	Server()
		: folder_(make_folder()),
		  process_({"/usr/bin/perl", script(), "--log", folder_ + "/log", "--control", folder_ + "/control"}),
		  port_(process_.line())
	{
		// The server of databases ignores it, and so does any program that talks to others.
		std::signal(SIGPIPE, SIG_IGN);
	}
	~Server() { std::filesystem::remove_all(folder_); }

	const std::string &port() const { return port_; }

	std::string url(const std::string &faults, const std::string &host = "127.0.0.1") const
	{
		return "http://" + host + ":" + port_ + "/" + faults + "/v1/embeddings";
	}

	void control(const std::string &word) const
	{
		std::ofstream(folder_ + "/control.new") << word << "\n";
		std::filesystem::rename(folder_ + "/control.new", folder_ + "/control");
		std::this_thread::sleep_for(std::chrono::milliseconds(200));
	}

	/// What came in since the last call.
	std::vector<nlohmann::json> requests()
	{
		std::ifstream log(folder_ + "/log");
		std::vector<nlohmann::json> result;
		std::size_t n = 0;
		for (std::string line; std::getline(log, line);) {
			if (n++ >= seen_)
				result.push_back(nlohmann::json::parse(line));
		}
		seen_ = n;
		return result;
	}

private:
	static std::string make_folder()
	{
		std::string name = std::filesystem::temp_directory_path() / "embeddings-XXXXXX";
		return mkdtemp(name.data()) ? name : "";
	}

	static std::string script()
	{
		return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "t/lib/embeddings_server";
	}

	std::string folder_;
	Spawned process_;
	std::string port_;
	std::size_t seen_ = 0;
};

}  // namespace vectorizer::remote
