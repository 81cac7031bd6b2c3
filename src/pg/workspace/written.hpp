// The watcher's part in dynamic collections: it looks at those that were written, a moment later, and at all of them now and then.
#pragma once

#include "core/workspace/notifier.hpp"
#include "pg/workspace/registry.hpp"

namespace vectorizer::pg {

class WrittenCollections {
public:
	/// Hears whether something was committed, in the registry. `now` may be earlier than it was: clocks are set back.
	void hear(TimestampTz now);

	/// Reads whether there are dynamic collections. REQUIRES: a transaction with an SPI connection and a snapshot.
	void refresh();

	/// Whether there is any: then the database wants a watcher.
	bool any() const { return any_; }

	/// When there is something to look at.
	TimestampTz next() const;

	/// Looks at what is due, each collection in transactions of its own, until the deadline (0: none); what is left then is due at once.
	/// What fails is written down, and tried again. REQUIRES: no transaction. `context` is for what is held meanwhile, and reset.
	void look(MemoryContext context, workspace::Notifier *notifier, TimestampTz deadline);

	void hurry() { all_ = pass_begun_ = 0; }

private:
	enum class Outcome { kDone, kStopped, kFailed };
	Outcome look_at(int64 collection, const struct RefreshOptions &options, MemoryContext context);

	bool any_ = false;
	TimestampTz all_ = 0;          // when all are due
	TimestampTz pass_begun_ = 0;   // of a look at all that a deadline stopped; 0: there is none
	int64 pass_from_ = 0;          // the collection that it goes on with
	TimestampTz told_ = 0;         // when those are due that were written; 0: there are none
	int carried_ = 0;              // such that a deadline left over, as take_written() has them
	Oid carry_[kMostWritten] = {};
	int64 worked_ = 0;             // microseconds since the last rest
	TimestampTz not_before_ = 0;   // looks must not keep a core busy
	int failures_ = 0;             // looks in a row in which one failed
	bool failed_ = false;          // one has, since the look began
	TimestampTz again_ = DT_NOEND; // when one should be looked at once more, found since the look began
};

}  // namespace vectorizer::pg
