#include "core/remote/patience.hpp"

#include "core/remote/cache.hpp"

#include <gtest/gtest.h>

namespace vectorizer::remote {

namespace {

Answer answer_of(Outcome outcome, int status, double retry_after = -1)
{
	Answer answer;
	answer.outcome = outcome;
	answer.status = status;
	answer.retry_after = retry_after;
	return answer;
}

const Answer kDown = answer_of(Outcome::kRetry, 0);
const Answer kBusy = answer_of(Outcome::kRetry, 429);
const Answer kBroken = answer_of(Outcome::kRetry, 500);
const Answer kTooLong = answer_of(Outcome::kRefused, 413);
const Answer kNoKey = answer_of(Outcome::kRefused, 401);
const Answer kOtherDimension = answer_of(Outcome::kWrong, 200);

TEST(Patience, BlamesNoTextForAnEndpointThatIsNotThere)
{
	Patience patience(32);
	for (const Answer &each : {kDown, kBusy, answer_of(Outcome::kRetry, 503), kNoKey, answer_of(Outcome::kRefused, 404),
			 answer_of(Outcome::kRefused, 307)}) {
		const Patience::Verdict verdict = patience.failed(each, 1, 0);
		EXPECT_FALSE(verdict.blames) << each.status;
		EXPECT_GT(verdict.delay, 0) << each.status;
	}
	EXPECT_EQ(patience.failures(), 6);
}

TEST(Patience, AsksForLessWhereTimeRunsOut)
{
	Patience patience(32);
	EXPECT_FALSE(patience.failed(kDown, 32, 0).blames);
	EXPECT_EQ(patience.batch(), 16);
	EXPECT_FALSE(patience.failed(kDown, 16, 0).blames);
	EXPECT_EQ(patience.batch(), 8);
	for (int i = 0; i < 7; ++i) {
		patience.succeeded();
		EXPECT_EQ(patience.batch(), 8);
	}
	patience.succeeded();
	EXPECT_EQ(patience.batch(), 16);
	patience.failed(kDown, 16, 0);
	EXPECT_EQ(patience.batch(), 8);
}

TEST(Patience, LooksEveryMinuteWhetherAnEndpointIsBack)
{
	Patience patience(32);
	double delay = 0;
	for (int i = 0; i < 20; ++i)
		delay = patience.failed(kDown, 32, 0).delay;
	EXPECT_EQ(delay, 60);
	EXPECT_EQ(patience.failed(answer_of(Outcome::kRetry, 429, 600), 32, 0).delay, 600);
	patience.succeeded();
	EXPECT_EQ(patience.failures(), 0);
	EXPECT_EQ(patience.failed(kDown, 32, 0).delay, 1);
}

TEST(Patience, FindsTheOneTextThatIsRefusedWithoutADelay)
{
	Patience patience(32);
	for (const int batch : {16, 8, 4, 2, 1}) {
		const Patience::Verdict verdict = patience.failed(kTooLong, static_cast<std::size_t>(patience.batch()), 0);
		EXPECT_EQ(verdict.delay, 0);
		EXPECT_FALSE(verdict.blames);
		EXPECT_EQ(patience.batch(), batch);
	}
	EXPECT_TRUE(patience.failed(kTooLong, 1, 0).blames);
	for (const int batch : {2, 4, 8, 16, 32, 32}) {
		patience.succeeded();
		EXPECT_EQ(patience.batch(), batch);
	}
}

TEST(Patience, LosesItWithAnEndpointThatRefusesEverySingleText)
{
	Patience patience(1);
	for (int i = 0; i < 12; ++i)
		EXPECT_EQ(patience.failed(kTooLong, 1, 0).delay, 0);
	EXPECT_EQ(patience.failed(kTooLong, 1, 0).delay, 1);
	EXPECT_EQ(patience.failed(kTooLong, 1, 0).delay, 2);
}

TEST(Patience, CutsBatchesThatComeToNothingForAnyOtherReason)
{
	for (const Answer &each : {kOtherDimension, kBroken}) {
		Patience patience(8);
		EXPECT_EQ(patience.failed(each, 8, 0).delay, 1);
		EXPECT_EQ(patience.batch(), 4);
		EXPECT_EQ(patience.failed(each, 3, 0).delay, 2);
		EXPECT_EQ(patience.batch(), 1);
		const Patience::Verdict verdict = patience.failed(each, 1, 0);
		EXPECT_TRUE(verdict.blames);
		EXPECT_EQ(verdict.delay, 4);
	}
}

TEST(Cache, KeepsWhatWasUsedLast)
{
	const std::vector<float> a(100, 1.0F);
	const std::vector<float> b(100, 2.0F);
	Cache cache(1500);
	cache.put("a", a);
	cache.put("b", b);
	EXPECT_EQ(cache.find("a")[0], 1.0F);
	cache.put("c", a);
	EXPECT_TRUE(cache.find("b").empty());
	EXPECT_EQ(cache.find("a").size(), 100u);
	cache.put("a", b);
	EXPECT_EQ(cache.find("a")[0], 2.0F);
	EXPECT_EQ(cache.size(), 2u);
	cache.put("huge", std::vector<float>(1000));
	EXPECT_EQ(cache.size(), 0u);
	cache.put("a", a);
	cache.clear();
	EXPECT_TRUE(cache.find("a").empty());
}

}  // namespace

}  // namespace vectorizer::remote
