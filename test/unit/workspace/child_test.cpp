#include "core/workspace/child.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <csignal>

using namespace vectorizer;
using namespace vectorizer::workspace;

namespace {

ChildResult shell(const std::string &script, std::string_view input = {}, const ChildLimits &limits = {}, Stop stop = {})
{
	std::signal(SIGPIPE, SIG_IGN);  // as in the server
	const std::string arguments[] = {"-c", script};
	return run_child(find_program("sh"), arguments, input, limits, stop);
}

}  // namespace

TEST(Child, GivesWhatAProgramMakesOfItsInput)
{
	const std::string much(1 << 20, 'x');
	ChildResult result = shell("cat", much);
	EXPECT_TRUE(result.ok) << result.reason;
	EXPECT_EQ(result.output, much);
	result = shell("cat > /dev/null; echo done", much);
	EXPECT_EQ(result.output, "done\n");
	EXPECT_EQ(shell("echo early", much).output, "early\n") << "it need not read";
	EXPECT_EQ(shell("pwd; ls /proc/self/fd | wc -l; echo $HOME$USER", "").output, "/\n4\n\n") << "nothing of ours is open there";
}

TEST(Child, FailsWithAReason)
{
	EXPECT_EQ(shell("exit 3").reason, "failed with status 3");
	EXPECT_EQ(shell("kill -SEGV $$").reason, "was ended by Segmentation fault");
	EXPECT_FALSE(find_program("sh").empty());
	EXPECT_TRUE(find_program("no-such-program").empty());
}

TEST(Child, EndsAtItsLimits)
{
	EXPECT_EQ(shell("while :; do :; done", {}, {.cpu_seconds = 1}).reason, "took longer than 1 s of computing");
	EXPECT_EQ(shell("sleep 30", {}, {.wall_seconds = 1}).reason, "took longer than 1 s");
	EXPECT_EQ(shell("cat /dev/zero", {}, {.output = 1 << 20}).reason, "gives more than 1 MiB");
	EXPECT_FALSE(shell("exec perl -e '$x = \"x\" x 200_000_000; print length $x'", {}, {.memory = 64 << 20}).ok);
}

TEST(Child, HearsAStop)
{
	int asked = 0;
	Stop later{[](void *count) { return ++*static_cast<int *>(count) > 2; }, &asked};
	EXPECT_THROW(shell("sleep 30", {}, {}, later), Error);
}
