// vectorizer.build_memory(): what a graph of so many rows takes before it is written to pages.
#include "core/graph/batch.hpp"
#include "pg/boundary.hpp"
#include "pg/hnsw/index.hpp"
#include "pg/hnsw/open.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(vectorizer_build_memory);
PGDLLEXPORT Datum vectorizer_build_memory(PG_FUNCTION_ARGS);
}

Datum vectorizer_build_memory(PG_FUNCTION_ARGS)
{
	using namespace vectorizer;
	return pg::guard([&] {
		const hnsw::OpenedIndex opened = hnsw::open_named_index(PG_GETARG_OID(0), AccessShareLock);
		const hnsw::Index index = hnsw::open_index(opened.index);
		const graph::MemorySizes sizes(index.parameters.m, graph::BuildCode::bytes(index.shape));
		const double graph_bytes = sizes.graph_bytes(static_cast<double>(std::max<int64>(PG_GETARG_INT64(1), 0)));
		const double bytes = graph_bytes + graph_bytes / graph::Batch::kShare;
		hnsw::close(opened);
		return Int64GetDatum(static_cast<int64>(std::min(bytes, 9e18)));
	});
}
