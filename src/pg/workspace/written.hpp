// The watcher's part in dynamic collections: it looks at those that were written, a moment later, and at all of them now and then.
#pragma once

#include "pg/workspace/registry.hpp"

namespace vectorizer::pg {

class WrittenCollections {
public:
	/// Hears of the writes that were committed since it last did, in the registry.
	void hear();

	/// Reads whether there are dynamic collections. REQUIRES: a transaction with an SPI connection and a snapshot.
	void refresh();

	/// Whether there is any: then the database wants a watcher.
	bool any() const { return any_; }

	/// When there is something to look at.
	TimestampTz next() const;

	/// Looks at what is due, each collection in transactions of its own. What fails is written down, and tried again.
	/// REQUIRES: no transaction. `context` is for what is held meanwhile, and reset.
	void look(MemoryContext context);

	void hurry() { all_ = 0; }

private:
	void look_at(int64 collection, MemoryContext context);

	bool any_ = false;
	TimestampTz all_ = 0;                // when all are due
	TimestampTz told_ = 0;               // when those below are due; 0: there are none
	TimestampTz not_before_ = 0;         // looks must not keep a core busy
	int count_ = 0;                      // as take_written() says
	Oid tables_[kMostWritten] = {};
};

}  // namespace vectorizer::pg
