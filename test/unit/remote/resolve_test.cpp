#include "core/remote/resolve.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>

using namespace vectorizer;
using namespace vectorizer::remote;

TEST(RemoteResolve, Names)
{
	const Resolved found = resolve("localhost", 5000, {});
	EXPECT_EQ(found.reason, "");
	EXPECT_EQ(std::count(found.addresses.begin(), found.addresses.end(), "127.0.0.1") +
			std::count(found.addresses.begin(), found.addresses.end(), "::1"),
		static_cast<std::ptrdiff_t>(found.addresses.size()))
		<< "each once";
	EXPECT_GE(found.addresses.size(), 1u);
	EXPECT_LE(found.addresses.size(), 2u);
}

TEST(RemoteResolve, NoSuchName)
{
	// Where name servers are silent, it is the time that ends it.
	for (const char *host : {"nobody.invalid", "--help", "-s"}) {
		const Resolved none = resolve(host, 1000, {});
		EXPECT_TRUE(none.addresses.empty()) << host;
		EXPECT_TRUE(none.reason.starts_with("could not look up " + std::string(host))) << none.reason;
	}
}

TEST(RemoteResolve, WithinTheTime)
{
	const Resolved late = resolve("localhost", 0, {});
	EXPECT_TRUE(late.addresses.empty());
	EXPECT_EQ(late.reason, "could not look up localhost within 0 ms");
}

TEST(RemoteResolve, IsStopped)
{
	const Stop stop{[](void *) { return true; }, nullptr};
	try {
		resolve("localhost", 5000, stop);
		FAIL() << "not left";
	}
	catch (const Error &error) {
		EXPECT_EQ(error.code(), Errc::kCancelled);
	}
}
