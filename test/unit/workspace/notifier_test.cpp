#include "core/workspace/notifier.hpp"

#include "core/workspace/scan.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace vectorizer;
using namespace vectorizer::workspace;

namespace {

constexpr Notifier::TreeId kTree = 1;

class Watching : public ::testing::Test {
protected:
	void SetUp() override
	{
		std::string name = (std::filesystem::temp_directory_path() / "vectorizer-notifier-XXXXXX").string();
		ASSERT_NE(mkdtemp(name.data()), nullptr);
		path_ = std::filesystem::canonical(name).string();
		root_ = open_root(path_);
	}

	void TearDown() override { std::filesystem::remove_all(path_); }

	std::string at(const std::string &name) const { return path_ + "/" + name; }

	void write(const std::string &name, const std::string &content = "x")
	{
		std::filesystem::create_directories(std::filesystem::path(at(name)).parent_path());
		std::ofstream(at(name), std::ios::binary) << content;
	}

	void rename(const std::string &from, const std::string &to) { std::filesystem::rename(at(from), at(to)); }

	Witness shows(Notifier::TreeId tree = kTree)
	{
		return {[this, tree](int directory, const std::string &path) { notifier_.enter(tree, directory, path); }, {}};
	}

	/// A walk of the whole tree.
	ScanResult walk(const PatternSet &patterns = {}, Notifier::TreeId tree = kTree)
	{
		notifier_.begin_walk(tree, {patterns});
		ScanResult result = scan(root_.get(), patterns, {}, {}, shows(tree));
		notifier_.end_walk(tree);
		return result;
	}

	/// What was told since the last time.
	std::set<std::string> told(Notifier::TreeId tree = kTree)
	{
		notifier_.read();
		Changes changes = notifier_.take(tree);
		return changes.all ? std::set<std::string>{"everything"} : changes.paths;
	}

	/// Looks at what was told, as a pass does: what is there of it.
	std::set<std::string> look()
	{
		std::set<std::string> found;
		for (const FoundFile &file : scan_paths(root_.get(), told(), {}, {}, {}, shows()).files)
			found.insert(file.path);
		return found;
	}

	using Paths = std::set<std::string>;
	std::string path_;
	Fd root_;
	Notifier notifier_;
};

}  // namespace

TEST_F(Watching, TellsOfFiles)
{
	write("a/kept.txt");
	write("a/old.txt");
	walk();
	EXPECT_EQ(told(), Paths{});
	write("a/kept.txt", "other");
	write("new.txt");
	EXPECT_EQ(told(), (Paths{"a/kept.txt", "new.txt"}));
	rename("a/old.txt", "a/moved.txt");
	EXPECT_EQ(told(), (Paths{"a/old.txt", "a/moved.txt"}));
	std::filesystem::remove(at("a/moved.txt"));
	EXPECT_EQ(told(), Paths{"a/moved.txt"});
	chmod(at("a/kept.txt").c_str(), 0600);
	EXPECT_EQ(told(), Paths{"a/kept.txt"});
	EXPECT_EQ(told(), Paths{});
}

TEST_F(Watching, CountsWhatItTells)
{
	walk();
	EXPECT_EQ(notifier_.told(kTree), 0u);
	EXPECT_FALSE(notifier_.read());
	write("a.txt");
	EXPECT_TRUE(notifier_.read());
	const auto once = notifier_.told(kTree);
	EXPECT_GT(once, 0u);
	EXPECT_FALSE(notifier_.read());
	EXPECT_EQ(notifier_.told(kTree), once);
}

TEST_F(Watching, TellsOfNewDirectoriesAndWatchesThemOnceLookedAt)
{
	walk();
	write("a/b/c/deep.txt");
	EXPECT_EQ(look(), Paths{"a/b/c/deep.txt"});
	write("a/b/c/next.txt");
	EXPECT_EQ(told(), Paths{"a/b/c/next.txt"});
}

TEST_F(Watching, FollowsAMovedDirectory)
{
	write("a/b/one.txt");
	walk();
	rename("a", "z");
	EXPECT_EQ(look(), Paths{"z/b/one.txt"});
	write("z/b/two.txt");
	EXPECT_EQ(told(), Paths{"z/b/two.txt"});
	EXPECT_EQ(notifier_.watches(), 3u);
}

