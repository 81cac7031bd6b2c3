// C++ objects that outlive Postgres errors without leaking: they live in a memory context, which destroys them when it
// is reset or deleted, also on the way out of a failed transaction.
//
// The pattern of all server code that uses core's containers (README.md): a result of core is a member of a held
// object; only guard() blocks touch it in ways that may throw or allocate; frames that call the server hold references
// and plain values.
#pragma once

#include "pg/boundary.hpp"

namespace vectorizer::pg {

/// A default-constructed T that lives as long as `context`'s present contents.
template <typename T>
T &hold_in(MemoryContext context)
{
	auto *callback = static_cast<MemoryContextCallback *>(MemoryContextAlloc(context, sizeof(MemoryContextCallback)));
	void *memory = MemoryContextAlloc(context, sizeof(T));
	T *object = guard([&] { return new (memory) T; });
	callback->func = [](void *held) -> void { static_cast<T *>(held)->~T(); };
	callback->arg = object;
	MemoryContextRegisterResetCallback(context, callback);
	return *object;
}

}  // namespace vectorizer::pg
