// vectorizer.index_check(): an index against itself and against its table.
//
// Three passes over the index (slots, lists, chains), one walk along its links, one scan of the table. The locks keep
// writers and vacuum out, so that what the passes see is one state; on a standby, where such locks cannot be had, replay
// should be paused for an exact answer.
#include "pg/hnsw/codebook.hpp"
#include "pg/hnsw/open.hpp"
#include "pg/hnsw/opclass.hpp"
#include "pg/hnsw/page_store.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "access/tableam.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(vectorizer_index_check);
PGDLLEXPORT Datum vectorizer_index_check(PG_FUNCTION_ARGS);
}

namespace vectorizer::hnsw {

using graph::SlotHeader;
using graph::SlotLayout;
using graph::State;

namespace {

/// Faults, the first of them in words.
class Faults {
public:
	Faults() { initStringInfo(&text_); }

	void add(BlockNumber block, const char *format, ...) __attribute__((format(printf, 3, 4)))
	{
		if (++count_ > kShown)
			return;
		char words[256];
		va_list arguments;
		va_start(arguments, format);
		pg_vsnprintf(words, sizeof(words), format, arguments);
		va_end(arguments);
		appendStringInfo(&text_, "%sblock %u: %s", count_ > 1 ? "\n" : "", block, words);
	}

	void raise_if_any(Relation relation) const
	{
		if (count_ == 0)
			return;
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg_plural("index \"%s\" has %u fault", "index \"%s\" has %u faults", count_,
							   RelationGetRelationName(relation), count_),
				 errdetail("%s%s", text_.data, count_ > kShown ? "\n..." : ""),
				 errhint("REINDEX it; its table is not affected.")));
	}

private:
	static constexpr unsigned kShown = 10;
	unsigned count_ = 0;
	StringInfoData text_;
};

/// What the first pass notes of every node id.
struct Seen {
	std::uint8_t state;
	std::uint8_t level;
	std::uint16_t generation;
	std::uint32_t duplicates;
};

class Checker {
public:
	Checker(const OpenedIndex &opened)
		: heap_(opened.heap), relation_(opened.index), index_(open_index(opened.index)), meta_(read_meta(opened.index)),
		  blocks_(RelationGetNumberOfBlocks(opened.index)), arena_(pg::context_arena(CurrentMemoryContext)),
		  store_(opened.index, index_) {}

	void run()
	{
		std::uint64_t ids = std::uint64_t{meta_.groups} * index_.nodes_per_group();
		if (meta_.groups > most_groups(blocks_) || ids >= kNoNode)
			corrupted(relation_, kMetaBlock, "the metapage claims more groups than the file has");
		seen_ = arena_.array<Seen>(ids);
		std::memset(seen_.data(), 0, seen_.size_bytes());
		rows_ = arena_.array<std::uint64_t>(1024);

		for_each_page([this](BlockNumber block, Page page) { note_page(block, page); });
		check_meta();
		for_each_page([this](BlockNumber block, Page page) { check_lists(block, page); });
		check_chains();
		check_rows();
		faults_.raise_if_any(relation_);
		walk();
		faults_.raise_if_any(relation_);
	}

	std::uint64_t nodes() const { return live_; }
	std::uint64_t rows() const { return n_rows_; }
	std::uint64_t tombstones() const { return tombstones_; }
	std::uint64_t links() const { return links_; }
	std::uint64_t unreachable() const { return unreachable_; }

private:
	/// Calls f on a private copy of every page that has been used, and finds faults in the frame that groups give.
	template <typename Function>
	void for_each_page(Function &&f)
	{
		PGAlignedBlock copy;
		GroupFrame frame;
		for (BlockNumber block = 1; block < blocks_; ++block) {
			CHECK_FOR_INTERRUPTS();
			pg::read_page(relation_, block, [&](Page page) { std::memcpy(copy.data, page, BLCKSZ); });
			Page page = copy.data;
			if (!frame.kind(relation_, index_, block, page))
				continue;
			if (group_of(block) >= meta_.groups)
				corrupted(relation_, block, "a page in use lies beyond the groups that the metapage claims");
			f(block, page);
		}
	}

	static PageKind kind_of(Page page) { return static_cast<PageKind>(tail_of(page)->kind); }

