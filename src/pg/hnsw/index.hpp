// What every verb needs to know of an index: the facts of its metapage that stand from its creation to its end.
#pragma once

#include "core/graph/insert.hpp"
#include "pg/hnsw/format.hpp"
#include "pg/hnsw/options.hpp"
#include "pg/page.hpp"

namespace vectorizer::hnsw {

struct Index {
	quantize::Shape shape;
	graph::InsertParameters parameters;
	graph::SlotLayout layout;
	unsigned slots_per_page;
	unsigned uppers_per_page;
	double level_probability;  // share of nodes that reach one level more

	NodeId nodes_per_group() const { return kNodePages * slots_per_page; }

	/// Bytes of an item on a page of that kind.
	std::size_t item_bytes(PageKind kind) const
	{
		return kind == PageKind::kNodes		  ? layout.slot_bytes()
			   : kind == PageKind::kAuxiliary ? layout.upper_bytes()
			   : kind == PageKind::kOverflow  ? sizeof(Chunk)
			   : kind == PageKind::kParameters ? sizeof(ParameterPage)
											  : sizeof(MetaPage);
	}
};
static_assert(std::is_trivially_destructible_v<Index>);

/// Bytes of the largest code that a slot has room for.
std::size_t most_code_bytes(unsigned m);

/// As WITH (quantization = ...) says it.
const char *kind_name(quantize::Kind kind);

/// Derives all sizes. Raises 54000, and names the setting that fits, if no slot of that kind fits into a page.
Index make_index(const quantize::Shape &shape, const graph::InsertParameters &parameters);

/// The facts of an existing index, read from its metapage at a backend's first use. Raises XX002 (index_corrupted) when the
/// metapage contradicts itself or this library.
Index open_index(Relation relation);

/// Fills a page with an empty index's metapage.
void init_meta_page(Page page, const Index &index, std::uint16_t flags, const Evidence &evidence);

/// Fills a page of the given kind with no item on it.
void init_page(Page page, PageKind kind);

/// Raises XX002 unless the page is one of this kind, sound as far as its header tells. New (all-zero) pages pass if
/// `may_be_new`.
void check_page(Relation relation, BlockNumber block, Page page, PageKind kind, std::size_t item_bytes, bool may_be_new);

/// Tells what every page of an index must be from the first page of its group. Shown the blocks in ascending order from 1.
class GroupFrame {
public:
	/// The kind of a page, which has then passed check_page; none for a page that has not been used yet. Raises XX002.
	std::optional<PageKind> kind(Relation relation, const Index &index, BlockNumber block, Page page);

private:
	std::optional<PageKind> group_;  // of the pages after a group's first
};

/// Groups that a file of so many blocks can have: of the last one claimed, no block need be there yet.
inline std::uint32_t most_groups(BlockNumber blocks)
{
	return (blocks + kGroupBlocks - 2) / kGroupBlocks + 1;
}

/// Raises XX002 with the place and the reason.
[[noreturn]] void corrupted(Relation relation, BlockNumber block, const char *what) pg_attribute_cold;

/// The changing part of the metapage, as of now.
MetaPage read_meta(Relation relation);

}  // namespace vectorizer::hnsw
