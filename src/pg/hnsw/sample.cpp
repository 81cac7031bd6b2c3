#include "pg/hnsw/sample.hpp"

#include "core/quantize/auto.hpp"

extern "C" {
#include "access/tableam.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"
}

#include <numeric>

namespace vectorizer::hnsw {

namespace {

constexpr std::size_t kFewest = quantize::kFewestRows + quantize::Evaluator::kMostQueries;
constexpr std::size_t kMost = quantize::Evaluator::kMostRows + quantize::Evaluator::kMostQueries;

/// Every block of the table once, in an order that is spread evenly at any time: steps of the golden section.
class Blocks {
public:
	explicit Blocks(BlockNumber count) : count_(count), step_(1)
	{
		if (count > 2)
			for (step_ = static_cast<std::uint64_t>(0.6180339887 * count); std::gcd(step_, std::uint64_t{count}) != 1;)
				++step_;
	}

	BlockNumber at(std::uint64_t i) const { return static_cast<BlockNumber>((i * step_ + count_ / 2) % count_); }

private:
	std::uint64_t count_;
	std::uint64_t step_;
};

/// Reads vectors out of blocks, as an index with this info would see them.
class Reader {
public:
	Reader(Relation heap, IndexInfo *info, Metric metric, std::uint32_t dimensions, std::size_t most, MemoryContext context)
		: heap_(heap), info_(info), metric_(metric), dimensions_(dimensions), most_(most), context_(context)
	{
		snapshot_ = RegisterSnapshot(GetLatestSnapshot());
		slot_ = table_slot_create(heap, nullptr);
		estate_ = CreateExecutorState();
		GetPerTupleExprContext(estate_)->ecxt_scantuple = slot_;
		predicate_ = ExecPrepareQual(info->ii_Predicate, estate_);
		row_context_ = AllocSetContextCreate(context, "hnsw sample row", ALLOCSET_DEFAULT_SIZES);
	}

	void finish()
	{
		ExecDropSingleTupleTableSlot(slot_);
		FreeExecutorState(estate_);
		info_->ii_ExpressionsState = NIL;  // lived in that state
		UnregisterSnapshot(snapshot_);
		MemoryContextDelete(row_context_);
	}

	void read(BlockNumber block)
	{
		ItemPointerData first, last;
		ItemPointerSet(&first, block, FirstOffsetNumber);
		ItemPointerSet(&last, block, MaxOffsetNumber);
		TableScanDesc scan = table_beginscan_tidrange(heap_, snapshot_, &first, &last);
		while (count_ < most_ && table_scan_getnextslot_tidrange(scan, ForwardScanDirection, slot_))
			take();
		table_endscan(scan);
	}

	quantize::Rows rows() const { return {values_, count_, dimensions_}; }

private:
	void take()
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContext before = MemoryContextSwitchTo(row_context_);
		Datum values[INDEX_MAX_KEYS];
		bool is_null[INDEX_MAX_KEYS];
		if (ExecQual(predicate_, GetPerTupleExprContext(estate_))) {
			FormIndexDatum(info_, slot_, estate_, values, is_null);
			if (!is_null[0]) {
				VectorView vector = view_of(values[0]);
				check_dimensions(vector, dimensions_);
				if (indexable(metric_, vector))
					add(vector);
			}
		}
		MemoryContextSwitchTo(before);
		MemoryContextReset(row_context_);
		ResetPerTupleExprContext(estate_);
		ExecClearTuple(slot_);
	}

	void add(VectorView vector)
	{
		if (count_ == room_) {
			room_ = room_ == 0 ? 256 : std::min(most_, 2 * room_);
			std::size_t bytes = room_ * dimensions_ * sizeof(float);
			values_ = static_cast<float *>(values_ == nullptr ? MemoryContextAllocHuge(context_, bytes)
															  : repalloc_huge(values_, bytes));
		}
		std::memcpy(values_ + count_ * dimensions_, vector.x, dimensions_ * sizeof(float));
		++count_;
	}

	Relation heap_;
	IndexInfo *info_;
	Metric metric_;
	std::uint32_t dimensions_;
	std::size_t most_;
	MemoryContext context_;
	MemoryContext row_context_;
	Snapshot snapshot_;
	TupleTableSlot *slot_;
	EState *estate_;
	ExprState *predicate_;
	float *values_ = nullptr;
	std::size_t count_ = 0;
	std::size_t room_ = 0;
};
static_assert(std::is_trivially_destructible_v<Reader>);

}  // namespace

Sample sample_rows(Relation heap, IndexInfo *info, Metric metric, std::uint32_t dimensions, double share)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hnsw sample", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	std::size_t memory = static_cast<std::size_t>(maintenance_work_mem) * 1024 / 4;
	std::size_t most = std::clamp<std::size_t>(memory / (dimensions * sizeof(float)), 1, kMost);
	// A table access method need not know of ranges of rows: then nothing is measured.
	BlockNumber count = heap->rd_tableam->scan_set_tidrange != nullptr ? RelationGetNumberOfBlocks(heap) : 0;
	Reader reader(heap, info, metric, dimensions, most, context);
	Blocks blocks(count);
	double estimated = 0;
	// A partial index of few rows must not make its build read the table twice.
	std::uint64_t most_blocks = share > kEveryRow ? std::max<std::uint64_t>(1024, count / 8) : count;
	for (std::uint64_t i = 0; i < count && i < most_blocks; ++i) {
		reader.read(blocks.at(i));
		auto read = static_cast<double>(reader.rows().count);
		estimated = read / static_cast<double>(i + 1) * count;
		if (read >= std::clamp(estimated / share, static_cast<double>(kFewest), static_cast<double>(most)))
			break;
	}
	reader.finish();
	MemoryContextSwitchTo(before);
	return {reader.rows(), estimated, context};
}

void release(const Sample &sample)
{
	MemoryContextDelete(sample.context);
}

IndexInfo *column_info(AttrNumber column)
{
	IndexInfo *info = makeNode(IndexInfo);
	info->ii_NumIndexAttrs = 1;
	info->ii_NumIndexKeyAttrs = 1;
	info->ii_IndexAttrNumbers[0] = column;
	return info;
}

}  // namespace vectorizer::hnsw
