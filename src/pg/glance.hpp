// Looking at a page without pin and lock, for readers to whom a hint is enough.
//
// A pin and a share lock cost more than a distance, and their atomic writes make every core that reads a popular page wait
// for the others. A reader that needs only a hint looks straight into shared buffers: it finds the page where this backend
// saw it last, looks whether the buffer still holds that page, reads, and looks again.
//
//   Glance glance(relation);
//   if (const Buffered *at = glance.find(block); at != nullptr && glance.holds(at, block)) {
//       ... read glance.bytes(at) into variables of one's own, believing nothing ...
//       if (glance.holds(at, block)) the bytes were of that block
//   }
//
// What was read is then of that block, yet a writer may have been at work in it: numbers may be of before or after, in any
// mixture. Whoever needs the truth visits the page under a lock (page.hpp).
//
// Such visits do not keep a page in memory. So find() knows only pages that the clock sweep has not marked down much; a
// visit by pin, which marks them up, must follow where it finds nothing.
#pragma once

#include "pg/compat.hpp"

extern "C" {
#include "storage/buf_internals.h"
}

namespace vectorizer::pg {

using Buffered = BufferDesc;

/// Where a backend saw blocks last: a direct-mapped table of buffer numbers. Wrong entries do no harm, for whoever uses one
/// compares the buffer's tag.
class BufferHints {
public:
	static Buffer at(std::uint32_t key, BlockNumber block) { return table[(key + block) & mask]; }
	static void remember(std::uint32_t key, BlockNumber block, Buffer buffer) { table[(key + block) & mask] = buffer; }

	/// Makes the table large enough for a relation of so many blocks, within what shared buffers can hold.
	static void fit(BlockNumber blocks);

private:
	static constexpr std::uint32_t kLeast = 1024;
	static Buffer first[kLeast];
	static Buffer *table;
	static std::uint32_t mask;
};

class Glance {
public:
	/// Good until the relation gets another file (which takes a lock that excludes its readers).
	explicit Glance(Relation relation);

	/// The buffer that may hold the block; null if it is not known, or ought to be pinned once more to be kept in memory.
	const Buffered *find(BlockNumber block) const
	{
		Buffer buffer = shared_ ? BufferHints::at(key_, block) : InvalidBuffer;
		return buffer == InvalidBuffer ? nullptr : GetBufferDescriptor(static_cast<uint32>(buffer - 1));
	}

	// Of at most five: a page that is visited again and again stays far from eviction.
	static constexpr uint32 kLeastUsage = 3;

	/// Whether the buffer holds the block now, marked up so far. Orders the reads before and after it.
	bool holds(const Buffered *at, BlockNumber block, uint32 least_usage = kLeastUsage) const
	{
		pg_read_barrier();
		uint32 state = pg_atomic_read_u32(const_cast<pg_atomic_uint32 *>(&at->state));
		bool same = compat::is_tag_of(at->tag, tag_, block) && (state & BM_VALID) != 0 &&
					BUF_STATE_GET_USAGECOUNT(state) >= least_usage;
		pg_read_barrier();
		return same;
	}

	/// Found by the descriptor's place among all: what stands in it need not be in the processor's caches yet.
	static const char *bytes(const Buffered *at)
	{
		return BufferBlocks + (reinterpret_cast<const BufferDescPadded *>(at) - BufferDescriptors) * BLCKSZ;
	}

	/// Counts such visits in the statistics as hits of shared buffers.
	void count(std::size_t visits) const;

	void remember(BlockNumber block, Buffer buffer) const
	{
		if (shared_)
			BufferHints::remember(key_, block, buffer);
	}

private:
	Relation relation_;
	BufferTag tag_;  // of block 0
	std::uint32_t key_;
	bool shared_;    // not a temporary relation, whose buffers are the backend's own
};
static_assert(std::is_trivially_destructible_v<Glance>);

/// ReadBuffer, by way of where the page was last if it is still there. The pin marks it up like any other.
Buffer pin_page(Relation relation, BlockNumber block);

}  // namespace vectorizer::pg
