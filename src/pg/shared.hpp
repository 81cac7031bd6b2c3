// Memory that all processes share.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
}

namespace vectorizer::pg {

/// One T in shared memory. T is a plain struct with a member `LWLock *lock`; the rest of it begins as zeros.
template <typename T>
class Shared {
public:
	/// Has it reserved, and its address put into `at` once it is there. REQUIRES: the library is being preloaded. Once for each T.
	static void reserve(const char *name, T *&at)
	{
		name_ = name;
		at_ = &at;
		previous_request_ = shmem_request_hook;
		shmem_request_hook = request;
		previous_startup_ = shmem_startup_hook;
		shmem_startup_hook = startup;
	}

private:
	static void request()
	{
		if (previous_request_ != nullptr)
			previous_request_();
		RequestAddinShmemSpace(MAXALIGN(sizeof(T)));
		RequestNamedLWLockTranche(name_, 1);
	}

	static void startup()
	{
		if (previous_startup_ != nullptr)
			previous_startup_();
		bool found;
		LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
		auto *made = static_cast<T *>(ShmemInitStruct(name_, sizeof(T), &found));
		if (!found) {
			memset(made, 0, sizeof(T));
			made->lock = &GetNamedLWLockTranche(name_)->lock;
		}
		LWLockRelease(AddinShmemInitLock);
		*at_ = made;
	}

	static inline constinit const char *name_ = nullptr;
	static inline constinit T **at_ = nullptr;
	static inline constinit shmem_request_hook_type previous_request_ = nullptr;
	static inline constinit shmem_startup_hook_type previous_startup_ = nullptr;
};

}  // namespace vectorizer::pg
