// What a collection's model needs from time to time: to be trained, to give chunks their embeddings, to be trained anew when the
// collection has grown, an index. Whatever is left undone is found again: nothing is kept between calls but what rows say.
#pragma once

#include "pg/collection/collection.hpp"
#include "pg/collection/model.hpp"

namespace vectorizer::pg {

/// Whoever has a collection tended: hears how far it is, and has a word where a batch ends.
class Host {
public:
	/// So many rows have been through this phase.
	virtual void report(const char *phase, int64 rows) = 0;

	/// A long step begins, which ends no batch. Between batches alone, for this may commit.
	virtual void announce(const char *phase) = 0;

	/// Ends a batch, with a commit where that is the host's way. False: stop here.
	virtual bool end_batch() = 0;
	virtual bool commits() const = 0;

	/// Something could not be done now, and should be tried again after so many seconds.
	virtual void come_back(int) {}

protected:
	~Host() = default;
};

/// `chunks` is how many the collection has. `model` is opened with memory of `context`. Neither a model's generation nor rows
/// change under those who search: they go on with what they see.
///
/// REQUIRES: an SPI connection, an active snapshot, the lock of the project or of the dynamic collection. Raises what a model's
/// training raises, and 55P03 where a dynamic collection is to be trained anew and somebody does not end writing it.
void tend(Collection &collection, int64 chunks, ModelReader &model, MemoryContext context, Host &host);

}  // namespace vectorizer::pg
