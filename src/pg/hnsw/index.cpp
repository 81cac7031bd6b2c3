#include "pg/hnsw/index.hpp"


extern "C" {
#include "catalog/pg_type.h"
}

namespace vectorizer::hnsw {

namespace {

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

const char *kind_name(quantize::Kind kind)
{
	switch (kind) {
		case quantize::Kind::kNone: return "none";
		case quantize::Kind::kScalar: return "scalar";
		case quantize::Kind::kProduct: return "product";
		case quantize::Kind::kBinary: return "binary";
	}
	return "unknown";
}

std::size_t most_code_bytes(unsigned m)
{
	return kPageRoom - graph::SlotLayout(m, 0).slot_bytes();
}

namespace {

/// What would fit instead: the next narrower code, or with the narrowest a smaller m.
const char *hint_at_what_fits(quantize::Shape shape, unsigned m)
{
	using quantize::Kind;
	struct Narrower {
		Kind kind;
		std::uint8_t bits;
		const char *setting;
	};
	static constexpr Narrower narrower[] = {{Kind::kScalar, 8, "quantization = scalar with bits = 8"},
											{Kind::kScalar, 4, "quantization = scalar with bits = 4"},
											{Kind::kScalar, 2, "quantization = scalar with bits = 2"},
											{Kind::kBinary, 1, "quantization = binary"}};
	std::size_t bytes = quantize::code_bytes(shape);
	for (const Narrower &other : narrower) {
		shape.kind = other.kind;
		shape.bits = other.bits;
		if (quantize::code_bytes(shape) < bytes && fits(shape, m))
			return psprintf("Use %s.", other.setting);
	}
	return psprintf("Use quantization = product with at most %zu subspaces.", most_code_bytes(m));
}

}  // namespace

Index make_index(const quantize::Shape &shape, const graph::InsertParameters &parameters)
{
	if (!fits(shape, parameters.m)) {
		const char *hint = hint_at_what_fits(shape, parameters.m);
		unsigned smaller_m = parameters.m;
		while (smaller_m > kMinM && !fits(shape, smaller_m))
			--smaller_m;
		if (fits(shape, smaller_m))
			hint = psprintf("%s Or use m = %u or less.", hint, smaller_m);
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

void init_page(Page page, PageKind kind)
{
	PageInit(page, BLCKSZ, sizeof(PageTail));
	*tail_of(page) = {kMagic, static_cast<std::uint8_t>(kind), kLayoutVersion, 0};
}

void init_meta_page(Page page, const Index &index, std::uint16_t flags, const Evidence &evidence)
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
	meta->subspaces = index.shape.subspaces;
	meta->evidence = evidence;
	meta->entry = kNoNode;
	meta->cycle = 1;
	meta->node_tail = InvalidBlockNumber;
	meta->overflow_tail = InvalidBlockNumber;
	meta->codebook_block = InvalidBlockNumber;
	meta->reserved_block = InvalidBlockNumber;
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
		auto own = static_cast<PageKind>(framed ? tail_of(page)->kind : 0);
		PageKind first = own == PageKind::kAuxiliary || own == PageKind::kParameters ? own : PageKind::kOverflow;
		check_page(relation, block, page, first, index.item_bytes(first), false);
		group_ = first == PageKind::kAuxiliary ? PageKind::kNodes : first;
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

bool known_quantizer(const MetaPage &meta)
{
	bool product = meta.quantizer == static_cast<int>(quantize::Kind::kProduct);
	if (product != (meta.subspaces != 0) || meta.subspaces > meta.dimensions)
		return false;
	switch (static_cast<quantize::Kind>(meta.quantizer)) {
		case quantize::Kind::kNone: return meta.bits == 32;
		case quantize::Kind::kScalar: return meta.bits == 8 || meta.bits == 4 || meta.bits == 2;
		case quantize::Kind::kProduct: return meta.bits == 8;
		case quantize::Kind::kBinary: return meta.bits == 1;
	}
	return false;
}

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
	if (!known_quantizer(*meta))
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
						  meta.dimensions, meta.seed, meta.subspaces};
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
