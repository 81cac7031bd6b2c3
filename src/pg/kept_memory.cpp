#include "pg/kept_memory.hpp"

#include "core/prefetch.hpp"

#include <bit>
#include <csignal>

#include <sys/mman.h>
#include <unistd.h>

extern "C" {
#include "utils/timeout.h"
}

namespace vectorizer::pg {

namespace {

constexpr std::size_t kBlocks = 8;
constexpr std::size_t kLeast = std::size_t{256} << 10;

/// One that is kept. The handler of the timeout reads it at any moment.
struct Block {
	std::byte *bytes;
	std::size_t size;
	std::size_t wanted;  // by its last user
	volatile std::sig_atomic_t busy;
};

constinit Block blocks[kBlocks] = {};
constinit std::size_t kept = 0;                       // bytes of all blocks
constinit volatile std::sig_atomic_t borrowed = 0;    // since the handler looked last
constinit bool registered = false;
constinit TimeoutId timeout{};

/// A block on loan. Lives in its owner.
struct Loan {
	MemoryContextCallback callback;
	MemoryContext owner;
	Block *block;      // null: all are on loan
	std::size_t used;  // of the block
	std::size_t more;  // from the owner
};

/// Runs in a signal's handler: no call but the kernel's.
void give_pages_back()
{
	if (borrowed != 0) {
		borrowed = 0;
		enable_timeout_after(timeout, KeptMemory::kIdleSeconds * 1000);
		return;
	}
	const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
	for (const Block &block : blocks) {
		if (block.busy != 0 || block.bytes == nullptr)  // whoever gives it back sees to it
			continue;
		const std::uintptr_t from = (reinterpret_cast<std::uintptr_t>(block.bytes) + page - 1) & ~(page - 1);
		const std::uintptr_t to = reinterpret_cast<std::uintptr_t>(block.bytes + block.size) & ~(page - 1);
		if (to > from)
			madvise(reinterpret_cast<void *>(from), to - from, MADV_DONTNEED);
	}
}

void watch_for_idleness()
{
	borrowed = 1;
	if (!registered) {
		timeout = RegisterTimeout(USER_TIMEOUT, give_pages_back);
		registered = true;
	}
	if (!get_timeout_active(timeout))  // the first, or an error has taken it away
		enable_timeout_after(timeout, KeptMemory::kIdleSeconds * 1000);
}

void give_back(void *argument)
{
	auto *loan = static_cast<Loan *>(argument);
	if (loan->block == nullptr)
		return;
	loan->block->wanted = loan->used + loan->more;
	loan->block->busy = 0;
	watch_for_idleness();  // also where an error has taken the timeout away
}

/// Makes the block as large as its last user would have had it. It is busy.
void fit(Block &block)
{
	std::size_t size = std::min(std::bit_ceil(std::max(block.wanted, kLeast)), KeptMemory::kLargest);
	size = std::min(size, KeptMemory::kMostKept - (kept - block.size));
	if (size <= block.size)
		return;
	std::byte *old = std::exchange(block.bytes, nullptr);
	kept -= std::exchange(block.size, 0);
	if (old != nullptr)
		pfree(old);
	block.bytes = static_cast<std::byte *>(MemoryContextAllocExtended(TopMemoryContext, size, MCXT_ALLOC_NO_OOM));
	if (block.bytes == nullptr)
		return;
	block.size = size;
	kept += size;
}

/// The largest block that nobody uses, marked as used; null if there is none.
Block *take_block()
{
	Block *best = nullptr;
	for (Block &block : blocks)
		if (block.busy == 0 && (best == nullptr || std::max(block.size, block.wanted) > std::max(best->size, best->wanted)))
			best = &block;
	if (best == nullptr)
		return nullptr;
	best->busy = 1;
	fit(*best);
	return best;
}

void *allocate(void *context, std::size_t bytes)
{
	auto *loan = static_cast<Loan *>(context);
	const std::size_t rounded = (bytes + kCacheLine - 1) & ~(kCacheLine - 1);
	if (loan->block != nullptr && rounded >= bytes && rounded <= loan->block->size - loan->used)
		return loan->block->bytes + std::exchange(loan->used, loan->used + rounded);
	loan->more += rounded;
	return MemoryContextAllocHuge(loan->owner, bytes);
}

}  // namespace

Arena KeptMemory::borrow(MemoryContext owner)
{
	auto *loan = static_cast<Loan *>(MemoryContextAllocZero(owner, sizeof(Loan)));
	loan->owner = owner;
	watch_for_idleness();
	loan->block = take_block();
	loan->callback = {give_back, loan, nullptr};
	MemoryContextRegisterResetCallback(owner, &loan->callback);
	return {allocate, loan};
}

}  // namespace vectorizer::pg
