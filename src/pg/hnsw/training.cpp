// The insert's part: it asks for a trainer.
#include "pg/hnsw/training.hpp"

#include "core/quantize/train.hpp"
#include "pg/background.hpp"
#include "pg/workspace/registry.hpp"

extern "C" {
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/guc.h"
}

namespace vectorizer::hnsw {

namespace {

constinit bool auto_train = true;

/// An index that stays due is found so again when it has grown by about a sixteenth.
constexpr NodeId kAskAgain = 16;

/// Indexes that this transaction has found due. One that finds no place is found due again.
constexpr unsigned kMostAsked = 8;
constinit Oid asked[kMostAsked] = {};
constinit unsigned n_asked = 0;

void start_trainer(Oid index)
{
	BackgroundWorkerHandle *handle =
		pg::start_background({"vectorizer_trainer_main", "vectorizer trainer", "index", index, MyDatabaseId});
	if (handle != nullptr)
		pfree(handle);
}

void at_transaction_end(XactEvent event, void *)
{
	if (n_asked == 0 || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE))
		return;
	if (event == XACT_EVENT_COMMIT)
		for (unsigned i = 0; i < n_asked; ++i)
			if (pg::want_training(asked[i]))
				start_trainer(asked[i]);
	n_asked = 0;
}

}  // namespace

void define_training()
{
	DefineCustomBoolVariable("vectorizer.auto_train",
							 "Whether inserts have an hnsw index that was created empty fitted to its rows.",
							 "A background process does it once there are some ten thousand. Off: vectorizer.retrain() and REINDEX do.",
							 &auto_train, true, PGC_USERSET, 0, nullptr, nullptr, nullptr);
	RegisterXactCallback(at_transaction_end, nullptr);
}

bool wants_training(const Index &index, const MetaPage &meta)
{
	return (meta.flags & kUntrained) != 0 && ((meta.flags & kAutomatic) != 0 || quantize::trainable(index.shape));
}

void note_new_node(Relation relation, const Index &index, const MetaPage &meta, NodeId node)
{
	const NodeId group = node / index.nodes_per_group();
	if (node % index.nodes_per_group() != 0 || node < kNodesToTrainOn || group % std::max<NodeId>(group / kAskAgain, 1) != 0 ||
		!auto_train || !wants_training(index, meta) || RelationUsesLocalBuffers(relation))  // nobody else sees a temporary table
		return;
	const Oid oid = RelationGetRelid(relation);
	if (n_asked < kMostAsked && std::find(asked, asked + n_asked, oid) == asked + n_asked)
		asked[n_asked++] = oid;
}

}  // namespace vectorizer::hnsw
