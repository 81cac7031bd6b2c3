#include "pg/page.hpp"

extern "C" {
#include "executor/instrument.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
#include "utils/spccache.h"
}

namespace vectorizer::pg {

std::int64_t pages_read()
{
	return pgBufferUsage.shared_blks_read + pgBufferUsage.local_blks_read;
}

bool asks_ahead(Relation relation)
{
	return get_tablespace_io_concurrency(relation->rd_rel->reltablespace) > 1;
}

PageChange::PageChange(Relation index, bool logged)
	: index_(index), xlog_(logged ? GenericXLogStart(index) : nullptr)
{
}

Page PageChange::lock(BlockNumber block)
{
	Assert(count_ < kMostPages);
	Buffer buffer = pin_page(index_, block);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	buffers_[count_++] = buffer;
	if (xlog_ == nullptr)
		return BufferGetPage(buffer);
	return GenericXLogRegisterBuffer(xlog_, buffer, PageIsNew(BufferGetPage(buffer)) ? GENERIC_XLOG_FULL_IMAGE : 0);
}

void PageChange::release()
{
	for (int i = 0; i < count_; ++i)
		UnlockReleaseBuffer(buffers_[i]);
	count_ = 0;
}

void PageChange::commit()
{
	if (xlog_ != nullptr)
		GenericXLogFinish(xlog_);
	else
		for (int i = 0; i < count_; ++i)
			MarkBufferDirty(buffers_[i]);
	release();
}

void PageChange::abandon()
{
	if (xlog_ != nullptr)
		GenericXLogAbort(xlog_);
	release();
}

void extend_to(Relation index, BlockNumber blocks)
{
	if (RelationGetNumberOfBlocks(index) >= blocks)
		return;
	LockRelationForExtension(index, ExclusiveLock);
	while (RelationGetNumberOfBlocks(index) < blocks)
		ReleaseBuffer(ReadBuffer(index, P_NEW));
	UnlockRelationForExtension(index, ExclusiveLock);
}

}  // namespace vectorizer::pg
