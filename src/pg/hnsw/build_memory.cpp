#include "pg/hnsw/build_memory.hpp"

#include <sys/statvfs.h>

extern "C" {
#include "storage/dsm_impl.h"
}

namespace vectorizer::hnsw {

namespace {

constexpr std::size_t kUnit = 1024;  // what offsets are counted in
constexpr unsigned kOffsetBits = 24;
constexpr std::size_t kSmallestSegment = 1024 * 1024;
constexpr std::size_t kLargestSegment = std::size_t{1} << 30;
constexpr std::size_t kMargin = 1024 * 1024;  // left free where dynamic shared memory is a file system's

std::size_t in_units(std::size_t bytes)
{
	return (bytes + kUnit - 1) / kUnit * kUnit;
}

std::size_t most_chunks(std::size_t most_bytes, std::size_t chunk_bytes)
{
	return std::max<std::size_t>(most_bytes / in_units(chunk_bytes), 1);
}

/// Whoever leaves last unpins the segments.
void leave(dsm_segment *, Datum argument)
{
	auto *memory = reinterpret_cast<SharedMemory *>(DatumGetPointer(argument));
	LWLockAcquire(&memory->lock, LW_EXCLUSIVE);
	const bool last = --memory->users == 0;
	if (last)
		for (unsigned i = 0; i < memory->segments; ++i)
			dsm_unpin_segment(memory->handles[i]);
	LWLockRelease(&memory->lock);
}

}  // namespace

std::size_t SharedMemory::size(std::size_t most_bytes, const graph::MemorySizes &sizes)
{
	std::size_t n = 0;
	for (std::size_t kind = 0; kind < graph::kChunkKinds; ++kind)
		n += most_chunks(most_bytes, sizes.chunk_bytes(static_cast<graph::ChunkKind>(kind)));
	return offsetof(SharedMemory, places) + n * sizeof(places[0]);
}

void SharedMemory::initialize(std::size_t most, const graph::MemorySizes &sizes)
{
	std::memset(static_cast<void *>(this), 0, size(most, sizes));
	LWLockInitialize(&lock, LWTRANCHE_PARALLEL_QUERY_DSA);  // waits show as those for a parallel query's shared memory
	most_bytes = most;
	for (std::size_t kind = 0; kind < graph::kChunkKinds; ++kind)
		first_place[kind + 1] = first_place[kind] +
								 most_chunks(most, sizes.chunk_bytes(static_cast<graph::ChunkKind>(kind)));
}

bool shared_memory_available(std::size_t bytes)
{
	const char *folder = dynamic_shared_memory_type == DSM_IMPL_POSIX	 ? "/dev/shm"
						 : dynamic_shared_memory_type == DSM_IMPL_MMAP ? PG_DYNSHMEM_DIR
																	   : nullptr;
	struct statvfs room;
	if (folder == nullptr || statvfs(folder, &room) != 0)
		return true;
	return room.f_bavail * room.f_frsize >= bytes + kMargin;
}

SharedChunks::SharedChunks(SharedMemory *memory, dsm_segment *holder, graph::GraphState *state)
	: memory_(memory), state_(state), mapped_{}
{
	on_dsm_detach(holder, leave, PointerGetDatum(memory));
	LWLockAcquire(&memory->lock, LW_EXCLUSIVE);
	++memory->users;
	LWLockRelease(&memory->lock);
}

std::byte *SharedChunks::find(void *context, graph::ChunkKind kind, std::size_t number, std::size_t bytes)
{
	auto &self = *static_cast<SharedChunks *>(context);
	SharedMemory *memory = self.memory_;
	const auto k = static_cast<std::size_t>(kind);
	if (number >= memory->first_place[k + 1] - memory->first_place[k])
		return nullptr;
	std::atomic<std::uint32_t> &known = memory->places[memory->first_place[k] + number];
	std::uint32_t place = known.load(std::memory_order_acquire);
	if (place == 0) {
		LWLockAcquire(&memory->lock, LW_EXCLUSIVE);
		place = known.load(std::memory_order_relaxed);
		if (place == 0 && (place = self.make(bytes)) != 0) {
			std::memset(self.address(place), 0, bytes);  // memory of the server's main segment is not new
			self.state_->bytes += bytes;
			known.store(place, std::memory_order_release);
		}
		LWLockRelease(&memory->lock);
	}
	return place == 0 ? nullptr : self.address(place);
}

/// Takes a chunk from the last segment, or from a new one. Returns 0 where there is no memory. REQUIRES: the lock.
std::uint32_t SharedChunks::make(std::size_t bytes)
{
	bytes = in_units(bytes);
	if (memory_->used + bytes > memory_->room) {
		std::size_t wanted = std::clamp(memory_->bytes / 8, kSmallestSegment, kLargestSegment);
		wanted = std::min(in_units(std::max(bytes, wanted)), memory_->most_bytes - memory_->bytes);
		if (wanted < bytes || memory_->segments == SharedMemory::kMostSegments || !shared_memory_available(wanted))
			return 0;
		dsm_segment *segment = dsm_create(wanted, DSM_CREATE_NULL_IF_MAXSEGMENTS);
		if (segment == nullptr)
			return 0;
		dsm_pin_segment(segment);
		const unsigned last = memory_->segments++;
		mapped_[last] = segment;
		memory_->handles[last] = dsm_segment_handle(segment);
		memory_->bytes += wanted;
		memory_->room = wanted;
		memory_->used = 0;
	}
	const auto place = static_cast<std::uint32_t>((memory_->segments << kOffsetBits) + memory_->used / kUnit);
	memory_->used += bytes;
	return place;
}

std::byte *SharedChunks::address(std::uint32_t place)
{
	const unsigned segment = (place >> kOffsetBits) - 1;
	if (mapped_[segment] == nullptr) {
		mapped_[segment] = dsm_attach(memory_->handles[segment]);
		if (mapped_[segment] == nullptr)
			ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							errmsg("could not attach to the memory of an hnsw index's build")));
	}
	const std::size_t offset = (place & ((1U << kOffsetBits) - 1)) * kUnit;
	return static_cast<std::byte *>(dsm_segment_address(mapped_[segment])) + offset;
}

void SharedChunks::unmap()
{
	for (dsm_segment *&segment : mapped_)
		if (segment != nullptr) {
			dsm_detach(segment);
			segment = nullptr;
		}
}

void SharedChunks::give_back()
{
	LWLockAcquire(&memory_->lock, LW_EXCLUSIVE);
	for (unsigned i = 0; i < memory_->segments; ++i)
		dsm_unpin_segment(memory_->handles[i]);
	memory_->segments = 0;
	LWLockRelease(&memory_->lock);
}

}  // namespace vectorizer::hnsw
