#include "pg/monitor/progress.hpp"

#include "pg/collection/spi.hpp"

namespace vectorizer::pg {

void report_progress(const Progress &progress, const char *error)
{
	spi_run("INSERT INTO vectorizer.progress AS p"
			" (project_id, worker, pid, phase, files_done, files_total, rows, files_before, last_error, last_error_at, updated_at)"
			" SELECT x.id, $2, $3, $4, $5, $6, $7, $5, nullif($8, ''), CASE WHEN $8 <> '' THEN clock_timestamp() END,"
			"  clock_timestamp()"
			" FROM vectorizer.project x WHERE x.id = $1"
			" ON CONFLICT (project_id, worker) DO UPDATE SET"
			"  pid = excluded.pid, phase = excluded.phase, files_done = excluded.files_done,"
			"  files_total = excluded.files_total, rows = excluded.rows,"
			"  last_error = CASE WHEN $8 IS NULL THEN p.last_error ELSE excluded.last_error END,"
			"  last_error_at = CASE WHEN $8 IS NULL THEN p.last_error_at ELSE excluded.last_error_at END,"
			"  files_before = CASE WHEN p.phase IN ('idle', 'failed') OR p.pid <> excluded.pid"
			"   THEN excluded.files_done ELSE p.files_before END,"
			"  started_at = CASE WHEN p.phase IN ('idle', 'failed') OR p.pid <> excluded.pid"
			"   THEN excluded.updated_at ELSE p.started_at END,"
			"  updated_at = excluded.updated_at",
			{param(progress.project), param(progress.worker), param(MyProcPid), param(progress.phase),
			 param(progress.files_done), param(progress.files_total), param(progress.rows), param_or_null(error)});
}

}  // namespace vectorizer::pg
