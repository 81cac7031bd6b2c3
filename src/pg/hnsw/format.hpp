// The bytes of an index on disk: pages, groups and the metapage. Layout version 1.
//
//   block 0          metapage
//   blocks 1..32     group 0: one auxiliary page, then 31 node pages    (kind: nodes)
//   blocks 33..64    group 1: ... or 32 chunk pages                     (kind: overflow)
//                    ... or 32 pages of a codebook                      (kind: parameters)
//
// Groups are claimed one after the other in the metapage; blocks are appended only as they are needed, so a claimed group
// may lie partly beyond the end of the file, and after a crash any of its pages may be all zeroes: both read as "no slot
// has been used here". A node's id is its place: no table leads from ids to pages.
#pragma once

#include "core/graph/slot.hpp"
#include "pg/pg.hpp"

extern "C" {
#include "storage/bufpage.h"
#include "storage/itemptr.h"
}

namespace vectorizer::hnsw {

using graph::kNoChunk;
using graph::kNoNode;
using graph::NodeId;
using graph::RowPointer;

inline constexpr std::uint32_t kMagic = 0x56585A31;  // "VXZ1"
inline constexpr std::uint8_t kLayoutVersion = 1;
inline constexpr BlockNumber kMetaBlock = 0;
inline constexpr unsigned kGroupBlocks = 32;
inline constexpr unsigned kNodePages = kGroupBlocks - 1;

enum class PageKind : std::uint8_t {
	kMeta = 1,
	kAuxiliary = 2,  // upper entries of a group of nodes
	kNodes = 3,      // slots
	kOverflow = 4,   // chunks of further heap rows of one node
	kParameters = 5, // what training found: one ParameterPage
};

/// The special area of every page.
struct PageTail {
	std::uint32_t magic;    // kMagic
	std::uint8_t kind;      // PageKind
	std::uint8_t version;   // kLayoutVersion
	std::uint16_t in_use;   // items that are not free: slots, upper entries or chunks
};
static_assert(sizeof(PageTail) == 8);

inline constexpr std::size_t kPageRoom = BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - MAXALIGN(sizeof(PageTail));
static_assert(MAXALIGN(SizeOfPageHeaderData) == 24 && kPageRoom == 8160);

/// Heap rows beyond a node's first: a chain of these hangs on its slot.
struct Chunk {
	static constexpr unsigned kRows = 8;
	std::uint32_t next;        // chunk id, kNoChunk at the end
	NodeId owner;              // kNoNode: the chunk is free
	std::uint16_t generation;  // the owner's
	std::uint16_t count;       // rows in use, at the front; kRetired: none, and taken out of the chain
	RowPointer rows[kRows];

	static constexpr std::uint16_t kRetired = 0xFFFF;
	bool sound() const { return count <= kRows || count == kRetired; }
	unsigned rows_in_use() const { return count == kRetired ? 0 : count; }
};
static_assert(sizeof(Chunk) == 60);
inline constexpr unsigned kChunksPerPage = kPageRoom / sizeof(Chunk);
static_assert(kChunksPerPage == 136);

/// A page of what training found: a codebook takes the pages of a group, then those of the next group of its chain.
struct ParameterPage {
	std::uint16_t generation;
	std::uint16_t reserved;   // 0
	BlockNumber next_group;   // first block of the group that goes on; the same on every page of a group
	float values[2038];
};
static_assert(sizeof(ParameterPage) == kPageRoom);
inline constexpr std::size_t kValuesPerPage = sizeof(ParameterPage::values) / sizeof(float);

/// What the code was worth on the rows that it was chosen or trained on. All zero: nothing was measured.
struct Evidence {
	float recall_at_10;
	float recall_at_100;
	float mean_rank_shift;
	float code_bytes_saved;
	std::uint32_t sampled_rows;
	float scan_time_ratio;
	std::uint32_t queries;
	std::uint32_t reserved;
};
static_assert(sizeof(Evidence) == 32);

struct MetaPage {
	std::uint32_t magic;            // kMagic
	std::uint16_t version;          // kLayoutVersion
	std::uint16_t flags;            // kUntrained, kAutomatic

	// Fixed when the index is created.
	std::uint8_t type;              // VectorType
	std::uint8_t metric;            // Metric
	std::uint8_t quantizer;         // quantize::Kind
	std::uint8_t bits;              // of a code, per dimension
	std::uint32_t dimensions;
	std::uint16_t m;
	std::uint16_t ef_construction;
	std::uint16_t slot_bytes;       // these five follow from the above, and are here to be checked against
	std::uint16_t slots_per_page;
	std::uint16_t upper_bytes;
	std::uint16_t uppers_per_page;
	std::uint16_t group_blocks;
	std::uint16_t attribute_bytes;  // filter attributes in a slot: 0
	std::uint64_t seed;             // of the rotation

