#include "pg/collection/tend.hpp"

#include "pg/collection/identity.hpp"
#include "pg/collection/locks.hpp"
#include "pg/collection/spi.hpp"
#include "pg/collection/training.hpp"
#include "pg/embedder/refused.hpp"
#include "pg/embedder/wishes.hpp"

namespace vectorizer::pg {

namespace {

constexpr int kEmbedBatch = 1000;
constexpr int kMostLeft = 3000;  // rows that are embedded while everybody waits
constexpr int kSecondsAfterReaders = 10;
constexpr int kSecondsAfterWriters = 1;
constexpr int kErrRowsLeft = ERRCODE_T_R_SERIALIZATION_FAILURE;
constexpr int kSecondsAfterError = 60;
constexpr int64 kFew = 10;  // rows, or a hundredth of them, without which another model may take over

class Tender {
public:
	Tender(Collection &collection, ModelReader &model, MemoryContext context, Host &host)
		: collection_(collection), model_(model), context_(context), host_(host) {}

	void run(int64 chunks)
	{
		const bool may_swap = collection_.next != nullptr && may_embed_next();
		tend_in_force(chunks);
		if (collection_.model == ModelKind::kHttp)
			tell_embedder(collection_);
		if (may_swap && !stopped_)
			tend_next(*collection_.next, chunks);
	}

private:
	bool end_batch()
	{
		stopped_ = !host_.end_batch();
		return !stopped_;
	}

	void tend_in_force(int64 chunks)
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
			if (end_batch() && made_of_lexemes())
				fill();
		}
		else if (filling) {
			fill();
		}
		else if (has_drifted(chunks, trained_on) && collection_.next == nullptr) {
			retrain(chunks);
			end_batch();
		}
		else if (collection_.dynamic && made_of_lexemes()) {
			embed(Which::kNew);
		}
	}

	/// Whether there is so much that the model has not learnt from that it should be trained anew. Searches do not notice that, so files
	/// wait for little; writers of a dynamic collection wait meanwhile, and what is large takes long (README.md: what it is worth).
	bool has_drifted(int64 chunks, int64 trained_on) const
	{
		const bool often = !collection_.dynamic && chunks <= kMaxSample;
		return static_cast<double>(chunks) >= (often ? 1.25 : 2) * static_cast<double>(trained_on);
	}

	/// Where nothing is committed between batches, rows that are embedded stay locked, and a writer who waits for one would stand in the
	/// way of the swap: so writers are kept out from the start. False if they do not end.
	bool may_embed_next()
	{
		if (!collection_.dynamic || host_.commits())
			return true;
		ErrorData *error = in_attempts([&](int patience) { lock_table(collection_.table, ShareRowExclusiveLock, patience); });
		if (error == nullptr)
			return true;
		if (!is_busy(error))
			ReThrowError(error);
		note_in_use(collection_.id);
		return false;
	}

	/// Rows that were written since the last batch; nobody writes now.
	void embed_left(const Collection &next)
	{
		int64 left = 0;
		as_table_owner(next.table, [&] {
			spi_run(psprintf("SELECT count(*) FROM (SELECT FROM vectorizer_data.%s WHERE next_generation = 0 LIMIT %d) l",
							 quote_identifier(next.name), kMostLeft + 1));
			left = spi_int64(0, 1);
		});
		if (left > kMostLeft)
			refuse_left();
		model_.open(context_, next.id, next.generation);  // an attempt that broke off may have left it without some of its rows
		int64 from = PG_INT64_MIN;
		int64 embedded = 0;
		embed_chunks(next, model_, Which::kNew, kMostLeft + 1, &from, &embedded);
	}

	/// Not for another attempt: nobody embeds them while this one waits.
	static void refuse_left()
	{
		ereport(ERROR, (errcode(kErrRowsLeft), errmsg("too many rows have been written meanwhile")));
	}

	/// Embeds all chunks by another model beside the one in force, and puts it in its place once that is done.
	void tend_next(Collection &next, int64 chunks)
	{
		if (next.generation == 0 && chunks > 0) {
			host_.announce("training");
			store_model(next, collection_.generation + 1, chunks);
			spi_run("UPDATE vectorizer.collection SET next = next || jsonb_build_object('generation', $2) WHERE id = $1",
					{param(next.id), param(next.generation)});
			if (!end_batch())
				return;
		}
		if (pg::made_of_lexemes(next.model)) {
			if (next.generation > 0 && !embed(next, Which::kNew))
				return;
		}
		else if (!all_asked(next, chunks)) {
			return;
		}
		host_.announce("indexing");
		spi_run("SELECT vectorizer.index_next($1)", {param(next.id)});
		if (!end_batch())
			return;
		swap(next, chunks);
		end_batch();
	}

	/// Whether the endpoint of what comes next has embedded all rows. Some it may have refused, but not so many that a model that works gave
	/// way to one that does not; and some of a dynamic collection may just have been written: there always are where it is written all the time.
	static bool all_asked(const Collection &next, int64 chunks)
	{
		const int64 few = std::max(kFew, chunks / 100);
		const RefusedRows known = refused_rows(next.id, next.endpoint);
		int64 waiting = 0;
		int64 fresh = 0;
		int64 refused = 0;
		as_table_owner(next.table, [&] {
			spi_run(psprintf("SELECT count(*) FILTER (WHERE r.id IS NULL), count(*) FILTER (WHERE r.id IS NULL AND"
							 " c.updated_at::timestamptz > clock_timestamp() - interval '10 seconds'), count(r.id) FROM vectorizer_data.%s c"
							 " LEFT JOIN unnest($1, $2) r (id, hash) ON r.id = c.id::bigint AND r.hash = c.content_hash::bytea"
							 " WHERE c.next_generation = 0",
							 quote_identifier(next.name)),
					{known.ids, known.hashes});
			waiting = spi_int64(0, 1);
			fresh = spi_int64(0, 2);
			refused = spi_int64(0, 3);
		});
		if (waiting > 0)
			want_embedder_at_commit(EmbedderWish::kRows);
		if (waiting > (next.dynamic ? std::min(fresh, few) : 0))
			return false;
		if (refused == 0 || (refused <= few && refused < chunks))
			return true;
		note_error(next.id, psprintf("its next model does not take over: the endpoint refuses " INT64_FORMAT " of " INT64_FORMAT " rows",
									 refused, chunks));
		return false;
	}

