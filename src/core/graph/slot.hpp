// A node's slot: the bytes of one indexed vector, the same in a page and in the memory of a build.
//
//   header (28 bytes) | code | padding to 4 bytes | 2m neighbour ids | 2m quantized edge distances | padding to 4 bytes
//
// Header and code, which an evaluation reads, lie side by side: it touches as few cache lines as can be.
//
// The lists of levels above 0 live apart, in upper entries: 8 bytes of header, m ids, m edge distances. A node of level L
// owns L consecutive ones, that of level 1 first.
//
// Byte order is the machine's, as everywhere in Postgres's files.
#pragma once

#include "core/graph/links.hpp"
#include "core/prefetch.hpp"
#include "core/quantize/quantizer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace vectorizer::graph {

/// Where a row is in its table: Postgres's ItemPointerData, as plain bytes. offset 0: none.
struct RowPointer {
	std::uint16_t block_high;
	std::uint16_t block_low;
	std::uint16_t offset;

	bool valid() const { return offset != 0; }
	friend bool operator==(const RowPointer &, const RowPointer &) = default;
};
static_assert(sizeof(RowPointer) == 6 && alignof(RowPointer) == 2);

enum class State : std::uint8_t {
	kFree = 0,       // never used, or freed by vacuum: on no list, its id in no link
	kLive = 1,       // holds at least one row
	kTombstone = 2,  // its rows are gone; links still lead through it
};

struct SlotHeader {
	std::uint8_t state;        // State
	std::uint8_t level;        // top level: the node owns that many upper entries
	LinkHeader links;          // of level 0
	std::uint16_t generation;  // raised when the slot is freed: tells an old id from a new node
	std::uint16_t upper;       // index of its first upper entry; 0 where level is 0
	float scale;               // quantize::Factors
	float norm;
	std::uint32_t duplicates;  // first chunk of further rows with the same code, kNoChunk without
	RowPointer row;            // first row; may be invalid while `duplicates` holds others
	std::uint16_t reserved;    // 0
};
static_assert(sizeof(SlotHeader) == 28 && alignof(SlotHeader) == 4);
static_assert(offsetof(SlotHeader, links) == 2 && offsetof(SlotHeader, generation) == 4 &&
			  offsetof(SlotHeader, scale) == 8 && offsetof(SlotHeader, duplicates) == 16 &&
			  offsetof(SlotHeader, row) == 20 && offsetof(SlotHeader, reserved) == 26);

inline constexpr std::uint32_t kNoChunk = 0xFFFFFFFF;

struct UpperHeader {
	LinkHeader links;
	std::uint16_t owner;     // ordinal of its node in the group
	std::uint16_t level;     // 1 and up
	std::uint16_t reserved;  // 0
};
static_assert(sizeof(UpperHeader) == 8);

/// Sizes and places inside a slot and an upper entry.
class SlotLayout {
public:
	SlotLayout(unsigned m, std::size_t code_bytes)
		: m_(m), code_bytes_(code_bytes), links_offset_(align(sizeof(SlotHeader) + code_bytes)),
		  slot_bytes_(align(links_offset_ + 2 * m * kLinkBytes)), upper_bytes_(align(sizeof(UpperHeader) + m * kLinkBytes)) {}

	/// The header and the code alone, in whole units of `unit` bytes: for who keeps links elsewhere. It has no links().
	static SlotLayout without_links(unsigned m, std::size_t code_bytes, std::size_t unit)
	{
		SlotLayout layout(m, code_bytes);
		layout.slot_bytes_ = (sizeof(SlotHeader) + code_bytes + unit - 1) / unit * unit;
		return layout;
	}

	unsigned m() const { return m_; }
	unsigned capacity(unsigned level) const { return level == 0 ? 2 * m_ : m_; }
	std::size_t code_bytes() const { return code_bytes_; }
	std::size_t slot_bytes() const { return slot_bytes_; }
	std::size_t upper_bytes() const { return upper_bytes_; }

	static SlotHeader &header(std::byte *slot) { return *reinterpret_cast<SlotHeader *>(slot); }
	static const SlotHeader &header(const std::byte *slot) { return *reinterpret_cast<const SlotHeader *>(slot); }
	static std::uint8_t *code(std::byte *slot) { return reinterpret_cast<std::uint8_t *>(slot + sizeof(SlotHeader)); }
	static const std::uint8_t *code(const std::byte *slot)
	{
		return reinterpret_cast<const std::uint8_t *>(slot + sizeof(SlotHeader));
	}
	static quantize::Factors factors(const std::byte *slot) { return {header(slot).scale, header(slot).norm}; }

	/// Begins to fetch what an evaluation reads, or the links.
	void prefetch_code(const std::byte *slot) const
	{
		prefetch(slot, std::min(sizeof(SlotHeader) + code_bytes_, kMostPrefetched));
	}
	void prefetch_links(const std::byte *slot) const { prefetch(slot + links_offset_, 2 * m_ * kLinkBytes); }

	LinkList links(std::byte *slot) const
	{
		return list(header(slot).links, slot + links_offset_, 2 * m_);
	}
	LinkList upper_links(std::byte *entry) const
	{
		return list(reinterpret_cast<UpperHeader *>(entry)->links, entry + sizeof(UpperHeader), m_);
	}

	/// A list of links by itself: its header in four bytes, ids, edge distances.
	static constexpr std::size_t list_bytes(unsigned capacity) { return align(sizeof(NodeId) + capacity * kLinkBytes); }
	static LinkList list_at(std::byte *at, unsigned capacity)
	{
		return list(*reinterpret_cast<LinkHeader *>(at), at + sizeof(NodeId), capacity);
	}

private:
	static constexpr std::size_t kMostPrefetched = 10 * kCacheLine;  // the processor itself goes on along what is longer

	static constexpr std::size_t kLinkBytes = sizeof(NodeId) + 1;
	static constexpr std::size_t align(std::size_t bytes) { return (bytes + 3) & ~std::size_t{3}; }
	static LinkList list(LinkHeader &header, std::byte *body, unsigned capacity)
	{
		auto *ids = reinterpret_cast<NodeId *>(body);
		return {&header, ids, reinterpret_cast<std::int8_t *>(ids + capacity), capacity};
	}

	unsigned m_;
	std::size_t code_bytes_;
	std::size_t links_offset_;
	std::size_t slot_bytes_;
	std::size_t upper_bytes_;
};

}  // namespace vectorizer::graph
