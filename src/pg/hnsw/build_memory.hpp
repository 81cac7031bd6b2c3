// The memory of a graph that parallel workers build together: chunks in dynamic shared memory.
//
// It grows by segments, each an eighth of what there is, because a segment is allocated in full when it is made. Segments
// are pinned, since whoever made one may leave first; the last user's detaching from the segment that holds the
// SharedMemory (the parallel context's) unpins them, after an error too.
#pragma once

#include "core/graph/memory_graph.hpp"
#include "pg/pg.hpp"

extern "C" {
#include "storage/dsm.h"
#include "storage/lwlock.h"
}

namespace vectorizer::hnsw {

/// What all processes see of it.
struct SharedMemory {
	static constexpr unsigned kMostSegments = 250;

	LWLock lock;                // of everything here but the places
	std::size_t most_bytes;
	std::size_t bytes;          // of all segments
	std::size_t room;           // of the last segment, in bytes
	std::size_t used;           // of that
	unsigned users;
	unsigned segments;
	dsm_handle handles[kMostSegments];
	std::size_t first_place[graph::kChunkKinds + 1];  // per kind: its part of `places`
	std::atomic<std::uint32_t> places[FLEXIBLE_ARRAY_MEMBER];  // of a chunk: segment and offset; 0: not made yet

	/// Bytes for a graph of at most `most_bytes` of these sizes.
	static std::size_t size(std::size_t most_bytes, const graph::MemorySizes &sizes);
	void initialize(std::size_t most_bytes, const graph::MemorySizes &sizes);
};

/// Whether so much dynamic shared memory could be had now, as far as that can be told.
bool shared_memory_available(std::size_t bytes);

/// One process's view of it.
class SharedChunks {
public:
	/// `holder` is the segment that `memory` lies in.
	SharedChunks(SharedMemory *memory, dsm_segment *holder, graph::GraphState *state);

	graph::ChunkSource source() { return {find, this}; }

	/// Unmaps the chunks: nobody may use the graph in this process after.
	void unmap();

	/// Gives all chunks back, once every process has unmapped or is about to.
	void give_back();

private:
	static std::byte *find(void *context, graph::ChunkKind kind, std::size_t number, std::size_t bytes);
	std::uint32_t make(std::size_t bytes);
	std::byte *address(std::uint32_t place);

	SharedMemory *memory_;
	graph::GraphState *state_;
	dsm_segment *mapped_[SharedMemory::kMostSegments];
};
static_assert(std::is_trivially_destructible_v<SharedChunks>);

}  // namespace vectorizer::hnsw