	void add_row(BlockNumber block, RowPointer row)
	{
		ItemPointerData tid = tid_of(row);
		if (n_rows_ == rows_.size()) {
			std::span<std::uint64_t> larger = arena_.array<std::uint64_t>(rows_.size() * 2);
			std::copy(rows_.begin(), rows_.end(), larger.begin());
			rows_ = larger;
		}
		if (ItemPointerGetBlockNumberNoCheck(&tid) >= RelationGetNumberOfBlocks(heap_))
			faults_.add(block, "row (%u,%u) lies beyond the end of the table", ItemPointerGetBlockNumberNoCheck(&tid),
						row.offset);
		rows_[n_rows_++] = row_number(tid);
	}

	static std::uint64_t row_number(const ItemPointerData &tid)
	{
		return std::uint64_t{ItemPointerGetBlockNumberNoCheck(&tid)} << 16 | ItemPointerGetOffsetNumberNoCheck(&tid);
	}

	/// First pass: states and levels, counts in the page's tail, heap rows.
	void note_page(BlockNumber block, Page page)
	{
		PageKind kind = kind_of(page);
		std::size_t bytes = index_.item_bytes(kind);
		unsigned used = 0;
		for (unsigned i = 0; i < items_on(page, bytes); ++i) {
			std::byte *item = contents_of(page) + i * bytes;
			if (kind == PageKind::kNodes)
				used += note_slot(block, i, SlotLayout::header(item)) ? 1 : 0;
			else if (kind == PageKind::kAuxiliary)
				used += upper_header(item).owner != kNoOwner ? 1 : 0;
			else if (kind == PageKind::kParameters)
				++used;
			else if (chunk_of(page, i)->owner != kNoNode) {
				++used;
				if (chunk_of(page, i)->count == Chunk::kRetired)
					continue;
				++chunks_;
				if (chunk_of(page, i)->count > Chunk::kRows)
					faults_.add(block, "chunk %u counts %u rows", i, chunk_of(page, i)->count);
				else
					for (unsigned r = 0; r < chunk_of(page, i)->count; ++r)
						add_row(block, chunk_of(page, i)->rows[r]);
			}
		}
		if (used != tail_of(page)->in_use)
			faults_.add(block, "%u items are in use, the page counts %u", used, tail_of(page)->in_use);
	}

	bool note_slot(BlockNumber block, unsigned slot, const SlotHeader &header)
	{
		Seen &seen = seen_[node_at(block, slot, index_.slots_per_page)];
		seen = {header.state, header.level, header.generation, header.duplicates};
		switch (static_cast<State>(header.state)) {
			case State::kFree: return false;
			case State::kTombstone:
				++tombstones_;
				if (header.row.valid())
					faults_.add(block, "slot %u is a tombstone with a row", slot);
				break;
			case State::kLive:
				++live_;
				if (header.row.valid())
					add_row(block, header.row);
				else if (header.duplicates == kNoChunk)
					faults_.add(block, "slot %u is live without a row", slot);
				break;
			default: faults_.add(block, "slot %u has the unknown state %u", slot, header.state); return false;
		}
		if (header.level > graph::kMaxLevel)
			faults_.add(block, "slot %u has the impossible level %u", slot, header.level);
		return true;
	}

	void check_meta()
	{
		if (meta_.codebook_block != InvalidBlockNumber)
			read_codebook(relation_, index_, meta_.codebook_block, meta_.codebook_generation, arena_);
		if (meta_.tombstones != tombstones_)
			faults_.add(kMetaBlock, "the metapage counts " UINT64_FORMAT " tombstones, there are " UINT64_FORMAT,
						meta_.tombstones, tombstones_);
		if (meta_.entry == kNoNode) {
			if (live_ > 0)
				faults_.add(kMetaBlock, "there is no entry point, but there are nodes");
		}
		else if (meta_.entry >= seen_.size() || seen_[meta_.entry].state == 0)
			faults_.add(kMetaBlock, "the entry point %u is no node", meta_.entry);
		else if (seen_[meta_.entry].level != meta_.entry_level)
			faults_.add(kMetaBlock, "the entry point stands on level %u, not %u", seen_[meta_.entry].level,
						meta_.entry_level);
		if (meta_.node_tail != InvalidBlockNumber &&
			(group_of(meta_.node_tail) >= meta_.groups || is_group_start(meta_.node_tail)))
			faults_.add(kMetaBlock, "new slots come from block %u, which is no node page", meta_.node_tail);
	}

