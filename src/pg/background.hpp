// What the module's background processes have in common.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "postmaster/bgworker.h"
}

namespace vectorizer::pg {

/// A process that connects to a database, and is not started again when it ends.
struct BackgroundProcess {
	const char *function;      // its main, which gets `argument`
	const char *type;          // what pg_stat_activity calls it
	const char *of;            // what `argument` names
	Oid argument;
	Oid extra = InvalidOid;    // in bgw_extra
	pid_t notify = 0;          // who is signalled when it starts and ends; 0: nobody
	bool on_standby = false;   // it runs there, too
};

/// Asks for the process; its handle is the caller's to free. Null if no worker slot is free.
BackgroundWorkerHandle *start_background(const BackgroundProcess &process);

/// Connects to a database as its superuser, with settings that do not depend on what the database's owner has set: his
/// operators, above all, do not hold here. The caller has set its signal handlers.
void connect_background(Oid database);

}  // namespace vectorizer::pg