TEST_F(Watching, AMoveIsHeardAfterTheWalkThatSawIt)
{
	write("a/b/one.txt");
	walk();
	rename("a", "z");
	walk();  // before the move is read
	told();
	write("z/b/two.txt");
	EXPECT_EQ(told(), Paths{"z/b/two.txt"});
	EXPECT_EQ(notifier_.watches(), 3u);
}

TEST_F(Watching, DirectoriesThatChangePlaces)
{
	write("a/one.txt");
	write("b/two.txt");
	walk();
	rename("a", "c");
	rename("b", "a");
	rename("c", "b");
	walk();  // before that is read
	look();
	write("a/three.txt");
	write("b/four.txt");
	EXPECT_EQ(told(), (Paths{"a/three.txt", "b/four.txt"}));
}

TEST_F(Watching, WhatLeavesTheTreeIsNotWatched)
{
	write("a/b/one.txt");
	walk();
	const std::string outside = path_ + ".outside";
	std::filesystem::rename(at("a"), outside);
	EXPECT_EQ(told(), Paths{"a"});
	std::ofstream(outside + "/b/one.txt") << "changed";
	EXPECT_EQ(told(), Paths{});
	EXPECT_EQ(notifier_.watches(), 1u);
	std::filesystem::remove_all(outside);
}

TEST_F(Watching, DeletedDirectoriesGiveTheirWatchesBack)
{
	for (int i = 0; i < 100; ++i)
		write("d" + std::to_string(i) + "/file.txt");
	walk();
	EXPECT_EQ(notifier_.watches(), 101u);
	for (int i = 0; i < 100; ++i)
		std::filesystem::remove_all(at("d" + std::to_string(i)));
	told();
	EXPECT_EQ(notifier_.watches(), 1u);
}

TEST_F(Watching, OnlyWhatPatternsWantIsToldAndWatched)
{
	write("src/main.c");
	write("node_modules/x/index.js");
	const std::vector<std::string> include{"**/*.c"};
	const std::vector<std::string> exclude{"**/node_modules"};
	walk(PatternSet(include, exclude));
	EXPECT_EQ(notifier_.watches(), 2u);
	write("src/main.o");
	write("src/.main.c.swp");
	write("node_modules/x/other.js");
	write("src/other.c");
	EXPECT_EQ(told(), Paths{"src/other.c"});
}

TEST_F(Watching, AWalkGivesBackWhatItDoesNotSee)
{
	write("a/one.c");
	write("b/two.c");
	walk();
	EXPECT_EQ(notifier_.watches(), 3u);
	const std::vector<std::string> exclude{"b"};
	walk(PatternSet({}, exclude));
	EXPECT_EQ(notifier_.watches(), 2u);
}

TEST_F(Watching, TheRootItself)
{
	walk();
	const std::string away = path_ + ".away";
	std::filesystem::rename(path_, away);
	EXPECT_EQ(told(), Paths{"everything"});
	std::filesystem::rename(away, path_);
	EXPECT_EQ(told(), Paths{"everything"});
}

TEST_F(Watching, TwoTreesShareADirectory)
{
	write("a/one.txt");
	walk({}, 1);
	walk({}, 2);
	EXPECT_EQ(notifier_.watches(), 2u);
	write("a/two.txt");
	EXPECT_EQ(told(1), Paths{"a/two.txt"});
	EXPECT_EQ(told(2), Paths{"a/two.txt"});
	notifier_.forget(1);
	EXPECT_EQ(notifier_.watches(), 2u);
	write("a/three.txt");
	EXPECT_EQ(told(1), Paths{});
	EXPECT_EQ(told(2), Paths{"a/three.txt"});
	notifier_.forget(2);
	EXPECT_EQ(notifier_.watches(), 0u);
}

TEST_F(Watching, ManyChangesAreEverything)
{
	Changes changes;
	for (std::size_t i = 0; i <= Changes::kMostPaths; ++i)
		changes.add(std::to_string(i));
	EXPECT_TRUE(changes.all);
	EXPECT_TRUE(changes.paths.empty());
	EXPECT_FALSE(changes.none());
}

