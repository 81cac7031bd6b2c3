// From one file to its rows: read, hash, extract the text, cut it, replace the chunks.
#pragma once

#include "pg/collection/model.hpp"
#include "pg/collection/spi.hpp"
#include "pg/workspace/reconcile.hpp"

namespace vectorizer::pg {

enum class Outcome {
	kIndexed,    // its chunks are new
	kTouched,    // the same bytes as before, if under another path
	kSkipped,    // not text, or not a regular file any more: no chunks, the reason is recorded
	kFailed,     // could not be read: its chunks stay, to be tried again later
	kVanished,   // not there any more: the next scan decides
};

/// Writes the files of one collection. Lives for one batch; everything that a file takes is freed with it.
class Ingest {
public:
	/// `root` is an open directory; `model` is open for the collection's generation.
	Ingest(const Project &project, const Collection &collection, int root, ModelReader &model);

	/// Brings one file's rows up to date, in a subtransaction: what goes wrong with it is recorded in its row, and is no
	/// error but for what would fail for every file (no space, a cancel). *chunks gets the number of its chunks after.
	Outcome file(const workspace::FoundFile &found, const KnownFile &known, int32 *chunks, uint64 *bytes);

	/// Records that a path is skipped; its chunks go.
	void skip(const workspace::SkippedFile &skipped, const KnownFile &known);

	/// Forgets a file and its chunks.
	void remove(int64 file);

private:
	struct Read;
	class KnownEmbeddings;
	Outcome attempt(const workspace::FoundFile &found, const KnownFile &known, int32 *chunks, uint64 *bytes);
	void remember_embeddings(int64 file, KnownEmbeddings &embeddings);
	void write_chunks(int64 file, const workspace::FoundFile &found, const Read &read, const KnownEmbeddings &embeddings);
	void delete_chunks(int64 file);
	bool move(int64 file, std::string_view path);
	void record_failure(const workspace::FoundFile &found, const char *reason);
	void record_skip(std::string_view path, const workspace::FileStat &seen, const KnownFile &known, const char *reason);

	const Project &project_;
	const Collection &collection_;
	int root_;
	ModelReader &model_;
	MemoryContext memory_;
	Oid vector_type_;
	Statement insert_;
	Statement delete_;
	Statement rename_;
};

}  // namespace vectorizer::pg
