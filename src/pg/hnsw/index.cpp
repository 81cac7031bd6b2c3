#include "pg/hnsw/index.hpp"

#include "pg/hnsw/opclass.hpp"

extern "C" {
#include "catalog/pg_type.h"
}

namespace vectorizer::hnsw {

namespace {

constexpr std::uint64_t kRotationSeed = 0x766563746F72697A;  // "vectoriz": one for all, so that equal vectors have equal codes

/// Vectors of this many bytes stay inside the heap tuple with a few columns beside them; larger ones are TOASTed.
constexpr std::size_t kInlineBytes = 1900;

const char *kind_name(quantize::Kind kind)
{
	return kind == quantize::Kind::kNone ? "none" : "scalar";
}

bool fits(const quantize::Shape &shape, unsigned m)
{
	return graph::SlotLayout(m, quantize::code_bytes(shape)).slot_bytes() <= kPageRoom;
}

/// The share of nodes that reach one level more: 1/m as in the paper, less where the auxiliary page would overflow.
double level_probability(unsigned m, unsigned nodes_per_group, unsigned uppers_per_page)
{
	return std::min(1.0 / m, 0.7 * uppers_per_page / nodes_per_group);
}

}  // namespace

Index make_index(const quantize::Shape &shape, const graph::InsertParameters &parameters)
{
	if (!fits(shape, parameters.m)) {
		const char *hint = "Reduce the vector's dimensions or the option m.";
		quantize::Shape smaller = shape;
		smaller.kind = quantize::Kind::kScalar;
		smaller.bits = 8;
		if (shape.bits > 8 && fits(smaller, parameters.m))
			hint = "Use quantization = scalar with bits = 8.";
		else if (smaller.bits = 4; shape.bits > 4 && fits(smaller, parameters.m))
			hint = "Use quantization = scalar with bits = 4.";
		else if (smaller.bits = 4; fits(smaller, kMinM))
			hint = "Use quantization = scalar with bits = 4 and a smaller m.";
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("vectors of %u dimensions do not fit into an hnsw index with quantization = %s, m = %u",
							   shape.dimensions, kind_name(shape.kind), parameters.m),
						errhint("%s", hint)));
	}
	graph::SlotLayout layout(parameters.m, quantize::code_bytes(shape));
	auto slots = static_cast<unsigned>(kPageRoom / layout.slot_bytes());
	auto uppers = static_cast<unsigned>(kPageRoom / layout.upper_bytes());
	return {shape, parameters, layout, slots, uppers, level_probability(parameters.m, kNodePages * slots, uppers)};
}

Choice choose(Relation relation)
{
	const Opclass &opclass = opclass_of(relation);
	Options options = options_of(relation);
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), 0);
	if (column->atttypmod < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("column does not have dimensions"),
						errhint("Declare the column as %s(n), or index an expression cast to it.", opclass.type_name)));

	Choice choice{};
	choice.parameters = {static_cast<unsigned>(options.m), static_cast<unsigned>(options.ef_construction)};
	choice.shape.metric = opclass.metric;
	choice.shape.dimensions = static_cast<std::uint32_t>(column->atttypmod);
	choice.shape.seed = kRotationSeed;
	choice.shape.kind = options.quantization == Quantization::kNone ? quantize::Kind::kNone : quantize::Kind::kScalar;
	if (choice.shape.kind == quantize::Kind::kNone)
		choice.shape.bits = 32;
	else if (options.bits != 0)
		choice.shape.bits = static_cast<std::uint8_t>(options.bits);
	else {
		// A deep rerank costs little where the vector lies in the heap tuple, much where it must be fetched from TOAST.
		bool in_line = sizeof(float) * choice.shape.dimensions < kInlineBytes || column->attstorage == TYPSTORAGE_MAIN ||
					   column->attstorage == TYPSTORAGE_PLAIN;
		choice.shape.bits = in_line ? 4 : 8;
		if (!fits(choice.shape, choice.parameters.m))
			choice.shape.bits = 4;
	}
	choice.flags = kUntrained;
	if (options.quantization == Quantization::kAuto)
		choice.flags |= kAutomatic;
	return choice;
}

void init_page(Page page, PageKind kind)
{
	PageInit(page, BLCKSZ, sizeof(PageTail));
	*tail_of(page) = {kMagic, static_cast<std::uint8_t>(kind), kLayoutVersion, 0};
}

void init_meta_page(Page page, const Index &index, std::uint16_t flags)
{
	init_page(page, PageKind::kMeta);
	MetaPage *meta = meta_of(page);
	std::memset(meta, 0, sizeof(*meta));
	meta->magic = kMagic;
	meta->version = kLayoutVersion;
	meta->flags = flags;
	meta->type = static_cast<std::uint8_t>(VectorType::kVector);
	meta->metric = static_cast<std::uint8_t>(index.shape.metric);
	meta->quantizer = static_cast<std::uint8_t>(index.shape.kind);
	meta->bits = index.shape.bits;
	meta->dimensions = index.shape.dimensions;
	meta->m = static_cast<std::uint16_t>(index.parameters.m);
	meta->ef_construction = static_cast<std::uint16_t>(index.parameters.ef_construction);
	meta->slot_bytes = static_cast<std::uint16_t>(index.layout.slot_bytes());
	meta->slots_per_page = static_cast<std::uint16_t>(index.slots_per_page);
	meta->upper_bytes = static_cast<std::uint16_t>(index.layout.upper_bytes());
	meta->uppers_per_page = static_cast<std::uint16_t>(index.uppers_per_page);
	meta->group_blocks = kGroupBlocks;
	meta->seed = index.shape.seed;
	meta->entry = kNoNode;
	meta->cycle = 1;
	meta->node_tail = InvalidBlockNumber;
	meta->overflow_tail = InvalidBlockNumber;
	meta->codebook_block = InvalidBlockNumber;
	meta->next_codebook_block = InvalidBlockNumber;
	set_items_on(page, sizeof(MetaPage), 1);
}

