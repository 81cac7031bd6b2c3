#include "pg/workspace/pass.hpp"

#include "pg/collection/held.hpp"
#include "pg/collection/tend.hpp"
#include "pg/embedder/wishes.hpp"
#include "pg/monitor/progress.hpp"
#include "pg/workspace/ingest.hpp"
#include "pg/workspace/transaction.hpp"

#include <limits>

extern "C" {
#include "access/xact.h"
#include "commands/async.h"
#include "funcapi.h"
#include "pgstat.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(vectorizer_run_pass);
}

namespace vectorizer::pg {

namespace {

constexpr int kBatchFiles = 100;
constexpr uint64 kBatchBytes = 4 << 20;
constexpr int64 kBatchMicroseconds = USECS_PER_SEC;

class Pass final : private Host {
public:
	Pass(const Runner &runner, MemoryContext context)
		: runner_(runner), context_(context), model_(hold_in<ModelReader>(context)), root_(hold_in<workspace::Fd>(context)),
		  scope_(hold_in<workspace::Changes>(context))
	{
	}

	PassResult run(int64 project)
	{
		project_ = load_project(project, context_);
		progress_ = {project, runner_.worker, "reading", 0, 0, 0};
		set_scope();
		compare();
		decide_deletions();
		count();
		guard([&] { root_ = workspace::open_root(project_.root); });
		for (std::size_t i = 0; i < project_.collections.size() && !result_.more; ++i)
			apply(project_.collections[i], *differences_[i]);
		if (confirmed_ && !result_.more)
			end_confirmation();
		for (std::size_t i = 0; i < project_.collections.size() && !result_.more; ++i) {
			if (scope_.all || differences_[i]->anything())
				tend_model(project_.collections[i]);
		}
		finish();
		return result_;
	}

private:
	/// Ends a batch. From then on result_.more says whether to stop.
	bool end_batch() override
	{
		next_batch(runner_.commits, runner_.notifier);
		if (!runner_.commits)
			return true;
		if ((runner_.deadline != 0 && GetCurrentTimestamp() > runner_.deadline) || project_is_wanted(project_.id))
			result_.more = true;
		return !result_.more;
	}

	bool commits() const override { return runner_.commits; }

	void report(const char *phase)
	{
		progress_.phase = phase;
		report_progress(progress_, nullptr);
		worked_ = true;
	}

	void set_scope()
	{
		guard([&] {
			if (runner_.scope != nullptr)
				scope_ = *runner_.scope;
			else
				scope_.add_all();
		});
		if (scope_.all)
			return;
		const uint64 due = spi_run("SELECT DISTINCT f.path FROM vectorizer.file f JOIN vectorizer.collection c ON c.id = f.collection_id"
								   " WHERE c.project_id = $1 AND f.state = 'failed' AND f.next_try <= clock_timestamp()",
								   {param(project_.id)});
		for (uint64 i = 0; i < due; ++i) {
			const char *path = spi_text(i, 1);
			guard([&] { scope_.add(path); });
		}
	}

	void compare()
	{
		const std::size_t count = project_.collections.size();
		differences_ = static_cast<Difference **>(MemoryContextAlloc(context_, sizeof(Difference *) * (count + 1)));
		concerned_ = static_cast<bool *>(MemoryContextAllocZero(context_, count + 1));
		for (std::size_t i = 0; i < count; ++i) {
			differences_[i] = &hold_in<Difference>(context_);
			prepare(project_.collections[i], *differences_[i]);
			concerned_[i] = concerns(*differences_[i], scope_);
		}
		if (runner_.notifier != nullptr && scope_.all) {
			guard([&] {
				std::vector<workspace::PatternSet> wanted;
				for (std::size_t i = 0; i < count; ++i)
					wanted.push_back(differences_[i]->patterns);
				runner_.notifier->begin_walk(project_.id, std::move(wanted));
			});
		}
		bool complete = true;
		for (std::size_t i = 0; i < count; ++i) {
			if (!concerned_[i])
				continue;
			reconcile(project_, project_.collections[i], scope_, runner_.notifier, *differences_[i]);
			const workspace::ScanResult &found = differences_[i]->scan;
			complete = complete && found.complete();
			result_.hard_links = result_.hard_links || found.hard_links;
			if (runner_.notifier != nullptr)
				look_again_at(found.unread);
		}
		if (runner_.notifier != nullptr && scope_.all && complete)
			guard([&] { runner_.notifier->end_walk(project_.id); });
	}

