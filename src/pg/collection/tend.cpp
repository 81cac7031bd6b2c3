#include "pg/collection/tend.hpp"

#include "pg/collection/identity.hpp"
#include "pg/collection/spi.hpp"
#include "pg/collection/training.hpp"
#include "pg/workspace/registry.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/guc.h"
}

namespace vectorizer::pg {

namespace {

constexpr int kEmbedBatch = 1000;
constexpr const char *kPatience = "1s";  // with writers who do not end

class Tender {
public:
	Tender(Collection &collection, ModelReader &model, MemoryContext context, Host &host)
		: collection_(collection), model_(model), context_(context), host_(host) {}

	void run(int64 chunks)
	{
		spi_run("SELECT state, n_chunks FROM vectorizer.model WHERE collection_id = $1 AND generation = $2",
				{param(collection_.id), param(collection_.generation)});
		const bool trained = SPI_processed > 0;
		const bool filling = trained && strcmp(spi_text(0, 1), "filling") == 0;
		const int64 trained_on = trained ? spi_int64(0, 2) : 0;
		if (!trained) {
			if (chunks == 0)
				return;
			host_.announce("training");
			train(collection_.generation + 1, chunks);
			if (host_.end_batch() && made_of_lexemes())
				fill();
		}
		else if (filling) {
			fill();
		}
		else if (chunks >= 2 * trained_on) {
			retrain(chunks);
			host_.end_batch();
		}
		else if (collection_.dynamic && made_of_lexemes()) {
			embed(Which::kNew);
		}
		if (collection_.model == ModelKind::kHttp)
			tell_embedder();
	}

private:
	void tell_embedder()
	{
		bool waiting = false;
		as_table_owner(collection_.table, [&] {
			waiting = spi_run(psprintf("SELECT FROM vectorizer_data.%s WHERE model_generation = 0 LIMIT 1",
									   quote_identifier(collection_.name))) > 0;
		});
		if (waiting)
			want_embedder_at_commit(false);
	}

	bool made_of_lexemes() const { return pg::made_of_lexemes(collection_.model); }

	void train(int32 generation, int64 chunks)
	{
		MemoryContext working = AllocSetContextCreate(CurrentMemoryContext, "vectorizer training", ALLOCSET_DEFAULT_SIZES);
		train_model(collection_, generation, chunks, working);
		MemoryContextDelete(working);
		spi_run("UPDATE vectorizer.collection SET model_generation = $2, updated_at = now() WHERE id = $1",
				{param(collection_.id), param(generation)});
		collection_.generation = generation;
	}

	/// True once no chunk is left.
	bool embed(Which which)
	{
		int64 from = PG_INT64_MIN;
		int64 embedded = 0;
		open_model();
		for (bool left = true; left;) {
			const int64 before = embedded;
			left = embed_chunks(collection_, model_, which, kEmbedBatch, &from, &embedded);
			if (which == Which::kNew && embedded == before)
				break;
			host_.report("embedding", embedded);
			if (!host_.end_batch() && left)
				return false;
		}
		return true;
	}

	/// The first embeddings, batch by batch; then the index over them.
	void fill()
	{
		if (!embed(Which::kAll))
			return;
		host_.announce("indexing");
		if (collection_.dynamic)
			keep_writers_out(ShareLock);
		spi_run("SELECT vectorizer.create_vector_index($1)", {param(collection_.id)});
		mark_ready();
		host_.end_batch();
	}

	/// A later generation: trained, given to all chunks, and in force, in one transaction. Those who write a dynamic collection
	/// wait, so that no row of theirs gets the embedding of a generation that is no more.
	void retrain(int64 chunks)
	{
		host_.announce("training");
		if (collection_.dynamic)
			keep_writers_out(ShareRowExclusiveLock);
		const int32 old = collection_.generation;
		train(old + 1, chunks);
		if (made_of_lexemes()) {
			open_model();
			int64 from = PG_INT64_MIN;
			int64 embedded = 0;
			while (embed_chunks(collection_, model_, Which::kAll, kEmbedBatch, &from, &embedded)) {
			}
			require_all_embedded();
		}
		mark_ready();
		spi_run("DELETE FROM vectorizer.lexeme WHERE collection_id = $1 AND generation <= $2", {param(collection_.id), param(old)});
		spi_run("DELETE FROM vectorizer.model WHERE collection_id = $1 AND generation <= $2", {param(collection_.id), param(old)});
	}

	/// Those who come later wait behind this, so for a moment only.
	void keep_writers_out(LOCKMODE mode)
	{
		const int level = NewGUCNestLevel();
		set_config_option("lock_timeout", kPatience, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
		LockRelationOid(collection_.table, mode);
		AtEOXact_GUC(false, level);
	}

	/// A row that were left out would be compared with vectors of another model for as long as it is not written.
	void require_all_embedded()
	{
		int64 left = 0;
		as_table_owner(collection_.table, [&] {
			spi_run(psprintf("SELECT count(*) FROM vectorizer_data.%s WHERE model_generation::integer <> $1", quote_identifier(collection_.name)),
					{param(collection_.generation)});
			left = spi_int64(0, 1);
		});
		if (left > 0)
			ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
							errmsg(INT64_FORMAT " rows of collection \"%s\" could not be embedded anew: somebody is writing them", left, collection_.name)));
	}

	void mark_ready()
	{
		spi_run("UPDATE vectorizer.model SET state = 'ready' WHERE collection_id = $1 AND generation = $2",
				{param(collection_.id), param(collection_.generation)});
	}

	void open_model()
	{
		if (!model_.is_open(collection_.id, collection_.generation))
			model_.open(context_, collection_.id, collection_.generation);
	}

	Collection &collection_;
	ModelReader &model_;
	MemoryContext context_;
	Host &host_;
};

}  // namespace

void tend(Collection &collection, int64 chunks, ModelReader &model, MemoryContext context, Host &host)
{
	Tender(collection, model, context, host).run(chunks);
}

}  // namespace vectorizer::pg