	/// Second pass: every list of a node leads to nodes that stand on its level; upper entries belong to their owners.
	void check_lists(BlockNumber block, Page page)
	{
		PageKind kind = kind_of(page);
		std::size_t bytes = index_.item_bytes(kind);
		if (kind == PageKind::kOverflow || kind == PageKind::kParameters)
			return;
		for (unsigned i = 0; i < items_on(page, bytes); ++i) {
			std::byte *item = contents_of(page) + i * bytes;
			if (kind == PageKind::kNodes) {
				NodeId id = node_at(block, i, index_.slots_per_page);
				if (seen_[id].state == 0)
					continue;
				check_list(block, id, 0, index_.layout.links(item));
				check_uppers(block, id, SlotLayout::header(item));
			}
			else if (upper_header(item).owner != kNoOwner) {
				std::uint16_t owner = upper_header(item).owner;
				NodeId id = group_of(block) * index_.nodes_per_group() + owner;
				if (owner >= index_.nodes_per_group() || seen_[id].state == 0 || upper_header(item).level < 1 ||
					upper_header(item).level > seen_[id].level)
					faults_.add(block, "upper entry %u belongs to no node", i);
				else
					check_list(block, id, upper_header(item).level, index_.layout.upper_links(item));
			}
		}
	}

	void check_list(BlockNumber block, NodeId id, unsigned level, graph::LinkList list)
	{
		if (list.count() > list.capacity) {
			faults_.add(block, "node %u has %u links on level %u", id, list.count(), level);
			return;
		}
		links_ += list.count();
		bool live = seen_[id].state == static_cast<std::uint8_t>(State::kLive);
		for (unsigned i = 0; i < list.count(); ++i) {
			NodeId to = list.ids[i];
			if (to >= seen_.size() || (live && (seen_[to].state == 0 || seen_[to].level < level)))
				faults_.add(block, "node %u has a link on level %u to %u, which is no node there", id, level, to);
			else if (to == id)
				faults_.add(block, "node %u has a link to itself", id);
			else if (std::find(list.ids, list.ids + i, to) != list.ids + i)
				faults_.add(block, "node %u has two links to %u", id, to);
		}
	}

	/// A node's upper entries are where its slot says.
	void check_uppers(BlockNumber block, NodeId id, const SlotHeader &header)
	{
		NodePlace place = place_of(id, index_.slots_per_page);
		if (header.level == 0)
			return;
		bool owned = pg::read_page(relation_, place.auxiliary, [&](Page page) {
			if (PageIsNew(page) || header.upper + unsigned{header.level} > items_on(page, index_.layout.upper_bytes()))
				return false;
			for (unsigned level = 1; level <= header.level; ++level) {
				std::byte *entry = contents_of(page) + (header.upper + level - 1) * index_.layout.upper_bytes();
				if (upper_header(entry).owner != place.ordinal || upper_header(entry).level != level)
					return false;
			}
			return true;
		});
		if (!owned)
			faults_.add(block, "node %u does not own its upper entries", id);
	}

	/// Every chunk hangs on the chain of its owner, once.
	void check_chains()
	{
		std::uint64_t reached = 0;
		for (NodeId id = 0; id < seen_.size(); ++id) {
			if (seen_[id].state == 0)
				continue;
			for (std::uint32_t next = seen_[id].duplicates; next != kNoChunk; ++reached) {
				CHECK_FOR_INTERRUPTS();
				BlockNumber block = chunk_block(next);
				Chunk chunk{};
				bool found = reached <= chunks_ && block < blocks_ && pg::read_page(relation_, block, [&](Page page) {
					if (PageIsNew(page) || kind_of(page) != PageKind::kOverflow ||
						next % kChunksPerPage >= items_on(page, sizeof(Chunk)))
						return false;
					chunk = *chunk_of(page, next % kChunksPerPage);
					return chunk.owner == id && chunk.generation == seen_[id].generation;
				});
				if (!found) {
					faults_.add(block, "the chain of node %u leads to a chunk that is not its own", id);
					break;
				}
				next = chunk.next;
			}
		}
		if (reached != chunks_)
			faults_.add(kMetaBlock, UINT64_FORMAT " chunks are in use, " UINT64_FORMAT " hang on a chain", chunks_, reached);
	}

	/// No heap row twice; every row that a new snapshot sees once.
	void check_rows()
	{
		std::sort(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(n_rows_));
		for (std::uint64_t i = 1; i < n_rows_; ++i)
			if (rows_[i] == rows_[i - 1])
				faults_.add(kMetaBlock, "row (%u,%u) is listed twice", static_cast<unsigned>(rows_[i] >> 16),
							static_cast<unsigned>(rows_[i] & 0xFFFF));

		IndexInfo *info = BuildIndexInfo(relation_);
		info->ii_Concurrent = true;  // rows as the snapshot sees them
		info->ii_Unique = false;
		Snapshot snapshot = RegisterSnapshot(GetTransactionSnapshot());
		TableScanDesc scan = table_beginscan_strat(heap_, snapshot, 0, nullptr, true, true);
		row_context_ = AllocSetContextCreate(CurrentMemoryContext, "hnsw check row", ALLOCSET_DEFAULT_SIZES);
		table_index_build_scan(heap_, relation_, info, true, false, check_heap_row, this, scan);
		UnregisterSnapshot(snapshot);
	}

