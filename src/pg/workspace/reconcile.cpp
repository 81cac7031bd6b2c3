#include "pg/workspace/reconcile.hpp"

#include "core/text/document.hpp"
#include "core/text/utf8.hpp"
#include "pg/boundary.hpp"
#include "pg/collection/spi.hpp"

#include <map>
#include <tuple>

extern "C" {
#include "utils/array.h"
#include "utils/timestamp.h"
}

namespace vectorizer::pg {

namespace {

/// A file whose times are that near to when it was read may have been written again within the clock's granularity.
constexpr int64 kYoungMicroseconds = 2 * USECS_PER_SEC;
constexpr int64 kNanosecondsPerMicrosecond = 1000;
constexpr int64 kUnixEpochMicroseconds = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

struct KnownRow {
	KnownFile file;
	const char *path;
	workspace::FileStat stat;
	TimestampTz checked_at;
	TimestampTz next_try;  // 0: none
	const char *error;     // may be null
};

KnownRow known_row(uint64 i, const Collection &collection)
{
	bool null;
	KnownRow row{};
	row.file.id = spi_int64(i, 1);
	row.path = spi_text(i, 2);
	row.stat = {static_cast<uint64>(spi_int64(i, 3)), spi_int64(i, 4), spi_int64(i, 5),
				static_cast<uint64>(spi_int64(i, 6)), static_cast<uint64>(spi_int64(i, 7))};
	const char *state = spi_text(i, 8);
	row.file.indexed = strcmp(state, "indexed") == 0;
	row.file.skipped = strcmp(state, "skipped") == 0;
	row.file.attempts = spi_int32(i, 9);
	row.next_try = spi_timestamp(i, 10);
	row.error = spi_text(i, 11);
	row.file.current = spi_int32(i, 12) == kChunkerVersion && spi_int32(i, 13) == collection.revision;
	row.file.n_chunks = spi_int32(i, 14);
	row.checked_at = spi_timestamp(i, 15);
	const Datum sha = spi_datum(i, 16, &null);
	if (!null) {
		const bytea *hash = DatumGetByteaPP(sha);
		if (VARSIZE_ANY_EXHDR(hash) == sizeof(row.file.sha256))
			memcpy(row.file.sha256, VARDATA_ANY(hash), sizeof(row.file.sha256));
	}
	return row;
}

bool was_young(const KnownRow &row)
{
	const int64 newest = std::max(row.stat.mtime_ns, row.stat.ctime_ns) / kNanosecondsPerMicrosecond - kUnixEpochMicroseconds;
	return row.checked_at - newest < kYoungMicroseconds;
}

/// Whether a file that was found needs nothing.
bool is_up_to_date(const KnownRow &row, const workspace::FileStat &stat, TimestampTz now)
{
	if (row.stat != stat)
		return false;
	if (!row.file.indexed && !row.file.skipped)
		return row.next_try > now;
	return row.file.current && !was_young(row);
}

/// Walks the scan's two sorted lists beside the sorted rows of the catalogue.
class Merge {
public:
	Merge(Difference &difference, TimestampTz now) : d_(difference), now_(now) {}

	void row(const KnownRow &row)
	{
		const std::string_view path(row.path);
		before(path);
		if (row.file.n_chunks > 0)
			++d_.known;
		if (file_ < d_.scan.files.size() && d_.scan.files[file_].path == path) {
			d_.chunks += row.file.n_chunks;
			if (is_up_to_date(row, d_.scan.files[file_].stat, now_))
				++d_.up_to_date;
			else
				d_.todo.push_back({file_, row.file});
			++file_;
		}
		else if (skip_ < d_.scan.skipped.size() && d_.scan.skipped[skip_].path == path) {
			if (!row.file.skipped || row.error == nullptr || d_.scan.skipped[skip_].reason != row.error)
				d_.skipped.push_back({skip_, row.file});
			++skip_;
		}
		else {
			const bool loss = row.file.n_chunks > 0 && d_.patterns.matches(row.path);
			(loss ? d_.gone : d_.gone_no_loss).push_back({row.file, row.path, row.stat});
		}
	}

	void finish()
	{
		before({});
		if (!d_.scan.complete()) {
			std::erase_if(d_.gone, [&](const Gone &each) {
				const bool stays = !d_.scan.knows(each.path);
				d_.chunks += stays ? each.known.n_chunks : 0;
				d_.kept += stays ? 1 : 0;
				return stays;
			});
			std::erase_if(d_.gone_no_loss, [&](const Gone &each) {
				const bool stays = !d_.scan.knows(each.path);
				d_.kept += stays && !each.known.skipped ? 1 : 0;
				return stays;
			});
		}
		find_moved();
	}

private:
	using Identity = std::tuple<uint64, uint64, uint64, int64>;

	/// Renaming changes the time of the last change (ctime) only.
	static Identity identity(const workspace::FileStat &stat)
	{
		return {stat.device, stat.inode, stat.size, stat.mtime_ns};
	}

	/// A new file that is a lost one, under another path, takes over its row and its chunks.
	void find_moved()
	{
		std::map<Identity, std::size_t> lost;
		for (std::size_t i = 0; i < d_.gone.size(); ++i)
			lost.emplace(identity(d_.gone[i].stat), i);
		std::vector<bool> found(d_.gone.size());
		for (Todo &each : d_.todo) {
			if (each.known.id != 0) {
				d_.added += each.known.skipped ? 1 : 0;
				continue;
			}
			const workspace::FoundFile &file = d_.scan.files[each.found];
			const auto at = lost.find(identity(file.stat));
			if (at == lost.end()) {
				++d_.added;
				continue;
			}
			const Gone &former = d_.gone[at->second];
			each.known = former.known;
			each.known.moved = true;
			each.known.current = each.known.current && txt::format_of(former.path, {}) == txt::format_of(file.path, {});
			d_.chunks += each.known.n_chunks;
			found[at->second] = true;
			lost.erase(at);
		}
		std::size_t i = 0;
		std::erase_if(d_.gone, [&](const Gone &) { return found[i++]; });
	}

