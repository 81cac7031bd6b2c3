#include "core/workspace/scan.hpp"

#include "core/error.hpp"
#include "core/text/utf8.hpp"

#include <gtest/gtest.h>

#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace vectorizer;
using namespace vectorizer::workspace;

namespace {

std::size_t open_descriptors()
{
	std::size_t count = 0;
	for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator("/proc/self/fd"))
		++count;
	return count;
}

class Tree : public ::testing::Test {
protected:
	void SetUp() override
	{
		std::string name = (std::filesystem::temp_directory_path() / "vectorizer-scan-XXXXXX").string();
		ASSERT_NE(mkdtemp(name.data()), nullptr);
		chmod(name.c_str(), 0755);
		path_ = std::filesystem::canonical(name).string();
		root_ = open_root(path_);
		descriptors_ = open_descriptors();
	}

	void TearDown() override
	{
		EXPECT_EQ(open_descriptors(), descriptors_) << "a descriptor was left open";
		std::filesystem::remove_all(path_);
	}

	std::string at(const std::string &name) const { return path_ + "/" + name; }

	void write(const std::string &name, const std::string &content = "x")
	{
		std::filesystem::create_directories(std::filesystem::path(at(name)).parent_path());
		std::ofstream(at(name), std::ios::binary) << content;
	}

	ScanResult found(const PatternSet &patterns = {}, const ScanLimits &limits = {})
	{
		return scan(root_.get(), patterns, limits, {});
	}

	static std::vector<std::string> paths(const ScanResult &result)
	{
		std::vector<std::string> names;
		for (const FoundFile &file : result.files)
			names.push_back(file.path);
		return names;
	}

	static std::string reason(const ScanResult &result, std::string_view path)
	{
		for (const SkippedFile &file : result.skipped) {
			if (file.path == path)
				return file.reason;
		}
		return "";
	}

	ReadResult read(std::string_view path, std::uint64_t max_bytes = 1000)
	{
		return read_file(root_.get(), path, max_bytes, {});
	}

	// Runs `check` in a child without root's rights, for whom permissions count.
	static bool as_nobody(const std::function<bool()> &check)
	{
		pid_t child = fork();
		if (child == 0) {
			bool dropped = geteuid() != 0 || setuid(65534) == 0;
			_exit(dropped && check() ? 0 : 1);
		}
		int status = 1;
		waitpid(child, &status, 0);
		return status == 0;
	}

	std::string path_;
	Fd root_;
	std::size_t descriptors_ = 0;
};

using Scan = Tree;
using ReadFile = Tree;
using OpenRoot = Tree;
using Names = std::vector<std::string>;

}  // namespace

TEST_F(Scan, FindsRegularFilesWithTheirStat)
{
	write("b.md", "12345");
	write("a/c.md");
	write("a/d/e.txt");
	std::filesystem::create_directory(at("empty"));
	ScanResult result = found();
	EXPECT_EQ(paths(result), (Names{"a/c.md", "a/d/e.txt", "b.md"}));
	EXPECT_TRUE(result.complete());
	EXPECT_EQ(result.skipped_count, 0U);
	struct stat status {};
	ASSERT_EQ(stat(at("b.md").c_str(), &status), 0);
	EXPECT_EQ(result.files[2].stat.size, 5U);
	EXPECT_EQ(result.files[2].stat.inode, status.st_ino);
	EXPECT_EQ(result.files[2].stat.mtime_ns, status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec);
	ASSERT_EQ(stat(path_.c_str(), &status), 0);
	EXPECT_EQ(result.inode, status.st_ino);
	EXPECT_EQ(result.device, status.st_dev);
	EXPECT_EQ(paths(found()), paths(result)) << "a root can be scanned again";
}

TEST_F(Scan, ObeysPatternsAndLeavesHiddenNamesOut)
{
	write("a.md");
	write("src/x.c");
	write("src/node_modules/y.c");
	write(".git/config.md");
	write("src/.hidden.c");
	const std::string includes[] = {"*.md", "src/**", ".git/**"};
	const std::string excludes[] = {"**/node_modules"};
	PatternSet patterns(includes, excludes);
	ScanResult result = found(patterns);
	EXPECT_EQ(paths(result), (Names{"a.md", "src/x.c"}));
	EXPECT_EQ(result.skipped_count, 0U);
	ScanLimits limits;
	limits.hidden = true;
	EXPECT_EQ(paths(found(patterns, limits)), (Names{".git/config.md", "a.md", "src/.hidden.c", "src/x.c"}));
}

