// A sample of a table's vectors, for training and evaluation: whole blocks, spread evenly over the table.
#pragma once

#include "core/quantize/evaluate.hpp"
#include "pg/boundary.hpp"
#include "pg/hnsw/opclass.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace vectorizer::hnsw {

struct Sample {
	quantize::Rows rows;
	double estimated_rows;  // that the table holds, by the sample; 0 for an empty table
	MemoryContext context;
};

/// The share of the estimated rows that a build may look at, in one of so many: measuring them takes less than a twentieth
/// of the time that building takes.
inline constexpr double kBuildShare = 10;
/// All rows, up to what an evaluation can use.
inline constexpr double kEveryRow = 1;

/// Reads blocks until there are estimated rows / share, at least 1,200, at most 20,200, and no more than a quarter of
/// maintenance_work_mem holds. NULLs, rows outside a partial index and zero vectors under cosine are left out. `info` is that
/// of an index, or column_info(). Raises 22000 on a vector of other dimensions.
Sample sample_rows(Relation heap, IndexInfo *info, Metric metric, std::uint32_t dimensions, double share);
void release(const Sample &sample);

/// An IndexInfo for a plain column, good for sample_rows().
IndexInfo *column_info(AttrNumber column);

/// Runs leaf code of core that may throw; Errc::kCancelled becomes what CHECK_FOR_INTERRUPTS() raises. f calls nothing of the
/// server that may raise.
template <typename Function>
void run_leaf(Function &&f)
{
	bool cancelled = false;
	pg::guard([&] {
		try {
			f();
		}
		catch (const Error &error) {
			if (error.code() != Errc::kCancelled)
				throw;
			cancelled = true;
		}
	});
	if (cancelled) {
		CHECK_FOR_INTERRUPTS();
		ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("measuring an index's rows was interrupted")));
	}
}

}  // namespace vectorizer::hnsw
