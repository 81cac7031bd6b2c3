// How much of a relation is in shared buffers.
#include "pg/compat.hpp"

extern "C" {
#include "access/relation.h"
#include "miscadmin.h"

PG_FUNCTION_INFO_V1(vectorizer_resident_bytes);
}

/// Buffers are looked at without their locks: what comes and goes meanwhile is counted or not.
extern "C" PGDLLEXPORT Datum vectorizer_resident_bytes(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	Relation relation = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
	if (relation == nullptr)
		PG_RETURN_NULL();
	const BufferTag first = compat::first_tag_of(relation);
	int64 pages = 0;
	for (int i = 0; i < NBuffers; ++i) {
		BufferDesc *buffer = GetBufferDescriptor(i);
		const bool valid = (pg_atomic_read_u32(&buffer->state) & BM_VALID) != 0;
		pages += valid && compat::is_tag_of(buffer->tag, first, buffer->tag.blockNum) ? 1 : 0;
	}
	relation_close(relation, AccessShareLock);
	PG_RETURN_INT64(pages * BLCKSZ);
}
