#include "pg/hnsw/unread_distance.hpp"

#include "pg/hnsw/open.hpp"

extern "C" {
#include "access/genam.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "optimizer/planner.h"
#include "utils/rel.h"
}

namespace vectorizer::hnsw {

namespace {

constinit planner_hook_type previous_hook = nullptr;

bool is_of_hnsw(Oid index)
{
	Relation relation = index_open(index, NoLock);  // the planner holds a lock
	const bool result = is_hnsw(relation);
	index_close(relation, NoLock);
	return result;
}

/// REQUIRES: the scan's resjunk columns are read by nobody.
void forget_distances(IndexScan *scan)
{
	ListCell *cell;
	foreach (cell, scan->scan.plan.targetlist) {
		auto *column = lfirst_node(TargetEntry, cell);
		if (column->resjunk && list_member(scan->indexorderbyorig, column->expr) && is_of_hnsw(scan->indexid))
			column->expr = reinterpret_cast<Expr *>(
				makeNullConst(exprType(reinterpret_cast<Node *>(column->expr)), -1, InvalidOid));
	}
}

bool counts_rows(Plan *plan)
{
	return IsA(plan, Limit) && reinterpret_cast<Limit *>(plan)->limitOption == LIMIT_OPTION_COUNT;  // not WITH TIES, which compares
}

/// A plan whose resjunk columns nobody reads: that of a whole query or subquery, or a LIMIT, which is the last thing that a query
/// does with its order.
void visit_top(Plan *plan)
{
	while (plan != nullptr && (counts_rows(plan) || IsA(plan, LockRows)))
		plan = outerPlan(plan);
	if (plan != nullptr && IsA(plan, IndexScan))
		forget_distances(reinterpret_cast<IndexScan *>(plan));
}

/// Looks for such plans.
void visit(Plan *plan)
{
	if (plan == nullptr)
		return;
	check_stack_depth();
	visit(outerPlan(plan));
	visit(innerPlan(plan));
	List *children = NIL;
	if (counts_rows(plan))
		visit_top(plan);
	else if (IsA(plan, SubqueryScan)) {
		Plan *subquery = reinterpret_cast<SubqueryScan *>(plan)->subplan;
		visit_top(subquery);
		visit(subquery);
	}
	else if (IsA(plan, Append))
		children = reinterpret_cast<Append *>(plan)->appendplans;
	else if (IsA(plan, MergeAppend))
		children = reinterpret_cast<MergeAppend *>(plan)->mergeplans;
	ListCell *cell;
	foreach (cell, children)
		visit(static_cast<Plan *>(lfirst(cell)));
}

PlannedStmt *plan_query(Query *query, const char *source, int cursor_options, ParamListInfo params)
{
	PlannedStmt *planned = (previous_hook != nullptr ? previous_hook : standard_planner)(query, source, cursor_options, params);
	visit_top(planned->planTree);
	visit(planned->planTree);
	ListCell *cell;
	foreach (cell, planned->subplans) {
		visit_top(static_cast<Plan *>(lfirst(cell)));
		visit(static_cast<Plan *>(lfirst(cell)));
	}
	return planned;
}

}  // namespace

void install_planner_hook()
{
	previous_hook = planner_hook;
	planner_hook = plan_query;
}

}  // namespace vectorizer::hnsw