	/// What changed under the scan is looked at once more; nobody may tell of it again.
	void look_again_at(const std::vector<workspace::Unread> &unread)
	{
		guard([&] {
			for (const workspace::Unread &each : unread) {
				if (each.vanished)
					runner_.notifier->tell(project_.id, each.path);
			}
		});
	}

	/// Files that are gone take their chunks with them, unless that may be a disk that is not there: the root is another
	/// directory than before, or more than half of the project (and more than one file) would go. Many losses are looked at
	/// twice: they may be those of a tree that is just being deleted, more than half of it in the end.
	void decide_deletions()
	{
		int64 known = 0;
		int64 losses = 0;
		bool complete = true;
		const workspace::ScanResult *root = nullptr;
		for (std::size_t i = 0; i < project_.collections.size(); ++i) {
			if (!concerned_[i])
				continue;
			root = &differences_[i]->scan;
			known += differences_[i]->known;
			losses += static_cast<int64>(differences_[i]->gone.size());
			complete = complete && root->complete();
		}
		if (root == nullptr || (!scope_.all && losses == 0))
			return;
		if (!scope_.all)
			known = losses > 1 ? files_with_chunks() : std::numeric_limits<int64>::max() / 10;
		const bool same_root = !project_.known_root ||
			(project_.root_device == root->device && project_.root_inode == root->inode);
		const bool confirmed = project_.deletions_confirmed && losses <= project_.pending_deletions;
		const bool too_many = losses > 1 && losses * 2 > known;
		const bool pending = !scope_.all && project_.pending_deletions > 0;  // these may be of those
		const bool wait = losses > 0 && (too_many || !same_root || pending) && !confirmed;
		const bool look_again = runner_.commits && losses > 1 && losses * 10 > known && losses != runner_.losses_before && !confirmed;
		if (wait || look_again) {
			for (std::size_t i = 0; i < project_.collections.size(); ++i) {
				Difference &d = *differences_[i];
				for (const Gone &each : d.gone)
					d.chunks += each.known.n_chunks;
				d.kept += static_cast<int64>(d.gone.size());
				d.gone.clear();
			}
		}
		if (look_again || (wait && !scope_.all))
			result_.losses = losses;
		if (!scope_.all || look_again) {
			result_.pending_deletions = project_.pending_deletions;
			return;
		}
		if (confirmed) {  // holds until all of them are gone
			confirmed_ = true;
			result_.pending_deletions = 0;
			return;
		}
		// Another directory that holds most of the files is the root after a reboot or a move: from the next scan on.
		const bool accept_root = complete && (confirmed || !too_many) && (!project_.known_root || !same_root);
		result_.pending_deletions = wait && too_many ? losses : 0;
		if (accept_root || result_.pending_deletions != project_.pending_deletions ||
			(project_.deletions_confirmed && complete))
			spi_run("UPDATE vectorizer.project SET pending_deletions = $2, deletions_confirmed = false,"
					" root_device = CASE WHEN $3 THEN $4 ELSE root_device END,"
					" root_inode = CASE WHEN $3 THEN $5 ELSE root_inode END WHERE id = $1",
					{param(project_.id), param(result_.pending_deletions), param(accept_root),
					 param(static_cast<int64>(root->device)), param(static_cast<int64>(root->inode))});
	}

	/// What was confirmed has been done. The root is what it is by now.
	void end_confirmation()
	{
		const workspace::ScanResult &root = differences_[0]->scan;
		spi_run("UPDATE vectorizer.project SET pending_deletions = 0, deletions_confirmed = false, root_device = $2, root_inode = $3"
				" WHERE id = $1",
				{param(project_.id), param(static_cast<int64>(root.device)), param(static_cast<int64>(root.inode))});
	}

