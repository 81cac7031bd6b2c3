// The difference between a scan of the file system and the file table: what to read, what is gone, what is skipped.
#pragma once

#include "core/workspace/notifier.hpp"
#include "core/workspace/scan.hpp"
#include "pg/workspace/project.hpp"

namespace vectorizer::pg {

/// What the catalogue says about a file. id 0: nothing.
struct KnownFile {
	int64 id = 0;
	bool indexed = false;
	bool skipped = false;
	bool current = false;  // made by the present chunker and settings
	bool moved = false;    // its row is of another path, where nothing is any more
	int32 attempts = 0;
	int32 n_chunks = 0;
	unsigned char sha256[32] = {};
};

/// A file to read: the scan's file of that index.
struct Todo {
	std::size_t found;
	KnownFile known;
};

/// A path that the scan skipped for a reason that the catalogue does not have yet.
struct NewlySkipped {
	std::size_t skipped;  // index into the scan's list
	KnownFile known;
};

/// A file that is not there any more, under this or another path.
struct Gone {
	KnownFile known;
	std::string path;
	workspace::FileStat stat;
};

/// Of one collection. Held in the pass's context.
struct Difference {
	workspace::PatternSet patterns;
	std::vector<std::string> asked;  // the paths in scope as the catalogue may have them; empty if all are
	workspace::ScanResult scan;
	std::vector<Todo> todo;
	std::vector<NewlySkipped> skipped;
	std::vector<Gone> gone;
	std::vector<Gone> gone_no_loss;  // those among the gone that are no loss: never indexed, or not wanted any more
	int64 up_to_date = 0;           // files that need nothing
	int64 chunks = 0;               // in the catalogue, of files that are not gone
	int64 known = 0;                // files with chunks
	int64 kept = 0;                 // files that were not found, though nothing says that they are gone
	int64 added = 0;                // files that the catalogue does not have as such, under whatever path

	/// Whether there is anything to do.
	bool anything() const { return !todo.empty() || !skipped.empty() || !gone.empty() || !gone_no_loss.empty(); }
};

/// The version of what turns bytes into chunks (core/text): raised with it, so that files are read again.
inline constexpr int32 kChunkerVersion = 3;

/// First of all: makes the collection's patterns ready.
void prepare(const Collection &collection, Difference &difference);

/// Whether the collection may have anything there. REQUIRES: prepare().
bool concerns(const Difference &difference, const workspace::Changes &scope);

/// Scans what is in scope and compares. `notifier`, unless it is null, is shown the directories. Needs an SPI connection. Raises
/// kIo errors of the root. REQUIRES: prepare().
void reconcile(const Project &project, const Collection &collection, const workspace::Changes &scope, workspace::Notifier *notifier,
			   Difference &difference);

}  // namespace vectorizer::pg
