// vectorizer.index_info(): the metapage in words.
#include "pg/hnsw/choose.hpp"
#include "pg/hnsw/opclass.hpp"
#include "pg/hnsw/open.hpp"

extern "C" {
#include "funcapi.h"

PG_FUNCTION_INFO_V1(vectorizer_index_info);
PGDLLEXPORT Datum vectorizer_index_info(PG_FUNCTION_ARGS);
}

namespace vectorizer::hnsw {

namespace {

/// How many slots have been handed out, but for those on the last page: inserts count no rows.
std::uint64_t slots_so_far(const Index &index, const MetaPage &meta)
{
	return meta.node_tail == InvalidBlockNumber ? 0 : node_at(meta.node_tail, 0, index.slots_per_page);
}

/// Why a REINDEX would make another index of it, null if it would not.
const char *reindex_reason(Relation relation, const Index &index, const MetaPage &meta)
{
	Choice choice = choose(relation);
	bool automatic = (choice.flags & kAutomatic) != 0;
	bool altered = choice.parameters.m != meta.m || choice.parameters.ef_construction != meta.ef_construction;
	if (automatic) {
		auto wish = static_cast<std::size_t>(options_of(relation).target_bytes);
		altered |= (meta.flags & kAutomatic) == 0 || (wish != 0 && index.layout.code_bytes() > wish);
	}
	else
		altered |= !(choice.shape == index.shape);
	if (altered)
		return "its options have been altered since it was built";
	if (quantize::trainable(index.shape) && meta.codebook_block == InvalidBlockNumber &&
		slots_so_far(index, meta) >= quantize::kFewestRows)
		return "its codes have not been trained on its rows";
	return nullptr;
}

/// Fills a row column by column.
struct Row {
	static constexpr int kColumns = 27;
	Datum values[kColumns];
	bool nulls[kColumns];
	int at = 0;

	void add(Datum value)
	{
		values[at] = value;
		nulls[at++] = false;
	}
	void add(const char *text)
	{
		nulls[at] = text == nullptr;
		values[at++] = text == nullptr ? Datum{0} : CStringGetTextDatum(text);
	}
	void add_measure(const Evidence &evidence, double value)
	{
		nulls[at] = evidence.sampled_rows == 0;
		values[at++] = Float8GetDatum(value);
	}
	void add_int(std::uint32_t value) { add(Int32GetDatum(static_cast<int32>(value))); }
	void add_big(std::uint64_t value) { add(Int64GetDatum(static_cast<int64>(value))); }
};

Datum info(FunctionCallInfo fcinfo)
{
	TupleDesc columns = row_columns(fcinfo);

	OpenedIndex opened = open_named_index(PG_GETARG_OID(0), AccessShareLock);
	Relation relation = opened.index;
	MetaPage meta = read_meta(relation);
	Index index = open_index(relation);

	Row row;
	row.add(metric_name(index.shape.metric));
	row.add_int(meta.dimensions);
	row.add_int(meta.m);
	row.add_int(meta.ef_construction);
	row.add(kind_name(index.shape.kind));
	row.add_int(meta.bits);
	row.add_int(meta.subspaces);
	row.nulls[row.at - 1] = meta.subspaces == 0;
	row.add(BoolGetDatum((meta.flags & kAutomatic) != 0));
	row.add(BoolGetDatum((meta.flags & kUntrained) == 0));
	row.add_measure(meta.evidence, meta.evidence.recall_at_10);
	row.add_measure(meta.evidence, meta.evidence.recall_at_100);
	row.add_measure(meta.evidence, meta.evidence.mean_rank_shift);
	row.add_measure(meta.evidence, meta.evidence.scan_time_ratio);
	row.add_int(meta.evidence.sampled_rows);
	row.add_int(static_cast<std::uint32_t>(index.layout.code_bytes()));
	row.add_int(meta.slot_bytes);
	row.add_int(meta.slots_per_page);
	row.nulls[row.at] = meta.entry == kNoNode;
	row.values[row.at++] = Int64GetDatum(meta.entry);
	row.nulls[row.at] = meta.entry == kNoNode;
	row.values[row.at++] = Int32GetDatum(meta.entry_level);
	row.add_big(meta.groups);
	row.add_big(meta.live);
	row.add_big(meta.tombstones);
	row.add_big(meta.freed_slots);
	row.add_int(meta.cycle - 1u);
	row.add_int(meta.version);
	row.add_big(static_cast<std::uint64_t>(RelationGetNumberOfBlocks(relation)) * BLCKSZ);
	row.add(reindex_reason(relation, index, meta));
	Assert(row.at == Row::kColumns);
	close(opened);
	return HeapTupleGetDatum(heap_form_tuple(columns, row.values, row.nulls));
}

}  // namespace

}  // namespace vectorizer::hnsw

extern "C" Datum vectorizer_index_info(PG_FUNCTION_ARGS)
{
	return vectorizer::hnsw::info(fcinfo);
}
