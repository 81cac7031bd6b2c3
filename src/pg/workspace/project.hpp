// A project and its collections as a pass needs them, and the lock that gives a project to one worker at a time.
#pragma once

#include "pg/collection/collection.hpp"

namespace vectorizer::pg {

struct Project {
	int64 id;
	const char *name;
	const char *root;   // resolved and authorised
	int64 max_file_bytes;
	bool known_root;    // whether device and inode are those of the last complete scan
	uint64 root_device;
	uint64 root_inode;
	int64 pending_deletions;
	bool deletions_confirmed;
	std::span<Collection> collections;
};

/// Reads a project into `context` and authorises its root for its owner. Raises where something stands in the way.
Project load_project(int64 id, MemoryContext context);

/// This cluster and database, as project.armed_for names them; palloc'd.
char *place();

/// Holds a project against every other pass: until the transaction ends, or, `session`, until unlock_projects(). False if
/// it is taken and `wait` is not set. No SQL command can take this lock.
bool lock_project(int64 id, bool session, bool wait);
void unlock_projects();  // all that this session holds; needs no transaction

/// Whether somebody waits for the project that this session holds.
bool project_is_wanted(int64 id);

}  // namespace vectorizer::pg
