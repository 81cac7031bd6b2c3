// A predicate that long loops of core ask, so that a cancelled query is heard within a moment.
//
// core cannot raise a Postgres error; it returns early (walking code) or throws Errc::kCancelled (leaf code), and the
// caller on the Postgres side then runs CHECK_FOR_INTERRUPTS().
#pragma once

namespace vectorizer {

struct Stop {
	bool (*asked)(void *context) = nullptr;  // null: never
	void *context = nullptr;

	bool operator()() const { return asked != nullptr && asked(context); }
};

}  // namespace vectorizer
