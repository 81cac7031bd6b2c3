// The difference between a scan of the file system and the file table: what to read, what is gone, what is skipped.
#pragma once

#include "core/workspace/scan.hpp"
#include "pg/workspace/project.hpp"

namespace vectorizer::pg {

/// What the catalogue says about a file. id 0: nothing.
struct KnownFile {
	int64 id = 0;
	bool indexed = false;
	bool current = false;  // made by the present chunker and settings
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

/// A file that is not there any more. Moved: a new file is the same one by device, inode, size and time of writing.
struct Gone {
	int64 id;
	int32 n_chunks;
	bool moved;
	workspace::FileStat stat;
};

/// Of one collection. Held in the pass's context.
struct Difference {
	workspace::ScanResult scan;
	std::vector<Todo> todo;
	std::vector<NewlySkipped> skipped;
	std::vector<Gone> gone;
	std::vector<Gone> gone_unread;  // those among the gone that had never been indexed: no loss
	int64 up_to_date = 0;           // files that need nothing
	int64 chunks = 0;               // in the catalogue, of files that are not gone
	int64 known = 0;                // files with chunks
};

/// The version of what turns bytes into chunks (html, chunker): raised with it, so that files are read again.
inline constexpr int32 kChunkerVersion = 1;

/// Scans and compares. Needs an SPI connection. Raises kIo errors of the root.
void reconcile(const Project &project, const Collection &collection, Difference &difference);

}  // namespace vectorizer::pg
