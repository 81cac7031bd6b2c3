// The differences between PostgreSQL 15, 16, 17 and 18, all of them here: no other file tests PG_VERSION_NUM.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "commands/vacuum.h"
#include "nodes/pathnodes.h"
#include "pgstat.h"
#include "storage/buf_internals.h"
#include "storage/latch.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
}

static_assert(PG_VERSION_NUM >= 150000 && PG_VERSION_NUM < 190000, "vectorizer supports PostgreSQL 15 to 18");

// 16 brought soft errors of input functions (pg_input_is_valid(), COPY ... ON_ERROR); 15 raises them all.
#if PG_VERSION_NUM < 160000
#define errsave(context, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
	} while (0)
#endif

namespace vectorizer::pg::compat {

/// Whether a setting exists and its value comes from anywhere but its built-in default.
inline bool setting_is_set(const char *name)
{
#if PG_VERSION_NUM >= 160000
	struct config_generic *setting = find_option(name, false, true, DEBUG5);
	return setting != nullptr && setting->source != PGC_S_DEFAULT;
#else
	if (GetConfigOption(name, true, false) == nullptr)
		return false;
	struct config_generic **settings = get_guc_variables();
	for (int i = 0; i < GetNumConfigOptions(); ++i)
		if (pg_strcasecmp(settings[i]->name, name) == 0)
			return settings[i]->source != PGC_S_DEFAULT;
	return false;
#endif
}

/// A set for the caller to free, of at most so many events.
inline WaitEventSet *create_wait_event_set(int events)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(nullptr, events);
#else
	return CreateWaitEventSet(CurrentMemoryContext, events);
#endif
}

/// Whether the current user owns the relation, or is a superuser.
inline bool owns_relation(Oid relation)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(RelationRelationId, relation, GetUserId());
#else
	return pg_class_ownercheck(relation, GetUserId());
#endif
}

/// Whether a role owns a database or may act as its owner.
inline bool owns_database(Oid database, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, database, role);
#else
	return pg_database_ownercheck(database, role);
#endif
}

/// Makes the planner take every other path before this one. 18 compares the number of disabled nodes before the costs, and
/// a path below a disabled one counts one.
inline void disable_path(Path *path)
{
#if PG_VERSION_NUM >= 180000
	path->disabled_nodes = 2;
#else
	(void) path;
#endif
}

/// Sleeps as vacuum_cost_delay asks, and serves interrupts.
inline void vacuum_delay()
{
#if PG_VERSION_NUM >= 180000
	vacuum_delay_point(false);
#else
	vacuum_delay_point();
#endif
}

/// The number that names the relation's file.
inline Oid file_number_of(Relation relation)
{
#if PG_VERSION_NUM >= 160000
	return relation->rd_locator.relNumber;
#else
	return relation->rd_node.relNode;
#endif
}

/// What names block 0 of the relation's main fork in shared buffers.
inline BufferTag first_tag_of(Relation relation)
{
	BufferTag tag;
#if PG_VERSION_NUM >= 160000
	InitBufferTag(&tag, &relation->rd_locator, MAIN_FORKNUM, 0);
#else
	INIT_BUFFERTAG(tag, relation->rd_node, MAIN_FORKNUM, 0);
#endif
	return tag;
}

/// Whether `tag` names that block of the relation whose first block is named by `first`.
inline bool is_tag_of(const BufferTag &tag, const BufferTag &first, BlockNumber block)
{
#if PG_VERSION_NUM >= 160000
	return tag.blockNum == block && tag.relNumber == first.relNumber && tag.forkNum == MAIN_FORKNUM &&
		   tag.dbOid == first.dbOid && tag.spcOid == first.spcOid;
#else
	return tag.blockNum == block && tag.forkNum == MAIN_FORKNUM && RelFileNodeEquals(tag.rnode, first.rnode);
#endif
}

/// Pins the buffer if it holds that block of the relation's main fork.
inline bool read_recent_buffer(Relation relation, BlockNumber block, Buffer buffer)
{
#if PG_VERSION_NUM >= 160000
	return ReadRecentBuffer(relation->rd_locator, MAIN_FORKNUM, block, buffer);
#else
	return ReadRecentBuffer(relation->rd_node, MAIN_FORKNUM, block, buffer);
#endif
}

/// Counts pages found in shared buffers in the relation's statistics.
inline void count_buffer_hits(Relation relation, int64 pages)
{
	if (!pgstat_should_count_relation(relation))
		return;
#if PG_VERSION_NUM >= 160000
	relation->pgstat_info->counts.blocks_fetched += pages;
	relation->pgstat_info->counts.blocks_hit += pages;
#else
	relation->pgstat_info->t_counts.t_blocks_fetched += pages;
	relation->pgstat_info->t_counts.t_blocks_hit += pages;
#endif
}

}  // namespace vectorizer::pg::compat

namespace vectorizer {
namespace compat = pg::compat;
}
