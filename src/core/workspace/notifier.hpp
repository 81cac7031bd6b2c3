// What the kernel (inotify(7)) tells of changes in directory trees.
//
// A watch is on one directory, and on what it is, not on its path. So a tree is watched by walking it: the walk shows each
// directory to the notifier before it reads the names in it (scan.hpp), and whatever happens to them from then on is told.
// Directories that appear are told as changes; comparing them walks them, and that watches them.
//
// What is told are paths to look at, never what happened to them: events are merged, may come late, and may be lost (then
// everything is to be looked at). Not told are changes made elsewhere to a file system that is on the network.
#pragma once

#include "core/workspace/fd.hpp"
#include "core/workspace/glob.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

struct inotify_event;

namespace vectorizer::workspace {

/// Paths of a tree, files or directories, whose present state is to be compared with what is known; or all of it.
struct Changes {
	static constexpr std::size_t kMostPaths = 10000;  // more are as good as all

	bool all = false;
	std::set<std::string> paths;  // relative to the root; empty if all

	bool none() const { return !all && paths.empty(); }
	void add(std::string path);
	void add_all();
};

class Notifier {
public:
	using TreeId = std::int64_t;

	/// Throws Errc::kIo if the kernel gives no instance.
	Notifier();

	/// Readable when there is something to read().
	int fd() const { return inotify_.get(); }

	/// A walk of the whole tree begins: `wanted` says what of it counts (a path counts that one of the sets may want; none:
	/// nothing does). Makes the tree, if it is new.
	void begin_walk(TreeId tree, std::vector<PatternSet> wanted);

	/// The walk, or one of a part of the tree, has opened this directory and will read it next. Throws bad_alloc only.
	void enter(TreeId tree, int directory, const std::string &path);

	/// The walk has seen every directory: watches of others are given back.
	void end_walk(TreeId tree);

	/// Null if all directories are watched since the last begin_walk(), else why they are not; good until the tree changes.
	const char *blind(TreeId tree) const;

	void forget(TreeId tree);

	/// Takes what has been told, without waiting. Whether any tree has new changes. Throws kIo, bad_alloc.
	bool read();

	/// How many changes of it have been told, ever.
	std::uint64_t told(TreeId tree) const;

	Changes take(TreeId tree);

	/// Something to look at that nobody told of.
	void tell(TreeId tree, std::string path);

	std::size_t watches() const { return watches_.size(); }

private:
	/// A tree may lie in another one: the kernel has one watch on a directory then.
	struct Place {
		TreeId tree;
		std::string path;
	};
	struct Watched {
		int watch;
		std::uint64_t walk;  // the last one that saw it
	};
	struct Tree {
		std::vector<PatternSet> wanted;
		std::map<std::string, Watched> directories;
		std::uint64_t walk = 0;
		std::string blind;
		Changes changes;
		std::uint64_t told = 0;
	};

	bool hear(const inotify_event &event);
	bool hear_in(const Place &place, const inotify_event &event);
	void drop_place(TreeId tree, int watch, const std::string &path);
	void forget_directory(Tree &tree, TreeId id, const std::string &path);
	static bool wants(const Tree &tree, const std::string &path, bool directory);

	Fd inotify_;
	std::map<TreeId, Tree> trees_;
	std::unordered_map<int, std::vector<Place>> watches_;
};

}  // namespace vectorizer::workspace