TEST_F(Scan, SkipsWhatIsNoRegularFileAndSaysWhy)
{
	write("ok.md");
	write("big.md", std::string(101, 'x'));
	ASSERT_EQ(symlink("/etc/passwd", at("link.md").c_str()), 0);
	ASSERT_EQ(symlink("/etc", at("linked").c_str()), 0);
	ASSERT_EQ(symlink(".", at("loop").c_str()), 0);
	ASSERT_EQ(mkfifo(at("pipe.md").c_str(), 0600), 0);
	int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	at("socket.md").copy(address.sun_path, sizeof address.sun_path - 1);
	ASSERT_EQ(bind(socket_fd, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
	close(socket_fd);
	write("bad\xFFname.md");
	write("new\nline.md");

	const std::string includes[] = {"**/*.md"};
	ScanLimits limits;
	limits.max_file_bytes = 100;
	ScanResult result = found(PatternSet(includes, {}), limits);
	EXPECT_EQ(paths(result), (Names{"ok.md"}));
	EXPECT_TRUE(result.complete());
	EXPECT_EQ(reason(result, "big.md"), "larger than 100 bytes");
	EXPECT_EQ(reason(result, "link.md"), "symbolic link");
	EXPECT_EQ(reason(result, "linked"), "symbolic link");
	EXPECT_EQ(reason(result, "loop"), "symbolic link");
	EXPECT_EQ(reason(result, "pipe.md"), "FIFO");
	EXPECT_EQ(reason(result, "socket.md"), "socket");
	EXPECT_EQ(reason(result, "bad\\xFFname.md"), "name is not valid UTF-8 or holds a control character");
	EXPECT_EQ(reason(result, "new\\x0Aline.md"), "name is not valid UTF-8 or holds a control character");
	EXPECT_EQ(result.skipped_count, 8U);
}

TEST_F(Scan, KeepsItsLimits)
{
	for (int i = 0; i < 10; ++i)
		write("f" + std::to_string(i));
	write("a/b/c/d");
	ScanLimits limits;
	limits.max_depth = 2;
	ScanResult shallow = found({}, limits);
	EXPECT_EQ(shallow.files.size(), 10U);
	EXPECT_EQ(reason(shallow, "a/b/c"), "deeper than 2 directories");
	EXPECT_TRUE(shallow.complete());
	limits.max_depth = 3;
	EXPECT_EQ(found({}, limits).files.size(), 11U);

	limits.max_files = 10;
	ScanResult few = found({}, limits);
	EXPECT_EQ(few.files.size(), 10U);
	EXPECT_FALSE(few.complete());
	EXPECT_EQ(reason(few, ""), "more than 10 files");
	limits = {};
	limits.max_entries = 5;
	EXPECT_FALSE(found({}, limits).complete());

	ASSERT_EQ(symlink("x", at("l1").c_str()), 0);
	ASSERT_EQ(symlink("x", at("l2").c_str()), 0);
	limits = {};
	limits.max_skipped = 1;
	ScanResult result = found({}, limits);
	EXPECT_EQ(result.skipped.size(), 1U);
	EXPECT_EQ(result.skipped_count, 2U);
}

TEST_F(Scan, IsIncompleteWhenADirectoryCannotBeRead)
{
	write("a.md");
	write("closed/b.md");
	ASSERT_EQ(chmod(at("closed").c_str(), 0), 0);
	EXPECT_TRUE(as_nobody([&] {
		ScanResult result = found();
		return !result.complete() && paths(result) == Names{"a.md"} && reason(result, "closed") == "permission denied";
	}));
	// Listed but not searchable: its names are known, their kinds are not.
	ASSERT_EQ(chmod(at("closed").c_str(), 0444), 0);
	EXPECT_TRUE(as_nobody([&] {
		ScanResult result = found();
		return !result.complete() && reason(result, "closed/b.md") == "permission denied";
	}));
	ASSERT_EQ(chmod(at("closed").c_str(), 0755), 0);
}

TEST_F(Scan, ThrowsWhenTheRootCannotBeRead)
{
	EXPECT_THROW(scan(-1, {}, {}, {}), Error);
	write("file");
	Fd file(open(at("file").c_str(), O_RDONLY));
	EXPECT_THROW(scan(file.get(), {}, {}, {}), Error);
}

TEST_F(Scan, HearsACancel)
{
	write("a");
	EXPECT_THROW(scan(root_.get(), {}, {}, {[](void *) { return true; }, nullptr}), Error);
}

TEST_F(Scan, WalksADeepTreeWithFewDescriptors)
{
	std::string deep;
	for (int i = 0; i < 60; ++i)
		deep += "d/";
	write(deep + "f");
	for (int i = 0; i < 200; ++i)
		write("wide/" + std::to_string(i) + "/f");
	EXPECT_TRUE(as_nobody([&] {
		rlimit few{descriptors_ + 3, descriptors_ + 3};
		setrlimit(RLIMIT_NOFILE, &few);
		ScanResult result = found();
		return result.files.size() == 201U && result.complete();
	}));
}

TEST_F(ReadFile, ReadsBytesAsTheyAre)
{
	std::string content("a\0b\xFF\r\n", 6);
	write("a/b/c", content);
	ReadResult result = read("a/b/c");
	EXPECT_EQ(result.status, ReadStatus::kOk);
	EXPECT_EQ(result.reason, "");
	EXPECT_EQ(result.bytes, content);
	EXPECT_EQ(result.stat, found().files[0].stat);
	write("empty", "");
	EXPECT_EQ(read("empty").status, ReadStatus::kOk);
	write("full", std::string(1000, 'x'));
	EXPECT_EQ(read("full").bytes.size(), 1000U);
	EXPECT_EQ(read("full", 999).reason, "larger than 999 bytes");
	write("large", std::string(3000000, 'y'));
	EXPECT_EQ(read("large", 3000000).bytes, std::string(3000000, 'y'));
}

TEST_F(ReadFile, NeverLeavesTheRoot)
{
	write("inside/file");
	ASSERT_EQ(symlink("/etc", at("out").c_str()), 0);
	ASSERT_EQ(symlink("inside", at("in").c_str()), 0);
	ASSERT_EQ(symlink("/etc/passwd", at("passwd").c_str()), 0);
	EXPECT_EQ(read("out/passwd").status, ReadStatus::kSkipped);
	EXPECT_EQ(read("in/file").status, ReadStatus::kSkipped);
	EXPECT_EQ(read("passwd").reason, "symbolic link");
	for (const char *path : {"", "/etc/passwd", "../x", "inside/../inside/file", "inside//file", "./inside/file", "inside/"}) {
		ReadResult result = read(path);
		EXPECT_EQ(result.status, ReadStatus::kFailed) << path;
		EXPECT_EQ(result.bytes, "");
	}
	EXPECT_EQ(read(std::string_view("inside\0/file", 12)).status, ReadStatus::kFailed);
}

TEST_F(ReadFile, SaysWhatStandsInTheWay)
{
	EXPECT_EQ(read("none").status, ReadStatus::kVanished);
	EXPECT_EQ(read("none/none").status, ReadStatus::kVanished);
	write("file");
	EXPECT_EQ(read("file/x").status, ReadStatus::kSkipped);
	std::filesystem::create_directory(at("dir"));
	EXPECT_EQ(read("dir").reason, "directory");
	ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
	EXPECT_EQ(read("pipe").reason, "FIFO");  // and does not wait for a writer
	ASSERT_EQ(chmod(at("file").c_str(), 0), 0);
	EXPECT_TRUE(as_nobody([&] {
		ReadResult result = read("file");
		return result.status == ReadStatus::kFailed && result.reason == "permission denied";
	}));
}

// The stop predicate runs between opening and reading: what it does to the file happens while it is read.
TEST_F(ReadFile, NoticesAChangeWhileItReads)
{
	auto read_while = [&](void (*change)(const std::string &)) {
		write("f", "0123456789");
		struct Context {
			std::string name;
			void (*change)(const std::string &);
		} context{at("f"), change};
		Stop stop{[](void *pointer) {
			auto *c = static_cast<Context *>(pointer);
			c->change(c->name);
			return false;
		}, &context};
		return read_file(root_.get(), "f", 1000, stop);
	};
	auto append = [](const std::string &name) { std::ofstream(name, std::ios::app) << "more"; };
	auto shorten = [](const std::string &name) { ASSERT_EQ(truncate(name.c_str(), 3), 0); };
	auto rewrite = [](const std::string &name) {
		usleep(20000);  // past one tick of the file system's clock
		std::fstream(name, std::ios::in | std::ios::out) << "abcdefghij";
	};
	EXPECT_EQ(read_while(append).status, ReadStatus::kChanged);
	EXPECT_EQ(read_while(shorten).status, ReadStatus::kChanged);
	EXPECT_EQ(read_while(rewrite).status, ReadStatus::kChanged);
	EXPECT_EQ(read_while([](const std::string &) {}).status, ReadStatus::kOk);
	// Gone after it was opened: the link count changes the ctime.
	EXPECT_EQ(read_while([](const std::string &name) { usleep(20000), unlink(name.c_str()); }).status, ReadStatus::kChanged);
}

TEST_F(OpenRoot, FollowsNoSymbolicLink)
{
	write("a/b/f");
	ASSERT_EQ(symlink("a", at("link").c_str()), 0);
	EXPECT_TRUE(open_root(at("a/b")));
	EXPECT_TRUE(open_root(at("a//b/")));
	EXPECT_TRUE(open_root("/"));
	auto message = [](const std::string &path) {
		try {
			open_root(path);
		}
		catch (const Error &error) {
			return std::string(error.what());
		}
		return std::string();
	};
	EXPECT_EQ(message(at("link/b")),
			  "could not open directory \"" + at("link/b") + "\": \"" + at("link") + "\": symbolic link");
	EXPECT_EQ(message(at("none")), "could not open directory \"" + at("none") + "\": \"" + at("none") + "\": no such file or directory");
	EXPECT_EQ(message(at("a/b/f")), "could not open directory \"" + at("a/b/f") + "\": \"" + at("a/b/f") + "\": not a directory");
	EXPECT_NE(message("relative"), "");
	EXPECT_NE(message(at("a/../a")), "");
	EXPECT_NE(message(""), "");
}
