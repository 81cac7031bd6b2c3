// ambulkdelete and amvacuumcleanup: dead rows are taken off, nodes without rows become tombstones that searches still walk
// through; past a threshold their neighbours are linked anew and their slots freed. README.md holds the rules.
#pragma once

#include "pg/hnsw/page_store.hpp"

extern "C" {
#include "access/amapi.h"
}

namespace vectorizer::hnsw {

IndexBulkDeleteResult *am_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
									  IndexBulkDeleteCallback callback, void *callback_state);
IndexBulkDeleteResult *am_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats);

/// A set of node ids, as a bitmap.
class NodeSet {
public:
	NodeSet(NodeId limit, const Arena &arena);
	void add(NodeId id) { if (id < limit_) words_[id / 64] |= std::uint64_t{1} << (id % 64); }
	bool contains(NodeId id) const { return id < limit_ && ((words_[id / 64] >> (id % 64)) & 1) != 0; }

private:
	NodeId limit_;
	std::span<std::uint64_t> words_;
};

/// Takes the links to `dead` nodes out of every live node's lists and links it to the dead nodes' neighbours instead, by
/// codes alone (repair.cpp). REQUIRES: no insert that began before `dead` was collected is still running.
void repair_links(const IndexVacuumInfo *info, const Index &index, const NodeSet &dead);

}  // namespace vectorizer::hnsw
