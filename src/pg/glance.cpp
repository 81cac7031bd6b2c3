#include "pg/glance.hpp"

#include <bit>

extern "C" {
#include "executor/instrument.h"
#include "utils/memutils.h"
}

namespace vectorizer::pg {

constinit Buffer BufferHints::first[kLeast] = {};
constinit Buffer *BufferHints::table = BufferHints::first;
constinit std::uint32_t BufferHints::mask = BufferHints::kLeast - 1;

void BufferHints::fit(BlockNumber blocks)
{
	// Half full, so that a second index of the kind seldom stands in the way.
	std::uint64_t useful = std::min<std::uint64_t>(blocks, static_cast<std::uint64_t>(NBuffers)) * 2;
	if (useful <= mask)
		return;
	std::uint64_t size = std::bit_ceil(useful);
	auto *larger = static_cast<Buffer *>(
		MemoryContextAllocExtended(TopMemoryContext, size * sizeof(Buffer), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
	if (table != first)
		pfree(table);
	table = larger;
	mask = static_cast<std::uint32_t>(size - 1);
}

Glance::Glance(Relation relation)
	: relation_(relation), tag_(compat::first_tag_of(relation)),
	  key_(static_cast<std::uint32_t>(compat::file_number_of(relation)) * 0x9E3779B1U),
	  shared_(!RelationUsesLocalBuffers(relation))
{
}

void Glance::count(std::size_t visits) const
{
	pgBufferUsage.shared_blks_hit += static_cast<int64>(visits);
	compat::count_buffer_hits(relation_, static_cast<int64>(visits));
}

Buffer pin_page(Relation relation, BlockNumber block)
{
	Glance glance(relation);
	if (const Buffered *at = glance.find(block); at != nullptr && glance.holds(at, block)) {
		Buffer buffer = BufferDescriptorGetBuffer(at);
		if (compat::read_recent_buffer(relation, block, buffer)) {
			compat::count_buffer_hits(relation, 1);
			return buffer;
		}
	}
	Buffer buffer = ReadBuffer(relation, block);
	glance.remember(block, buffer);
	return buffer;
}

}  // namespace vectorizer::pg