	int64 files_with_chunks()
	{
		spi_run("SELECT count(*) FROM vectorizer.file f JOIN vectorizer.collection c ON c.id = f.collection_id"
				" WHERE c.project_id = $1 AND f.n_chunks > 0",
				{param(project_.id)});
		return spi_int64(0, 1);
	}

	/// What progress begins with. Of some paths alone it is the change of what was known before.
	void count()
	{
		int64 todo = 0;
		int64 kept = 0;
		int64 gone = 0;
		int64 gone_chunks = 0;
		for (std::size_t i = 0; i < project_.collections.size(); ++i) {
			const Difference &d = *differences_[i];
			result_.files += static_cast<int64>(d.scan.files.size());
			progress_.rows += d.chunks;
			todo += static_cast<int64>(d.todo.size());
			kept += d.kept;
			gone += static_cast<int64>(d.gone.size());
			gone += std::ranges::count_if(d.gone_no_loss, [](const Gone &each) { return !each.known.skipped; });
			gone += std::ranges::count_if(d.skipped, [](const NewlySkipped &each) {
				return each.known.id != 0 && !each.known.skipped;
			});
			for (const std::vector<Gone> *list : {&d.gone, &d.gone_no_loss}) {
				for (const Gone &each : *list)
					gone_chunks += each.known.n_chunks;
			}
			progress_.files_total += d.added;
		}
		if (scope_.all) {
			progress_.files_total = result_.files + kept;
		}
		else if (spi_run("SELECT files_total, rows FROM vectorizer.progress WHERE project_id = $1 AND worker = $2",
						 {param(project_.id), param(runner_.worker)}) > 0) {
			progress_.files_total = std::max<int64>(0, progress_.files_total + spi_int64(0, 1) - gone);
			progress_.rows = std::max<int64>(0, spi_int64(0, 2) - gone_chunks);
		}
		progress_.files_done = std::max<int64>(0, progress_.files_total - todo);
	}

	/// Everything that a collection's difference asks for: removals, skips, then files, in batches.
	void apply(const Collection &collection, const Difference &d)
	{
		const std::size_t removals = d.gone.size();
		const std::size_t forgotten = removals + d.gone_no_loss.size();
		const std::size_t skips = forgotten + d.skipped.size();
		const std::size_t steps = skips + d.todo.size();
		if (steps == 0)
			return;
		report("reading");
		open_model(collection);
		for (std::size_t step = 0; step < steps && !result_.more;) {
			Ingest ingest(project_, collection, root_.get(), model_);
			const TimestampTz begun = GetCurrentTimestamp();
			uint64 bytes = 0;
			int files = 0;
			do {
				if (step < removals) {
					ingest.remove(d.gone[step].known.id);
					++result_.deleted;
				}
				else if (step < forgotten) {
					const KnownFile &known = d.gone_no_loss[step - removals].known;
					ingest.remove(known.id);
					result_.deleted += known.n_chunks > 0 ? 1 : 0;
				}
				else if (step < skips) {
					const NewlySkipped &each = d.skipped[step - forgotten];
					ingest.skip(d.scan.skipped[each.skipped], each.known);
					progress_.rows -= each.known.n_chunks;
				}
				else {
					read(ingest, d, d.todo[step - skips], &bytes);
				}
				++step;
				++files;
			} while (step < steps && files < kBatchFiles && bytes < kBatchBytes &&
					 GetCurrentTimestamp() - begun < kBatchMicroseconds);
			notify(collection);
			if (collection.model == ModelKind::kHttp)  // it need not wait for all files
				want_embedder_at_commit(EmbedderWish::kRows);
			report("reading");
			end_batch();
		}
	}

	/// Tells who listens. Names need no escape (check_name).
	void notify(const Collection &collection)
	{
		const int64 files = result_.added + result_.changed + result_.deleted;
		if (files > notified_)
			Async_Notify("vectorizer", psprintf("{\"project\": \"%s\", \"collection\": \"%s\", \"files\": " INT64_FORMAT "}",
												project_.name, collection.name, files - notified_));
		notified_ = files;
	}