TEST_F(Watching, AnOverflowOfTheQueueIsEverything)
{
	std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
	long events = 0;
	limit >> events;
	ASSERT_GT(events, 0);
	if (events > 100000)
		GTEST_SKIP() << "the queue holds " << events << " events";
	walk();
	for (long i = 0; i <= events / 2; ++i) {  // each name twice, so that no two events in a row are alike
		const std::string name = at("f" + std::to_string(i % 2));
		std::ofstream(name) << "x";
	}
	EXPECT_EQ(told(), Paths{"everything"});
}

TEST_F(Watching, WhatNobodyToldOfCanBeTold)
{
	walk();
	notifier_.tell(kTree, "a.txt");
	EXPECT_EQ(notifier_.told(kTree), 1u);
	EXPECT_EQ(notifier_.take(kTree).paths, Paths{"a.txt"});
	EXPECT_TRUE(notifier_.take(kTree).none());
	notifier_.tell(7, "a.txt");
	EXPECT_TRUE(notifier_.take(7).none());
}

TEST_F(Watching, KnowsWhetherItSeesTheTree)
{
	EXPECT_STREQ(notifier_.blind(kTree), "not scanned yet");
	walk();
	EXPECT_EQ(notifier_.blind(kTree), nullptr);
}

// Parts of a tree, scanned alone

TEST_F(Watching, ScanOfPathsFindsWhatAScanOfAllWould)
{
	write("a/one.txt");
	write("a/b/two.txt");
	write("c/three.txt");
	write(".hidden/four.txt");
	symlink("/etc/passwd", at("a/link").c_str());
	std::filesystem::create_directory_symlink(at("c"), at("d"));
	const auto found = [&](const Paths &paths, const PatternSet &patterns = {}) {
		Paths files;
		for (const FoundFile &file : scan_paths(root_.get(), paths, patterns, {}, {}).files)
			files.insert(file.path);
		return files;
	};
	EXPECT_EQ(found({"a"}), (Paths{"a/one.txt", "a/b/two.txt"}));
	EXPECT_EQ(found({"a", "a/b", "a/b/two.txt"}), (Paths{"a/one.txt", "a/b/two.txt"})) << "each once";
	EXPECT_EQ(found({"a/one.txt", "c/gone.txt", "gone/x/y"}), Paths{"a/one.txt"});
	EXPECT_EQ(found({".hidden", ".hidden/four.txt"}), Paths{});
	EXPECT_EQ(found({"d/three.txt", "d"}), Paths{}) << "no link is followed";
	const std::vector<std::string> exclude{"a/b"};
	EXPECT_EQ(found({"a/b/two.txt", "a/one.txt"}, PatternSet({}, exclude)), Paths{"a/one.txt"});

	const ScanResult result = scan_paths(root_.get(), {"a/link", "gone"}, {}, {}, {});
	ASSERT_EQ(result.skipped.size(), 1u);
	EXPECT_EQ(result.skipped[0].path, "a/link");
	EXPECT_EQ(result.skipped[0].reason, "symbolic link");
	EXPECT_TRUE(result.complete());
	EXPECT_FALSE(result.hard_links);
	std::filesystem::create_hard_link(at("a/one.txt"), at("again.txt"));
	EXPECT_TRUE(scan_paths(root_.get(), {"again.txt"}, {}, {}, {}).hard_links);
}

TEST_F(Watching, ScanOfPathsKeepsTheLimits)
{
	write("a/b/c/deep.txt");
	write("big.txt", std::string(100, 'x'));
	ScanLimits limits;
	limits.max_depth = 2;
	limits.max_file_bytes = 10;
	const ScanResult result = scan_paths(root_.get(), {"a/b/c", "a/b/c/deep.txt", "big.txt"}, {}, limits, {});
	EXPECT_TRUE(result.files.empty());
	ASSERT_EQ(result.skipped.size(), 2u);
	EXPECT_EQ(result.skipped[0].path, "a/b/c");
	EXPECT_EQ(result.skipped[1].path, "big.txt");
}

TEST_F(Watching, ScanOfPathsBehindAClosedDoorIsIncomplete)
{
	if (geteuid() == 0)
		GTEST_SKIP() << "root opens everything";
	write("a/one.txt");
	chmod(at("a").c_str(), 0);
	EXPECT_FALSE(scan_paths(root_.get(), {"a/one.txt"}, {}, {}, {}).complete());
	chmod(at("a").c_str(), 0700);
}
