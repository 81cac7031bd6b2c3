// A check that holds in every build and stops a fuzzer at the input that breaks it.
#pragma once

#include <cstdio>
#include <cstdlib>

#define REQUIRE(condition)                                                                      \
	do {                                                                                        \
		if (!(condition)) {                                                                     \
			std::fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);        \
			std::abort();                                                                       \
		}                                                                                       \
	} while (false)
