#include "core/workspace/notifier.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace vectorizer::workspace {

namespace {

constexpr std::uint32_t kEvents = IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
	IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

/// Whether all that writes to a file system of this kind goes through this kernel. Others (NFS, SMB, FUSE and many more) are
/// written elsewhere, too, and tell nothing of it.
bool is_local(int directory)
{
	constexpr std::uint32_t kLocal[] = {
		EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC,     TMPFS_MAGIC,       OVERLAYFS_SUPER_MAGIC,
		F2FS_SUPER_MAGIC, RAMFS_MAGIC,      REISERFS_SUPER_MAGIC,  SQUASHFS_MAGIC,    MSDOS_SUPER_MAGIC,
		ISOFS_SUPER_MAGIC, NILFS_SUPER_MAGIC, EROFS_SUPER_MAGIC_V1, UDF_SUPER_MAGIC,  0x2FC12FC1 /* zfs */,
		0x3153464A /* jfs */, 0xCA451A4E /* bcachefs */, 0x2011BAB0 /* exfat */, 0x7366746E /* ntfs3 */, 0x482B /* hfs+ */};
	struct statfs status {};
	if (fstatfs(directory, &status) != 0)
		return false;
	return std::find(std::begin(kLocal), std::end(kLocal), static_cast<std::uint32_t>(status.f_type)) != std::end(kLocal);
}

std::string why_no_watch(int error)
{
	if (error == ENOSPC)
		return "fs.inotify.max_user_watches is exhausted";
	return "a directory could not be watched: " + errno_message(error);
}

/// Another directory may be at that path by now.
template <typename Directories>
void erase_if_of(Directories &directories, const std::string &path, int watch)
{
	const auto found = directories.find(path);
	if (found != directories.end() && found->second.watch == watch)
		directories.erase(found);
}

std::string below(const std::string &directory, const char *name)
{
	return directory.empty() ? std::string(name) : directory + "/" + name;
}

}  // namespace

void Changes::add(std::string path)
{
	if (all)
		return;
	paths.insert(std::move(path));
	if (paths.size() > kMostPaths)
		add_all();
}

void Changes::add_all()
{
	all = true;
	paths.clear();
}

Notifier::Notifier() : inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC))
{
	if (!inotify_)
		throw Error(Errc::kIo, errno == EMFILE ? "fs.inotify.max_user_instances is exhausted" : "no inotify: " + errno_message(errno));
}

void Notifier::begin_walk(TreeId id, std::vector<PatternSet> wanted)
{
	Tree &tree = trees_[id];
	tree.wanted = std::move(wanted);
	tree.blind.clear();
	++tree.walk;
}

void Notifier::enter(TreeId id, int directory, const std::string &path)
{
	Tree &tree = trees_.at(id);
	if (!tree.blind.empty())
		return;
	if (path.empty() && !is_local(directory)) {
		tree.blind = "on a file system that may be written elsewhere, too";
		return;
	}
	// By its descriptor: a path could lead elsewhere by now.
	const std::string self = "/proc/self/fd/" + std::to_string(directory);
	const int watch = inotify_add_watch(inotify_.get(), self.c_str(), kEvents);
	if (watch < 0) {
		tree.blind = why_no_watch(errno);
		return;
	}
	std::vector<Place> &places = watches_[watch];
	auto own = std::find_if(places.begin(), places.end(), [&](const Place &each) { return each.tree == id; });
	if (own == places.end()) {
		places.push_back({id, path});
	}
	else if (own->path != path) {  // it has been moved, and that was not heard yet
		erase_if_of(tree.directories, own->path, watch);
		own->path = path;
	}
	const auto [known, is_new] = tree.directories.try_emplace(path, Watched{watch, tree.walk});
	if (!is_new && known->second.watch != watch) {  // another directory has taken its place
		const int former = std::exchange(known->second.watch, watch);
		drop_place(id, former, path);
	}
	known->second.walk = tree.walk;
}

void Notifier::end_walk(TreeId id)
{
	Tree &tree = trees_.at(id);
	for (auto each = tree.directories.begin(); each != tree.directories.end();) {
		const auto at = each++;
		if (at->second.walk != tree.walk) {
			drop_place(id, at->second.watch, at->first);
			tree.directories.erase(at);
		}
	}
}

