#include "pg/background.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace vectorizer::pg {

BackgroundWorkerHandle *start_background(const BackgroundProcess &process)
{
	BackgroundWorker worker{};
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = process.on_standby ? BgWorkerStart_ConsistentState : BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = ObjectIdGetDatum(process.argument);
	worker.bgw_notify_pid = process.notify;
	static_assert(sizeof(process.extra) <= sizeof(worker.bgw_extra));
	memcpy(worker.bgw_extra, &process.extra, sizeof(process.extra));
	snprintf(worker.bgw_library_name, BGW_MAXLEN, "$libdir/vectorizer");  // as the functions name it: it need not be preloaded
	snprintf(worker.bgw_function_name, BGW_MAXLEN, "%s", process.function);
	snprintf(worker.bgw_name, BGW_MAXLEN, "%s of %s %u", process.type, process.of, process.argument);
	snprintf(worker.bgw_type, BGW_MAXLEN, "%s", process.type);
	BackgroundWorkerHandle *handle = nullptr;
	return RegisterDynamicBackgroundWorker(&worker, &handle) ? handle : nullptr;
}

void connect_background(Oid database)
{
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("lock_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	if (GetConfigOption("transaction_timeout", true, false) != nullptr)  // new with 17; it would end a process, not a statement
		SetConfigOption("transaction_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
}

}  // namespace vectorizer::pg