	static void note_error(int64 collection, const char *error)
	{
		spi_run("UPDATE vectorizer.collection_stats SET last_error = $2 WHERE collection_id = $1 AND last_error IS DISTINCT FROM $2",
				{param(collection), param(error)});
	}

	static void note_in_use(int64 collection)
	{
		note_error(collection, "its next model waits for somebody who reads, writes or alters the collection");
	}

	/// Puts what comes next in the place of what is in force, if the table is to be had for oneself. Those who come later wait behind that, so
	/// for moments only. What stands in its way is this collection's trouble, and is tried again.
	void swap(const Collection &next, int64 chunks)
	{
		const auto take_over = [&](int patience) {
			claim_row();
			lock_table(collection_.table, AccessExclusiveLock, patience);
			if (next.dynamic && pg::made_of_lexemes(next.model) && next.generation > 0)
				embed_left(next);
			if (!pg::made_of_lexemes(next.model) && !all_asked(next, chunks))
				refuse_left();
			spi_run("SELECT vectorizer.swap_next($1)", {param(next.id)});
		};
		ErrorData *error = in_attempts(take_over);
		if (error == nullptr)
			return;
		if (fails_everything(error))
			ReThrowError(error);
		if (error->sqlerrcode == kErrRowsLeft) {
			host_.come_back(kSecondsAfterWriters);
		}
		else if (is_busy(error)) {
			note_in_use(next.id);
			host_.come_back(kSecondsAfterReaders);
		}
		else {
			note_error(next.id, psprintf("its next model cannot take over: %s%s%s", error->message, error->detail == nullptr ? "" : ": ",
										 error->detail == nullptr ? "" : error->detail));
			host_.come_back(kSecondsAfterError);
		}
	}

	static void tell_embedder(const Collection &collection)
	{
		bool waiting = false;
		as_table_owner(collection.table, [&] {
			waiting = spi_run(psprintf("SELECT FROM vectorizer_data.%s WHERE %s = 0 LIMIT 1", quote_identifier(collection.name),
									   collection.generation_column())) > 0;
		});
		if (waiting)
			want_embedder_at_commit(EmbedderWish::kRows);
	}

	/// Whoever describes the collection holds its row for as long as he likes: not to be waited for with the table in hand. 55P03.
	void claim_row()
	{
		spi_run("SELECT FROM vectorizer.collection WHERE id = $1 FOR NO KEY UPDATE NOWAIT", {param(collection_.id)});
	}

	bool made_of_lexemes() const { return pg::made_of_lexemes(collection_.model); }

	/// The rows of a new generation.
	static void store_model(Collection &of, int32 generation, int64 chunks)
	{
		MemoryContext working = AllocSetContextCreate(CurrentMemoryContext, "vectorizer training", ALLOCSET_DEFAULT_SIZES);
		train_model(of, generation, chunks, working);
		MemoryContextDelete(working);
		of.generation = generation;
	}

	void train(int32 generation, int64 chunks)
	{
		store_model(collection_, generation, chunks);
		spi_run("UPDATE vectorizer.collection SET model_generation = $2, updated_at = now() WHERE id = $1",
				{param(collection_.id), param(generation)});
	}

	/// True once no chunk is left.
	bool embed(Which which) { return embed(collection_, which); }

	bool embed(const Collection &of, Which which)
	{
		int64 from = PG_INT64_MIN;
		int64 embedded = 0;
		open_model(of);
		for (bool left = true; left;) {
			const int64 before = embedded;
			left = embed_chunks(of, model_, which, kEmbedBatch, &from, &embedded);
			if (which == Which::kNew && embedded == before)
				break;
			host_.report("embedding", embedded);
			if (!end_batch() && left)
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
		end_batch();
	}

	/// A later generation: trained, given to all chunks, and in force, in one transaction. Those who write a dynamic collection
	/// wait, so that no row of theirs gets the embedding of a generation that is no more.
	void retrain(int64 chunks)
	{
		host_.announce("training");
		if (collection_.dynamic) {
			claim_row();
			keep_writers_out(ShareRowExclusiveLock);
		}
		const int32 old = collection_.generation;
		train(old + 1, chunks);
		if (made_of_lexemes()) {
			open_model(collection_);
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
	void keep_writers_out(LOCKMODE mode) { lock_table(collection_.table, mode, kPatience); }

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

	void open_model(const Collection &of)
	{
		if (!model_.is_open(of.id, of.generation))
			model_.open(context_, of.id, of.generation);
	}

	Collection &collection_;
	ModelReader &model_;
	MemoryContext context_;
	Host &host_;
	bool stopped_ = false;  // a batch was the last for now
};

}  // namespace

void tend(Collection &collection, int64 chunks, ModelReader &model, MemoryContext context, Host &host)
{
	Tender(collection, model, context, host).run(chunks);
}

}  // namespace vectorizer::pg