void corrupted(Relation relation, BlockNumber block, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
					errmsg("index \"%s\" is corrupted at block %u: %s", RelationGetRelationName(relation), block, what),
					errhint("REINDEX it; its table is not affected.")));
	pg_unreachable();
}

void check_page(Relation relation, BlockNumber block, Page page, PageKind kind, std::size_t item_bytes, bool may_be_new)
{
	if (PageIsNew(page)) {
		if (!may_be_new)
			corrupted(relation, block, "the page is all zeroes");
		return;
	}
	auto *header = reinterpret_cast<PageHeader>(page);
	if (header->pd_special != BLCKSZ - MAXALIGN(sizeof(PageTail)) || tail_of(page)->magic != kMagic)
		corrupted(relation, block, "not a page of an hnsw index");
	if (tail_of(page)->version != kLayoutVersion)
		corrupted(relation, block, "unknown layout version");
	if (tail_of(page)->kind != static_cast<std::uint8_t>(kind))
		corrupted(relation, block, "a page of another kind was expected");
	if (header->pd_lower < MAXALIGN(SizeOfPageHeaderData) || header->pd_lower > header->pd_special ||
		(header->pd_lower - MAXALIGN(SizeOfPageHeaderData)) % item_bytes != 0)
		corrupted(relation, block, "the page's item space has an impossible length");
}

std::optional<PageKind> GroupFrame::kind(Relation relation, const Index &index, BlockNumber block, Page page)
{
	if (is_group_start(block)) {
		group_.reset();
		if (PageIsNew(page))
			return std::nullopt;
		bool framed = reinterpret_cast<PageHeader>(page)->pd_special == BLCKSZ - MAXALIGN(sizeof(PageTail));
		bool nodes = framed && tail_of(page)->kind == static_cast<std::uint8_t>(PageKind::kAuxiliary);
		PageKind first = nodes ? PageKind::kAuxiliary : PageKind::kOverflow;
		check_page(relation, block, page, first, index.item_bytes(first), false);
		group_ = nodes ? PageKind::kNodes : PageKind::kOverflow;
		return first;
	}
	if (PageIsNew(page))
		return std::nullopt;
	if (!group_)
		corrupted(relation, block, "a page is in use in a group whose first page is not");
	check_page(relation, block, page, *group_, index.item_bytes(*group_), false);
	return group_;
}

namespace {

void check_meta(Relation relation, Page page)
{
	check_page(relation, kMetaBlock, page, PageKind::kMeta, sizeof(MetaPage), false);
	const MetaPage *meta = meta_of(page);
	if (meta->magic != kMagic || meta->version != kLayoutVersion)
		corrupted(relation, kMetaBlock, "the metapage has an unknown magic number or version");
	if (meta->dimensions < 1 || meta->dimensions > 16000 || meta->m < kMinM || meta->m > kMaxM ||
		meta->ef_construction < kMinEfConstruction || meta->ef_construction > kMaxEfConstruction || meta->metric < 1 ||
		meta->metric > 4 || meta->group_blocks != kGroupBlocks || meta->attribute_bytes != 0)
		corrupted(relation, kMetaBlock, "the metapage holds impossible parameters");
	auto may_be_tail = [&](BlockNumber tail) {
		return tail == InvalidBlockNumber || (tail != kMetaBlock && group_of(tail) < meta->groups);
	};
	if (!may_be_tail(meta->node_tail) || !may_be_tail(meta->overflow_tail) ||
		(meta->node_tail != InvalidBlockNumber && is_group_start(meta->node_tail)))
		corrupted(relation, kMetaBlock, "new slots or chunks come from an impossible block");
	bool known = meta->quantizer == static_cast<int>(quantize::Kind::kNone)
					 ? meta->bits == 32
					 : meta->quantizer == static_cast<int>(quantize::Kind::kScalar) && (meta->bits == 4 || meta->bits == 8);
	if (!known)
		corrupted(relation, kMetaBlock, "the metapage names an unknown quantizer");
}

}  // namespace

Index open_index(Relation relation)
{
	if (relation->rd_amcache != nullptr)
		return *static_cast<Index *>(relation->rd_amcache);

	MetaPage meta = read_meta(relation);
	if (meta.groups > most_groups(RelationGetNumberOfBlocks(relation)))
		corrupted(relation, kMetaBlock, "the metapage claims more groups than the file has");
	quantize::Shape shape{static_cast<quantize::Kind>(meta.quantizer), meta.bits, static_cast<Metric>(meta.metric),
						  meta.dimensions, meta.seed};
	if (!fits(shape, meta.m))
		corrupted(relation, kMetaBlock, "the metapage describes slots larger than a page");
	Index index = make_index(shape, {meta.m, meta.ef_construction});
	if (meta.slot_bytes != index.layout.slot_bytes() || meta.slots_per_page != index.slots_per_page ||
		meta.upper_bytes != index.layout.upper_bytes() || meta.uppers_per_page != index.uppers_per_page)
		corrupted(relation, kMetaBlock, "the metapage's sizes contradict its parameters");

	auto *cached = static_cast<Index *>(MemoryContextAlloc(relation->rd_indexcxt, sizeof(Index)));
	*cached = index;
	relation->rd_amcache = cached;
	return index;
}

MetaPage read_meta(Relation relation)
{
	return pg::read_page(relation, kMetaBlock, [&](Page page) {
		check_meta(relation, page);
		return *meta_of(page);
	});
}

}  // namespace vectorizer::hnsw