	// Changed by inserts and vacuum.
	NodeId entry;                   // entry point, kNoNode while the index is empty
	std::uint16_t entry_level;
	std::uint16_t cycle;            // vacuum cycles so far, modulo 65,535, counted from 1
	std::uint32_t groups;           // groups claimed
	BlockNumber node_tail;          // node page that new slots come from, InvalidBlockNumber: none yet
	BlockNumber overflow_tail;      // chunk page that new chunks come from, InvalidBlockNumber: none yet
	std::uint32_t freed_slots;      // slots that the last vacuum left free: whether the free space map is worth asking
	std::uint64_t live;             // nodes with rows at the last build or vacuum
	std::uint64_t tombstones;       // exact: only vacuum makes or frees them

	// Parameters of trained quantizers, by generation; 0 and InvalidBlockNumber: the data-free code.
	std::uint16_t codebook_generation;
	std::uint16_t reserved_generation;    // 0
	BlockNumber codebook_block;
	BlockNumber reserved_block;           // InvalidBlockNumber

	Evidence evidence;

	std::uint16_t subspaces;        // of a product code, fixed when the index is created; 0 for others
	std::uint16_t reserved;         // 0
};
static_assert(offsetof(MetaPage, seed) == 32 && offsetof(MetaPage, entry) == 40 && offsetof(MetaPage, live) == 64 &&
			  offsetof(MetaPage, evidence) == 92 && offsetof(MetaPage, subspaces) == 124 &&
			  sizeof(MetaPage) == 128);

inline constexpr std::uint16_t kUntrained = 1;  // the code was neither chosen nor trained on rows
inline constexpr std::uint16_t kAutomatic = 2;  // quantization = auto

enum class VectorType : std::uint8_t { kVector = 1 };

inline MetaPage *meta_of(Page page)
{
	return reinterpret_cast<MetaPage *>(PageGetContents(page));
}

inline PageTail *tail_of(Page page)
{
	return reinterpret_cast<PageTail *>(PageGetSpecialPointer(page));
}

inline std::byte *contents_of(Page page)
{
	return reinterpret_cast<std::byte *>(PageGetContents(page));
}

inline Chunk *chunk_of(Page page, unsigned index)
{
	return reinterpret_cast<Chunk *>(contents_of(page)) + index;
}

/// Items of `bytes` each that the page's pd_lower says have been used. REQUIRES: a checked page that is not new.
inline unsigned items_on(Page page, std::size_t bytes)
{
	return static_cast<unsigned>((reinterpret_cast<PageHeader>(page)->pd_lower - MAXALIGN(SizeOfPageHeaderData)) / bytes);
}

inline void set_items_on(Page page, std::size_t bytes, unsigned count)
{
	reinterpret_cast<PageHeader>(page)->pd_lower =
		static_cast<LocationIndex>(MAXALIGN(SizeOfPageHeaderData) + bytes * count);
}

/// A chunk's id is its place, too. REQUIRES: `block` is in a group of chunk pages.
inline std::uint32_t chunk_id(BlockNumber block, unsigned index)
{
	return (block - 1) * kChunksPerPage + index;
}

inline BlockNumber chunk_block(std::uint32_t chunk)
{
	return 1 + chunk / kChunksPerPage;
}

inline ParameterPage *parameters_of(Page page)
{
	return reinterpret_cast<ParameterPage *>(contents_of(page));
}

inline graph::UpperHeader &upper_header(std::byte *entry)
{
	return *reinterpret_cast<graph::UpperHeader *>(entry);
}

/// The owner of a free upper entry.
inline constexpr std::uint16_t kNoOwner = 0xFFFF;

inline RowPointer row_of(const ItemPointerData &tid)
{
	return {tid.ip_blkid.bi_hi, tid.ip_blkid.bi_lo, tid.ip_posid};
}

inline ItemPointerData tid_of(RowPointer row)
{
	ItemPointerData tid;
	tid.ip_blkid.bi_hi = row.block_high;
	tid.ip_blkid.bi_lo = row.block_low;
	tid.ip_posid = row.offset;
	return tid;
}

/// Where a node lies.
struct NodePlace {
	BlockNumber block;
	BlockNumber auxiliary;  // its group's first block
	unsigned slot;          // on its page
	std::uint16_t ordinal;  // in its group
};

inline BlockNumber group_block(std::uint32_t group)
{
	return 1 + group * kGroupBlocks;
}

inline std::uint32_t group_of(BlockNumber block)
{
	return (block - 1) / kGroupBlocks;
}

inline NodePlace place_of(NodeId id, unsigned slots_per_page)
{
	std::uint32_t page = id / slots_per_page;  // counted over the node pages alone
	unsigned slot = id - page * slots_per_page;
	std::uint32_t group = page / kNodePages;
	std::uint32_t in_group = page - group * kNodePages;
	BlockNumber first = group_block(group);
	return {first + 1 + in_group, first, slot, static_cast<std::uint16_t>(in_group * slots_per_page + slot)};
}

/// REQUIRES: `block` is a node page of its group.
inline NodeId node_at(BlockNumber block, unsigned slot, unsigned slots_per_page)
{
	std::uint32_t page = (block - 1) % kGroupBlocks - 1;
	return (group_of(block) * kNodePages + page) * slots_per_page + slot;
}

inline bool is_group_start(BlockNumber block)
{
	return block > 0 && (block - 1) % kGroupBlocks == 0;
}

}  // namespace vectorizer::hnsw
