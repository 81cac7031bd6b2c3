#include "pg/hnsw/insert.hpp"

#include "pg/boundary.hpp"
#include "pg/crash_point.hpp"
#include "pg/hnsw/allocate.hpp"
#include "pg/hnsw/codebook.hpp"
#include "pg/hnsw/training.hpp"
#include "pg/kept_memory.hpp"

extern "C" {
#include "storage/lmgr.h"
}

namespace vectorizer::hnsw {

namespace {

/// A link to write into an existing node's list.
struct BackLink {
	BlockNumber block;  // of the page that the list is on
	NodeId node;
	unsigned level;
	double distance;
	bool required;
};

/// Links the new node from all its neighbours on one level, page by page in block order, one page locked at a time.
void link_back(const Inserter &inserter, NodeId id, unsigned level, std::span<const graph::Neighbour> neighbours,
			   const graph::KnownDistances &known_distances, const Arena &arena)
{
	Relation relation = inserter.relation;
	const Index &index = inserter.index;
	PageStore store(relation, index);
	graph::FromNew known(known_distances, neighbours);
	std::span<BackLink> links = arena.array<BackLink>(neighbours.size());
	for (std::size_t i = 0; i < neighbours.size(); ++i) {
		NodePlace place = place_of(neighbours[i].id, index.slots_per_page);
		links[i] = {level == 0 ? place.block : place.auxiliary, neighbours[i].id, level, neighbours[i].distance, i == 0};
	}
	std::sort(links.begin(), links.end(), [](const BackLink &a, const BackLink &b) { return a.block < b.block; });

	for (std::size_t i = 0; i < links.size();) {
		CHECK_FOR_INTERRUPTS();
		// Above level 0 the slot tells where its entry is. It cannot be freed meanwhile: vacuum waits for inserts before it
		// looks for what it may free.
		std::size_t end = i;
		std::span<std::optional<unsigned>> upper = arena.array<std::optional<unsigned>>(links.size());
		for (; end < links.size() && links[end].block == links[i].block; ++end) {
			upper[end].reset();
			if (level > 0)
				upper[end] = store.first_upper(links[end].node, level);
		}

		pg::PageChange change(relation, inserter.logged);
		BlockNumber block = links[i].block;
		Page page = change.lock(block);
		bool changed = false;
		for (; i < end; ++i) {
			NodePlace place = place_of(links[i].node, index.slots_per_page);
			std::byte *bytes;
			if (level == 0) {
				check_page(relation, block, page, PageKind::kNodes, index.layout.slot_bytes(), false);
				bytes = store.used_slot(block, page, place.slot);
			}
			else {
				check_page(relation, block, page, PageKind::kAuxiliary, index.layout.upper_bytes(), false);
				bytes = upper[i] ? upper_entry(relation, index, place, page, *upper[i], level) : nullptr;
			}
			if (bytes != nullptr)
				changed |= list_on(relation, index, block, bytes, level)
							   .admit(id, links[i].distance, known, links[i].required);
		}
		if (changed)
			change.commit();
		else
			change.abandon();
		pg::crash_point("insert.back_link");
	}
}

/// Adds links of level 0 to a node that was written without them, as far as its list has room.
void add_links(const Inserter &inserter, NodeId id, std::span<const graph::Neighbour> neighbours)
{
	const Index &index = inserter.index;
	NodePlace place = place_of(id, index.slots_per_page);
	pg::PageChange change(inserter.relation, inserter.logged);
	Page page = change.lock(place.block);
	check_page(inserter.relation, place.block, page, PageKind::kNodes, index.layout.slot_bytes(), false);
	graph::LinkList list = list_on(inserter.relation, index, place.block,
								   contents_of(page) + place.slot * index.layout.slot_bytes(), 0);
	for (const graph::Neighbour &neighbour : neighbours)
		if (list.count() < list.capacity && !list.contains(neighbour.id))
			list.append(neighbour.id, neighbour.distance, neighbour.hidden);
	change.commit();
}

/// Makes the node the entry point if it stands higher than the present one, or if that is still `searched_from` and led to
/// no live node. Returns the metapage as it was before.
MetaPage offer_as_entry(const Inserter &inserter, Written node, NodeId searched_from, bool found_nothing)
{
	auto wanted = [&](const MetaPage &meta) {
		return meta.entry == kNoNode || node.level > meta.entry_level || (found_nothing && meta.entry == searched_from);
	};
	MetaPage before = read_meta(inserter.relation);
	if (!wanted(before))
		return before;
	pg::PageChange change(inserter.relation, inserter.logged);
	MetaPage *meta = meta_of(change.lock(kMetaBlock));
	before = *meta;
	if (!wanted(before)) {
		change.abandon();
		return before;
	}
	meta->entry = node.id;
	meta->entry_level = static_cast<std::uint16_t>(node.level);
	change.commit();
	pg::crash_point("insert.entry");
	return before;
}

}  // namespace

unsigned draw_level(const Index &index, pg_prng_state *random)
{
	unsigned level = 0;
	while (level < graph::kMaxLevel && pg_prng_double(random) < index.level_probability)
		++level;
	return level;
}

Inserter make_inserter(Relation relation, bool logged, MemoryContext context)
{
	Index index = open_index(relation);
	return {relation, index, open_quantizer(relation, index, pg::context_arena(context)), logged};
}

bool insert_row(const Inserter &inserter, VectorView vector, RowPointer row)
{
	const Index &index = inserter.index;
	Arena arena = pg::KeptMemory::borrow(CurrentMemoryContext);
	std::span<std::uint8_t> code = arena.array<std::uint8_t>(index.layout.code_bytes());
	quantize::Computer computer;
	quantize::Factors factors = inserter.quantizer.encode_and_query(vector.x, code.data(), arena, &computer);
	PageStore store(inserter.relation, index);

	MetaPage meta = read_meta(inserter.relation);
	unsigned level = draw_level(index, &pg_global_prng_state);
	graph::Neighbourhood found{};
	auto search = [&](NodeId self) {
		found = graph::find_neighbourhood(store, inserter.quantizer, computer, meta.entry, meta.entry_level, level, self,
										  index.parameters, arena, pg::interrupt_pending());
		if (!found.complete) {
			CHECK_FOR_INTERRUPTS();
			ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("insertion into an hnsw index was interrupted")));
		}
	};
	if (meta.entry != kNoNode) {
		search(kNoNode);
		pg::crash_point("insert.searched");
		NodeId twin = graph::find_equal(found, code, factors);
		if (twin != kNoNode && add_row(inserter.relation, index, twin, code, factors, row, inserter.logged))
			return false;
	}

	std::span<const graph::Neighbour> levels[graph::kMaxLevel + 1];
	std::copy(std::begin(found.levels), std::end(found.levels), levels);
	Written node = write_node(inserter.relation, index, {code, factors, row, level, levels}, inserter.logged);
	pg::crash_point("insert.slot");
	if (inserter.logged)  // no build does this
		note_new_node(inserter.relation, index, meta, node.id);
	for (unsigned at = 0; at <= node.level; ++at)
		if (!found.levels[at].empty())
			link_back(inserter, node.id, at, found.levels[at], *found.known[at], arena);
	pg::crash_point("insert.linked");
	bool linked = !found.levels[0].empty();
	MetaPage before = offer_as_entry(inserter, node, meta.entry, !linked);

	// Two first rows at once: the other one has become the entry point meanwhile, and nothing links the two yet.
	if (!linked && before.entry != kNoNode && before.entry != meta.entry) {
		meta = before;
		level = 0;
		search(node.id);
		add_links(inserter, node.id, found.levels[0]);
		pg::crash_point("insert.late_links");
		if (!found.levels[0].empty())
			link_back(inserter, node.id, 0, found.levels[0], *found.known[0], arena);
	}
	return true;
}

bool am_insert(Relation relation, Datum *values, bool *isnull, ItemPointer tid, Relation, IndexUniqueCheck, bool,
			   IndexInfo *info)
{
	if (isnull[0])
		return false;
	auto *inserter = static_cast<Inserter *>(info->ii_AmCache);
	if (inserter == nullptr) {
		inserter = static_cast<Inserter *>(MemoryContextAlloc(info->ii_Context, sizeof(Inserter)));
		*inserter = make_inserter(relation, true, info->ii_Context);
		info->ii_AmCache = inserter;
	}
	inserter->relation = relation;

	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "hnsw insert", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(work);
	VectorView vector = view_of(values[0]);
	check_dimensions(vector, inserter->index.shape.dimensions);
	if (indexable(inserter->index.shape.metric, vector)) {
		LockPage(relation, kMetaBlock, ShareLock);
		insert_row(*inserter, vector, row_of(*tid));
		UnlockPage(relation, kMetaBlock, ShareLock);
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(work);
	return false;
}

}  // namespace vectorizer::hnsw
