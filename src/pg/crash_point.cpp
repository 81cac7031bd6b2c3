#include "pg/crash_point.hpp"

#include "pg/pg.hpp"

#ifdef VECTORIZER_CRASH_POINTS

#include <unistd.h>

extern "C" {
#include "access/xlog.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/guc.h"
}

namespace vectorizer::pg {

namespace {

/// A setting of the form name[:nth], and how often the place has been reached since it was set.
struct Point {
	char *setting;
	int reached;

	bool stops_at(const char *name)
	{
		if (setting == nullptr || *setting == '\0')
			return false;
		std::size_t length = std::strcspn(setting, ":");
		if (std::strlen(name) != length || std::strncmp(setting, name, length) != 0)
			return false;
		return ++reached == (setting[length] == ':' ? std::atoi(setting + length + 1) : 1);
	}
};

Point crash{};
Point wait{};

void crash_changed(const char *, void *)
{
	crash.reached = 0;
}

void wait_changed(const char *, void *)
{
	wait.reached = 0;
}

constexpr std::uint32_t kWaitKey = 118;

}  // namespace

void crash_point(const char *name)
{
	if (crash.stops_at(name)) {
		if (XactLastRecEnd != InvalidXLogRecPtr)
			XLogFlush(XactLastRecEnd);
		ereport(LOG, errmsg_internal("crash point %s", name));
		_exit(2);  // the postmaster then takes shared memory for damaged, and all its processes down
	}
	if (wait.stops_at(name)) {
		LOCKTAG tag;
		SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, kWaitKey, 0, 2);
		LockAcquire(&tag, ExclusiveLock, false, false);
		LockRelease(&tag, ExclusiveLock, false);
	}
}

void define_crash_points()
{
	DefineCustomStringVariable("vectorizer.crash_point", "Where the server dies, for tests: name[:nth].", nullptr,
							   &crash.setting, "", PGC_SUSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, nullptr, crash_changed,
							   nullptr);
	DefineCustomStringVariable("vectorizer.wait_point", "Where the session waits, for tests: name[:nth].", nullptr,
							   &wait.setting, "", PGC_SUSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, nullptr, wait_changed,
							   nullptr);
}

}  // namespace vectorizer::pg

#endif