const char *Notifier::blind(TreeId id) const
{
	const auto found = trees_.find(id);
	if (found == trees_.end())
		return "not scanned yet";
	return found->second.blind.empty() ? nullptr : found->second.blind.c_str();
}

void Notifier::forget(TreeId id)
{
	const auto found = trees_.find(id);
	if (found == trees_.end())
		return;
	for (const auto &[path, watched] : found->second.directories)
		drop_place(id, watched.watch, path);
	trees_.erase(found);
}

/// The watch serves this place no more; the kernel has it back when it serves none.
void Notifier::drop_place(TreeId tree, int watch, const std::string &path)
{
	const auto found = watches_.find(watch);
	if (found == watches_.end())
		return;
	std::erase_if(found->second, [&](const Place &each) { return each.tree == tree && each.path == path; });
	if (found->second.empty()) {
		inotify_rm_watch(inotify_.get(), watch);
		watches_.erase(found);
	}
}

/// A directory and all below it are not where they were.
void Notifier::forget_directory(Tree &tree, TreeId id, const std::string &path)
{
	const auto forget_at = [&](auto at) {
		drop_place(id, at->second.watch, at->first);
		return tree.directories.erase(at);
	};
	if (const auto self = tree.directories.find(path); self != tree.directories.end())
		forget_at(self);
	const std::string prefix = path + "/";
	for (auto at = tree.directories.lower_bound(prefix); at != tree.directories.end() && at->first.starts_with(prefix);)
		at = forget_at(at);
}

bool Notifier::read()
{
	bool news = false;
	alignas(inotify_event) char buffer[64 * 1024];
	for (;;) {
		const ssize_t got = ::read(inotify_.get(), buffer, sizeof(buffer));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return news;
		if (got <= 0)
			throw Error(Errc::kIo, "could not read what inotify tells: " + errno_message(errno));
		for (ssize_t at = 0; at < got;) {
			const auto *event = reinterpret_cast<const inotify_event *>(buffer + at);
			news = hear(*event) || news;
			at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
		}
	}
}

bool Notifier::hear(const inotify_event &event)
{
	if ((event.mask & IN_Q_OVERFLOW) != 0) {
		for (auto &[id, tree] : trees_) {
			tree.changes.add_all();
			++tree.told;
		}
		return !trees_.empty();
	}
	const auto found = watches_.find(event.wd);
	if (found == watches_.end())
		return false;
	if ((event.mask & IN_IGNORED) != 0) {  // the kernel has taken it back: the directory is gone
		for (const Place &place : found->second)
			erase_if_of(trees_.at(place.tree).directories, place.path, event.wd);
		watches_.erase(found);
		return false;
	}
	bool news = false;
	for (const Place &place : std::vector<Place>(found->second))
		news = hear_in(place, event) || news;
	return news;
}

bool Notifier::hear_in(const Place &place, const inotify_event &event)
{
	Tree &tree = trees_.at(place.tree);
	if (event.len == 0) {  // of the directory itself: its parent tells, but for the root
		const bool lost = place.path.empty() && (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0;
		if (lost) {
			tree.changes.add_all();
			++tree.told;
		}
		return lost;
	}
	if (event.name[0] == '.')
		return false;
	std::string path = below(place.path, event.name);
	const bool directory = (event.mask & IN_ISDIR) != 0;
	if (directory && (event.mask & (IN_MOVED_FROM | IN_DELETE)) != 0)
		forget_directory(tree, place.tree, path);
	if (!wants(tree, path, directory))
		return false;
	tree.changes.add(std::move(path));
	++tree.told;
	return true;
}

bool Notifier::wants(const Tree &tree, const std::string &path, bool directory)
{
	return std::any_of(tree.wanted.begin(), tree.wanted.end(), [&](const PatternSet &each) {
		return directory ? each.may_contain(path) : each.matches(path);
	});
}

std::uint64_t Notifier::told(TreeId tree) const
{
	const auto found = trees_.find(tree);
	return found == trees_.end() ? 0 : found->second.told;
}

Changes Notifier::take(TreeId tree)
{
	const auto found = trees_.find(tree);
	return found == trees_.end() ? Changes() : std::exchange(found->second.changes, {});
}

void Notifier::tell(TreeId id, std::string path)
{
	const auto found = trees_.find(id);
	if (found == trees_.end())
		return;
	found->second.changes.add(std::move(path));
	++found->second.told;
}

}  // namespace vectorizer::workspace
