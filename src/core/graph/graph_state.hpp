// What all builders of one graph in memory share, be they one or several processes: counters, the entry point and locks.
//
// Links and codes are read without locks (store.hpp: hints). A node's bytes are complete before its id can be met: it is
// published by the store of the entry point, or by the link that leads to it. A list of links is changed under its lock.
// Nothing that runs under one of these locks can raise an error or wait for anything else.
#pragma once

#include "core/arena.hpp"
#include "core/graph/links.hpp"
#include "core/prefetch.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vectorizer::graph {

/// Held for some hundred instructions at the most. Whoever waits longer gives way: the holder may have lost its processor.
class SpinLock {
public:
	void lock()
	{
		for (unsigned tries = 0; taken_.exchange(1, std::memory_order_acquire) != 0;)
			while (taken_.load(std::memory_order_relaxed) != 0)
				if (++tries % kTries == 0)
					sched_yield();
	}
	void unlock() { taken_.store(0, std::memory_order_release); }

private:
	static constexpr unsigned kTries = 200;

	std::atomic<std::uint32_t> taken_{0};
};

/// Lies in memory that all builders see.
struct GraphState {
	static constexpr std::size_t kLocks = 1024;

	std::atomic<std::uint32_t> nodes{0};   // handed out, as the next two
	std::atomic<std::uint32_t> uppers{0};
	std::atomic<std::uint32_t> rows{0};
	std::atomic<std::uint32_t> kept_nodes{0};   // places kept for rows that are to come: a node or a further row each
	std::atomic<std::uint32_t> kept_uppers{0};
	std::atomic<NodeId> entry{kNoNode};
	std::atomic<std::size_t> bytes{0};     // of all chunks
	SpinLock founding;                     // of the first node
	SpinLock lists[kLocks];                // of a node's links and its further rows, by id

	SpinLock &lock_of(NodeId id) { return lists[id % kLocks]; }
};
static_assert(std::atomic<std::size_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

/// The arrays that a graph consists of. They grow in chunks, which never move.
enum class ChunkKind : unsigned { kNodes, kUppers, kRows };
inline constexpr std::size_t kChunkKinds = 3;

/// Where a graph's memory comes from.
struct ChunkSource {
	/// The address of a chunk in this process; whoever asks for it first makes it, filled with zeroes. Null: there is no
	/// memory for it. May raise a Postgres error. Aligned to a cache line, 64 bytes.
	std::byte *(*chunk)(void *context, ChunkKind kind, std::size_t number, std::size_t bytes);
	void *context;
};

/// The state and the chunks of a graph that one process builds, in an arena.
class ArenaChunks {
public:
	ArenaChunks(const Arena &arena, std::size_t most_bytes) : arena_(arena), most_bytes_(most_bytes) {}

	GraphState state;
	ChunkSource source() { return {make, this}; }

private:
	static std::byte *make(void *context, ChunkKind, std::size_t, std::size_t bytes)
	{
		auto &self = *static_cast<ArenaChunks *>(context);
		if (bytes > self.most_bytes_ - self.state.bytes)
			return nullptr;
		std::byte *memory = self.arena_.array<std::byte>(bytes + kCacheLine).data();
		memory += -reinterpret_cast<std::uintptr_t>(memory) % kCacheLine;
		std::fill_n(memory, bytes, std::byte{0});
		self.state.bytes += bytes;
		return memory;
	}

	Arena arena_;
	std::size_t most_bytes_;
};

}  // namespace vectorizer::graph