	/// What the kind of a file is told by.

	/// Takes what the scan has before `path`, which the catalogue does not know; all that is left if it is empty.
	void before(std::string_view path)
	{
		const auto comes_first = [&](const std::string &other) { return path.empty() || other < path; };
		for (; file_ < d_.scan.files.size() && comes_first(d_.scan.files[file_].path); ++file_)
			d_.todo.push_back({file_, {}});
		for (; skip_ < d_.scan.skipped.size() && comes_first(d_.scan.skipped[skip_].path); ++skip_)
			d_.skipped.push_back({skip_, {}});
	}

	Difference &d_;
	TimestampTz now_;
	std::size_t file_ = 0;
	std::size_t skip_ = 0;
};

void scan(const Project &project, const workspace::Changes &scope, workspace::Notifier *notifier, Difference &difference)
{
	guard([&] {
		workspace::ScanLimits limits;
		limits.max_file_bytes = static_cast<std::uint64_t>(project.max_file_bytes);
		workspace::Witness witness;
		if (notifier != nullptr)
			witness.entered = [&](int directory, const std::string &path) { notifier->enter(project.id, directory, path); };
		for (const std::string &path : scope.paths) {
			if (txt::is_valid(path))
				difference.asked.push_back(path);
			if (std::string shown = txt::printable(path); shown != path)
				difference.asked.push_back(std::move(shown));
		}
		const workspace::Fd root = workspace::open_root(project.root);
		difference.scan = scope.all
			? workspace::scan(root.get(), difference.patterns, limits, interrupt_pending(), witness)
			: workspace::scan_paths(root.get(), scope.paths, difference.patterns, limits, interrupt_pending(), witness);
	});
}

Datum text_array(std::span<const std::string> strings)
{
	auto *elements = static_cast<Datum *>(palloc(sizeof(Datum) * (strings.size() + 1)));
	int count = 0;
	for (const std::string &each : strings)
		elements[count++] = PointerGetDatum(cstring_to_text_with_len(each.data(), static_cast<int>(each.size())));
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}

#define FILE_COLUMNS \
	"f.id, f.path, f.size, f.mtime_ns, f.ctime_ns, f.device, f.inode, f.state, f.attempts, f.next_try, f.error," \
	" f.chunker_version, f.revision, f.n_chunks, f.checked_at, f.sha256"

/// The rows in scope, by path.
Portal known_rows(const Collection &collection, const Difference &difference, bool all)
{
	static constexpr const char *kAll =
		"SELECT " FILE_COLUMNS " FROM vectorizer.file f WHERE f.collection_id = $1 ORDER BY f.path";
	// Of paths asked for, one may lie below another.
	static constexpr const char *kSome =
		"SELECT DISTINCT ON (f.path) " FILE_COLUMNS
		" FROM (SELECT path COLLATE \"C\" FROM pg_catalog.unnest($2) path) s,"
		" LATERAL (SELECT * FROM vectorizer.file x WHERE x.collection_id = $1 AND x.path = s.path"
		"  UNION ALL SELECT * FROM vectorizer.file x WHERE x.collection_id = $1 AND x.path > s.path || '/' AND x.path < s.path || '0') f"
		" ORDER BY f.path";
	Oid types[] = {INT8OID, TEXTARRAYOID};
	Datum values[] = {Int64GetDatum(collection.id), all ? Datum{} : text_array(difference.asked)};
	SPIPlanPtr plan = SPI_prepare(all ? kAll : kSome, all ? 1 : 2, types);
	return SPI_cursor_open(nullptr, plan, values, nullptr, false);
}

#undef FILE_COLUMNS

}  // namespace

void prepare(const Collection &collection, Difference &difference)
{
	guard([&] {
		const std::vector<std::string> include(collection.include.begin(), collection.include.end());
		const std::vector<std::string> exclude(collection.exclude.begin(), collection.exclude.end());
		difference.patterns = workspace::PatternSet(include, exclude);
	});
}

bool concerns(const Difference &difference, const workspace::Changes &scope)
{
	return guard([&] {
		return scope.all || std::ranges::any_of(scope.paths, [&](const std::string &path) {
				   return difference.patterns.matches(path) || difference.patterns.may_contain(path);
			   });
	});
}

void reconcile(const Project &project, const Collection &collection, const workspace::Changes &scope, workspace::Notifier *notifier,
			   Difference &difference)
{
	scan(project, scope, notifier, difference);

	constexpr int kFetch = 1000;
	Portal portal = known_rows(collection, difference, scope.all);
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext batch = AllocSetContextCreate(outer, "vectorizer reconcile", ALLOCSET_DEFAULT_SIZES);
	Merge merge(difference, GetCurrentTimestamp());
	do {
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, kFetch);
		MemoryContextSwitchTo(batch);
		for (uint64 i = 0; i < SPI_processed; ++i) {
			const KnownRow row = known_row(i, collection);
			guard([&] { merge.row(row); });
		}
		MemoryContextSwitchTo(outer);
		MemoryContextReset(batch);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	guard([&] { merge.finish(); });
	SPI_cursor_close(portal);
	MemoryContextDelete(batch);
}

}  // namespace vectorizer::pg