	static void check_heap_row(Relation, ItemPointer tid, Datum *values, bool *isnull, bool, void *state)
	{
		auto &self = *static_cast<Checker *>(state);
		if (isnull[0])
			return;
		MemoryContext before = MemoryContextSwitchTo(self.row_context_);
		bool wanted = indexable(self.index_.shape.metric, view_of(values[0]));
		MemoryContextSwitchTo(before);
		MemoryContextReset(self.row_context_);
		if (wanted &&
			!std::binary_search(self.rows_.begin(), self.rows_.begin() + static_cast<std::ptrdiff_t>(self.n_rows_),
								row_number(*tid)))
			self.faults_.add(kMetaBlock, "row (%u,%u) of the table is not in the index", ItemPointerGetBlockNumber(tid),
							 ItemPointerGetOffsetNumber(tid));
	}

	/// Counts the live nodes that no walk from the entry point along level 0 reaches.
	void walk()
	{
		std::span<bool> reached = arena_.array<bool>(seen_.size());
		std::fill(reached.begin(), reached.end(), false);
		std::span<NodeId> queue = arena_.array<NodeId>(seen_.size());
		std::span<NodeId> links = arena_.array<NodeId>(store_.max_links());
		std::size_t end = 0;
		auto reach = [&](NodeId id) {
			if (id < seen_.size() && seen_[id].state != 0 && !reached[id]) {
				reached[id] = true;
				queue[end++] = id;
			}
		};
		if (meta_.entry != kNoNode)
			reach(meta_.entry);
		for (std::size_t at = 0; at < end; ++at) {
			CHECK_FOR_INTERRUPTS();
			unsigned count = store_.links(queue[at], 0, links.data());
			for (unsigned i = 0; i < count; ++i)
				reach(links[i]);
		}
		for (NodeId id = 0; id < seen_.size(); ++id)
			unreachable_ += seen_[id].state == static_cast<std::uint8_t>(State::kLive) && !reached[id] ? 1 : 0;
	}

	Relation heap_;
	Relation relation_;
	Index index_;
	MetaPage meta_;
	BlockNumber blocks_;
	Arena arena_;
	PageStore store_;
	Faults faults_;
	std::span<Seen> seen_;
	std::span<std::uint64_t> rows_;
	MemoryContext row_context_ = nullptr;
	std::uint64_t n_rows_ = 0;
	std::uint64_t live_ = 0;
	std::uint64_t tombstones_ = 0;
	std::uint64_t chunks_ = 0;
	std::uint64_t links_ = 0;
	std::uint64_t unreachable_ = 0;
};

Datum check(FunctionCallInfo fcinfo)
{
	TupleDesc columns = row_columns(fcinfo);

	OpenedIndex opened = open_named_index(PG_GETARG_OID(0), RecoveryInProgress() ? AccessShareLock : ShareLock);
	if (!compat::owns_relation(RelationGetRelid(opened.heap)))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(opened.heap));
	Checker checker(opened);
	checker.run();
	if (checker.unreachable() > 0)
		ereport(WARNING, (errmsg("index \"%s\": " UINT64_FORMAT " of " UINT64_FORMAT " nodes cannot be reached by links",
								 RelationGetRelationName(opened.index), checker.unreachable(), checker.nodes()),
						  errdetail("A scan that reads on finds them by its sweep; a short one may miss them."),
						  errhint("Many of them are a reason to REINDEX.")));
	close(opened);

	Datum values[] = {Int64GetDatum(static_cast<int64>(checker.nodes())), Int64GetDatum(static_cast<int64>(checker.rows())),
					  Int64GetDatum(static_cast<int64>(checker.tombstones())),
					  Int64GetDatum(static_cast<int64>(checker.links())),
					  Int64GetDatum(static_cast<int64>(checker.unreachable()))};
	bool nulls[lengthof(values)] = {};
	return HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
}

}  // namespace

}  // namespace vectorizer::hnsw

extern "C" Datum vectorizer_index_check(PG_FUNCTION_ARGS)
{
	return vectorizer::hnsw::check(fcinfo);
}
