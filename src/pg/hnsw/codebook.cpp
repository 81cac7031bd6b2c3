#include "pg/hnsw/codebook.hpp"

#include "core/quantize/subspaces.hpp"
#include "pg/boundary.hpp"

namespace vectorizer::hnsw {

namespace {

// The index is under construction: nobody else claims groups, and its pages are logged when the build ends.
constexpr bool kLogged = false;

/// Claims one more group for parameters and writes its first page, as good as empty. Returns that block.
BlockNumber claim_group(Relation relation)
{
	BlockNumber block = group_block(read_meta(relation).groups);
	pg::extend_to(relation, block + 1);
	pg::PageChange change(relation, kLogged);
	Page first = change.lock(block);
	MetaPage *meta = meta_of(change.lock(kMetaBlock));
	if (!PageIsNew(first))
		corrupted(relation, block, "a page is in use in a group that nobody has claimed");
	init_page(first, PageKind::kParameters);
	++meta->groups;
	change.commit();
	return block;
}

void write_page(Relation relation, BlockNumber block, const ParameterPage &contents)
{
	pg::extend_to(relation, block + 1);
	pg::PageChange change(relation, kLogged);
	Page page = change.lock(block);
	init_page(page, PageKind::kParameters);
	set_items_on(page, sizeof(ParameterPage), 1);
	tail_of(page)->in_use = 1;
	*parameters_of(page) = contents;
	change.commit();
}

std::size_t pages_of(std::size_t values)
{
	return (values + kValuesPerPage - 1) / kValuesPerPage;
}

bool sound(const Index &index, quantize::Parameters parameters)
{
	double unit = quantize::Codebook::unit(parameters), error = quantize::Codebook::unit_error(parameters);
	return unit > 0 && std::isfinite(unit) && error >= 0 && std::isfinite(error) &&
		   std::all_of(parameters.begin(), parameters.end(), [](float value) { return std::isfinite(value); }) &&
		   parameters.size() == quantize::Codebook::floats(index.shape.dimensions);
}

}  // namespace

quantize::Parameters read_codebook(Relation relation, const Index &index, BlockNumber block, std::uint16_t generation,
								   const Arena &arena)
{
	std::span<float> values = arena.array<float>(quantize::Codebook::floats(index.shape.dimensions));
	BlockNumber blocks = RelationGetNumberOfBlocks(relation);
	BlockNumber next = InvalidBlockNumber;
	for (std::size_t at = 0; at < values.size(); at += kValuesPerPage, ++block) {
		CHECK_FOR_INTERRUPTS();
		if (at > 0 && is_group_start(block))
			block = next;
		if (block >= blocks || block == kMetaBlock)
			corrupted(relation, block, "the codebook goes on beyond the end of the file");
		pg::read_page(relation, block, [&](Page page) {
			check_page(relation, block, page, PageKind::kParameters, sizeof(ParameterPage), false);
			const ParameterPage *from = parameters_of(page);
			if (items_on(page, sizeof(ParameterPage)) != 1 || from->generation != generation)
				corrupted(relation, block, "the page is not of the codebook that the metapage names");
			next = from->next_group;
			std::copy_n(from->values, std::min(kValuesPerPage, values.size() - at), values.begin() + static_cast<std::ptrdiff_t>(at));
		});
	}
	if (!sound(index, values))
		corrupted(relation, block, "the codebook holds impossible values");
	return values;
}

quantize::Quantizer open_quantizer(Relation relation, const Index &index, const Arena &arena)
{
	if (index.shape.kind != quantize::Kind::kProduct)
		return quantize::Quantizer(index.shape, arena);
	MetaPage meta = read_meta(relation);
	quantize::Parameters parameters;
	if (meta.codebook_block != InvalidBlockNumber)
		parameters = read_codebook(relation, index, meta.codebook_block, meta.codebook_generation, arena);
	return quantize::Quantizer(index.shape, arena, parameters);
}

void write_codebook(Relation relation, quantize::Parameters parameters)
{
	MetaPage before = read_meta(relation);
	auto generation = static_cast<std::uint16_t>(before.codebook_generation % 65535 + 1);
	std::size_t pages = pages_of(parameters.size());
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hnsw codebook", ALLOCSET_DEFAULT_SIZES);
	Arena arena = pg::context_arena(context);
	std::span<BlockNumber> groups = arena.array<BlockNumber>((pages + kGroupBlocks - 1) / kGroupBlocks);
	for (BlockNumber &group : groups)
		group = claim_group(relation);

	ParameterPage *contents = arena.array<ParameterPage>(1).data();
	for (std::size_t at = 0; at < pages; ++at) {
		CHECK_FOR_INTERRUPTS();
		std::size_t group = at / kGroupBlocks;
		*contents = {};
		contents->generation = generation;
		contents->next_group = group + 1 < groups.size() ? groups[group + 1] : InvalidBlockNumber;
		auto rest = parameters.subspan(at * kValuesPerPage);
		std::copy_n(rest.begin(), std::min(kValuesPerPage, rest.size()), contents->values);
		write_page(relation, groups[group] + static_cast<BlockNumber>(at % kGroupBlocks), *contents);
	}

	pg::PageChange change(relation, kLogged);
	MetaPage *meta = meta_of(change.lock(kMetaBlock));
	meta->codebook_generation = generation;
	meta->codebook_block = groups[0];
	change.commit();
	MemoryContextDelete(context);
}

}  // namespace vectorizer::hnsw