	void read(Ingest &ingest, const Difference &d, const Todo &todo, uint64 *bytes)
	{
		int32 chunks = todo.known.n_chunks;
		uint64 read_bytes = 0;
		const Outcome outcome = ingest.file(d.scan.files[todo.found], todo.known, &chunks, &read_bytes);
		*bytes += read_bytes;
		progress_.rows += chunks - todo.known.n_chunks;
		++progress_.files_done;
		if (outcome == Outcome::kFailed)
			++result_.failed;
		if (outcome == Outcome::kIndexed || (outcome == Outcome::kTouched && todo.known.moved))
			++(todo.known.indexed ? result_.changed : result_.added);
	}

	void open_model(const Collection &collection)
	{
		if (collection.row_generation() > 0 && !model_.is_open(collection.id, collection.generation))
			model_.open(context_, collection.id, collection.generation);
	}

	void tend_model(Collection &collection)
	{
		spi_run("SELECT vectorizer.count_collection($1)", {param(collection.id)});
		tend(collection, spi_int64(0, 1), model_, context_, *this);
	}

	void report(const char *phase, int64 rows) override
	{
		const int64 of_project = std::exchange(progress_.rows, rows);
		report(phase);
		progress_.rows = of_project;
	}

	void come_back(int seconds) override
	{
		const TimestampTz at = GetCurrentTimestamp() + seconds * USECS_PER_SEC;
		result_.scan_at = result_.scan_at == 0 ? at : std::min(result_.scan_at, at);
	}

	void announce(const char *phase) override
	{
		report(phase);
		if (runner_.commits)
			end_batch();
		result_.more = false;
	}

	void finish()
	{
		if (runner_.commits) {
			spi_run("SELECT min(f.next_try) FROM vectorizer.file f JOIN vectorizer.collection c ON c.id = f.collection_id"
					" WHERE c.project_id = $1 AND f.state = 'failed'",
					{param(project_.id)});
			result_.retry_at = spi_timestamp(0, 1);
		}
		if (scope_.all)
			count_all();
		if (result_.more)
			return;
		progress_.files_done = progress_.files_total;
		progress_.phase = "idle";
		// A scan that finds nothing to do writes nothing.
		const bool known_idle = !worked_ &&
			spi_run("SELECT FROM vectorizer.progress WHERE project_id = $1 AND worker = $2 AND pid = $3"
					" AND phase = 'idle' AND last_error IS NULL",
					{param(project_.id), param(runner_.worker), param(MyProcPid)}) > 0;
		if (!known_idle)
			report_progress(progress_, "");
	}

	void count_all()
	{
		spi_run("SELECT coalesce(sum(f.n_chunks), 0)::bigint, count(*) FILTER (WHERE f.state = 'skipped')"
				" FROM vectorizer.file f JOIN vectorizer.collection c ON c.id = f.collection_id WHERE c.project_id = $1",
				{param(project_.id)});
		result_.chunks = spi_int64(0, 1);
		result_.skipped = spi_int64(0, 2);
		progress_.rows = result_.chunks;
	}

	const Runner &runner_;
	MemoryContext context_;
	ModelReader &model_;
	workspace::Fd &root_;
	Project project_{};
	Difference **differences_ = nullptr;  // one a collection
	bool *concerned_ = nullptr;           // whether there may be anything of the collection in scope
	workspace::Changes &scope_;
	Progress progress_{};
	PassResult result_;
	int64 notified_ = 0;
	bool confirmed_ = false;  // what is gone may go
	bool worked_ = false;
};

}  // namespace

PassResult run_pass(int64 project, const Runner &runner, MemoryContext context)
{
	return Pass(runner, context).run(project);
}

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_run_pass(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	TupleDesc descriptor;
	if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("run_pass returns a row")));
	descriptor = BlessTupleDesc(descriptor);
	SPI_connect();
	const Runner runner{"sync", false};
	const PassResult result = run_pass(PG_GETARG_INT64(0), runner, CurrentMemoryContext);
	SPI_finish();
	Datum values[] = {Int64GetDatum(result.files), Int64GetDatum(result.added), Int64GetDatum(result.changed),
					  Int64GetDatum(result.deleted), Int64GetDatum(result.skipped), Int64GetDatum(result.failed),
					  Int64GetDatum(result.chunks), Int64GetDatum(result.pending_deletions)};
	bool nulls[std::size(values)] = {};
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)));
}
