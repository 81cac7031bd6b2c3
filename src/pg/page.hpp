// Visiting and changing the pages of an index, by calls that take a lambda: a Postgres error inside leaves lock and pin to
// the server's own clean-up, which a destructor must not do (it would upset the interrupt holdoff count).
//
// Changes go through GenericXLog, so that recovery and standbys need no library of ours; an index under construction is
// changed without WAL and logged as a whole at the end.
#pragma once

#include "pg/glance.hpp"

extern "C" {
#include "access/generic_xlog.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
}

namespace vectorizer::pg {

/// How many pages this backend has read from its relations' files so far.
std::int64_t pages_read();

/// Whether pages of the relation are to be asked for before they are read: if effective_io_concurrency, of its tablespace or else the
/// session's, is 2 or more.
bool asks_ahead(Relation relation);

/// Begins to read the page from its file if it is not in shared buffers. REQUIRES: the relation has the block.
inline void ask_for_page(Relation relation, BlockNumber block)
{
	PrefetchBuffer(relation, MAIN_FORKNUM, block);
}

/// Runs f(page) under a share lock and returns what it returns. f must not visit another page. A strategy is for those who
/// pass through the whole relation once.
template <typename Function>
auto read_page(Relation index, BlockNumber block, Function &&f, BufferAccessStrategy strategy = nullptr)
{
	Buffer buffer = strategy == nullptr ? pin_page(index, block)
										: ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	if constexpr (std::is_void_v<decltype(f(BufferGetPage(buffer)))>) {
		f(BufferGetPage(buffer));
		UnlockReleaseBuffer(buffer);
	}
	else {
		auto result = f(BufferGetPage(buffer));
		UnlockReleaseBuffer(buffer);
		return result;
	}
}

/// A set of at most four pages, locked exclusively and changed together: one WAL record, or none of it.
///
///   PageChange change(index, logged);
///   Page page = change.lock(block);    // as often as needed, in the lock order of hnsw/README.md
///   ... write to page ...
///   change.commit();                   // or change.abandon()
///
/// Between lock() and commit() only the pages returned may be looked at: under GenericXLog they are copies.
///
/// `logged` is false only while an index is being built: its pages are then changed in place, and an error in the middle
/// takes the whole index away. GenericXLog knows by itself what unlogged and temporary relations need.
class PageChange {
public:
	PageChange(Relation index, bool logged);

	/// A page as it is, exclusively locked. Zero pages come as they are.
	Page lock(BlockNumber block);
	void commit();
	void abandon();

private:
	static constexpr int kMostPages = MAX_GENERIC_XLOG_PAGES;

	void release();

	Relation index_;
	GenericXLogState *xlog_;  // null while nothing is logged
	Buffer buffers_[kMostPages];
	int count_ = 0;
};
static_assert(std::is_trivially_destructible_v<PageChange>);

/// Extends the relation until it has `blocks` blocks, with all-zero pages.
void extend_to(Relation index, BlockNumber blocks);

}  // namespace vectorizer::pg
