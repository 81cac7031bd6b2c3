// Several requests of one client at the same time, and what it promises the event loop of its caller.
#include "client_fixture.hpp"

#include <map>
#include <set>

#include <sys/resource.h>

using namespace vectorizer;
using namespace vectorizer::remote;

namespace {

using Numbers = std::vector<std::uint64_t>;

class RemoteConcurrent : public ClientTest {
protected:
	std::uint64_t begin(const std::string &faults) { return client_.begin(endpoint(faults), kTexts, {}); }

	/// What has ended once `enough` requests have or none runs, in the order in which it did. Counts calls of advance().
	std::vector<Finished> finish(std::size_t enough = 1000)
	{
		std::vector<Finished> all;
		const auto start = Clock::now();
		while (client_.running() > 0 && all.size() < enough) {
			if (seconds_since(start) > 20) {
				ADD_FAILURE() << client_.running() << " requests do not end";
				break;
			}
			for (Finished &each : client_.advance({}))
				all.push_back(std::move(each));
			++turns_;
			if (all.size() < enough)
				wait_for(client_, 10'000);
		}
		return all;
	}

	/// Goes on for a while, in which nothing is to end.
	void go_on(double seconds)
	{
		for (const auto start = Clock::now(); seconds_since(start) < seconds;) {
			EXPECT_TRUE(client_.advance({}).empty());
			wait_for(client_, 20);
		}
	}

	/// Until the server has begun with that many requests, nothing being asked of it before.
	void until_asked(std::size_t requests)
	{
		std::size_t seen = 0;
		for (const auto start = Clock::now(); seen < requests && seconds_since(start) < 5; seen += server_->requests().size())
			go_on(0.02);
		ASSERT_EQ(seen, requests);
	}

	static Numbers numbers(const std::vector<Finished> &finished)
	{
		Numbers result;
		for (const Finished &each : finished)
			result.push_back(each.request);
		return result;
	}

	static std::string said(const Finished &finished)
	{
		const Answer &answer = finished.answer;
		return std::string(outcome_name(answer.outcome)) + " " + std::to_string(answer.status) +
			(answer.reason.empty() ? "" : ": " + answer.reason);
	}

	int turns_ = 0;
};

bool always(void *)
{
	return true;
}

/// No more than that much memory from here on, while this lives.
class Scarce {
public:
	explicit Scarce(std::size_t bytes)
	{
		std::size_t pages = 0;
		std::ifstream("/proc/self/statm") >> pages;
		getrlimit(RLIMIT_AS, &before_);
		rlimit limit = before_;
		limit.rlim_cur = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + bytes;
		setrlimit(RLIMIT_AS, &limit);
	}
	Scarce(const Scarce &) = delete;
	Scarce &operator=(const Scarce &) = delete;
	~Scarce() { setrlimit(RLIMIT_AS, &before_); }

private:
	rlimit before_{};
};

}  // namespace

TEST_F(RemoteConcurrent, EndInTheOrderOfTheirSpeed)
{
	const auto start = Clock::now();
	const Numbers begun{begin("slow/1.5/ok/8"), begin("slow/1/ok/8"), begin("slow/0.5/status/503"), begin("ok/8")};
	EXPECT_EQ(begun, (Numbers{1, 2, 3, 4}));
	EXPECT_EQ(client_.running(), 4u);
	const std::vector<Finished> finished = finish();
	EXPECT_LT(seconds_since(start), 2.5) << "the slowest takes 1.5 s, one after the other they would take 3 s";
	ASSERT_EQ(numbers(finished), (Numbers{4, 3, 2, 1}));
	EXPECT_EQ(said(finished[1]), "retry 503: HTTP 503: as asked");
	const Answer wanted = ask(endpoint("ok/8"));
	for (const std::size_t i : {0, 2, 3}) {
		EXPECT_EQ(finished[i].answer.outcome, Outcome::kOk);
		EXPECT_EQ(finished[i].answer.values, wanted.values);
	}
}

TEST_F(RemoteConcurrent, EachHasTheAnswerToItsOwnTexts)
{
	std::map<std::uint64_t, std::string> asked;
	for (int i = 0; i < 12; ++i) {
		// All that a request needs is gone when it runs.
		std::string text = "text " + std::to_string(i) + std::string(static_cast<std::size_t>(i) * 20'000, 'x');
		Endpoint of = endpoint(i % 2 ? "slow/0.2/ok/8" : "ok/8");
		of.prefix = "query: ";
		asked[client_.begin(of, Texts{text}, {})] = text;
		text.assign(text.size(), '?');
		of = {};
	}
	const std::vector<Finished> finished = finish();
	ASSERT_EQ(finished.size(), 12u);
	for (const Finished &each : finished) {
		ASSERT_EQ(said(each), "ok 200");
		EXPECT_EQ(each.answer.values, ask(endpoint("ok/8"), {"query: " + asked.at(each.request)}).values) << each.request;
	}
}

TEST_F(RemoteConcurrent, NothingToDo)
{
	EXPECT_EQ(client_.timeout_ms(), -1);
	EXPECT_TRUE(client_.interests().empty());
	EXPECT_EQ(client_.running(), 0u);
	EXPECT_TRUE(client_.advance({}).empty());
	begin("ok/8");
	EXPECT_EQ(client_.timeout_ms(), 0) << "it is for advance() to connect";
	EXPECT_EQ(finish().size(), 1u);
	EXPECT_EQ(client_.timeout_ms(), -1);
	EXPECT_TRUE(client_.interests().empty()) << "a connection that is kept is nothing to wait for";
}

TEST_F(RemoteConcurrent, WaitingIsWaiting)
{
	begin("slow/1/ok/8");
	begin("slow/0.9/ok/8");
	until_asked(2);
	ASSERT_GE(client_.interests().size(), 2u) << "a newer libcurl (8.23) watches a socket of its own, too";
	ASSERT_LE(client_.interests().size(), 3u);
	for (const Interest &each : client_.interests()) {
		EXPECT_TRUE(each.read);
		EXPECT_FALSE(each.write) << "it could be written to all the time";
	}
	EXPECT_GT(client_.timeout_ms(), 0);
	EXPECT_LE(client_.timeout_ms(), 5000);
	turns_ = 0;
	EXPECT_EQ(finish().size(), 2u);
	EXPECT_LT(turns_, 50);
}

TEST_F(RemoteConcurrent, AdvanceMayBeCalledAtAnyTime)
{
	begin("slow/0.3/ok/8");
	begin("drip/0.0005/ok/8");
	std::vector<Finished> finished;
	int calls = 0;
	for (const auto start = Clock::now(); client_.running() > 0 && seconds_since(start) < 10; ++calls) {
		for (Finished &each : client_.advance({}))
			finished.push_back(std::move(each));
	}
	ASSERT_EQ(finished.size(), 2u);
	EXPECT_EQ(said(finished[0]), "ok 200");
	EXPECT_EQ(said(finished[1]), "ok 200");
	EXPECT_GT(calls, 100) << "none of them waits";
}

TEST_F(RemoteConcurrent, GivenUp)
{
	const std::uint64_t hanging = begin("slow/30/ok/8");
	const std::uint64_t other = begin("slow/1.2/ok/8");
	const std::uint64_t fresh = begin("slow/0.8/ok/8");
	until_asked(3);
	ASSERT_EQ(connections(*server_).size(), 3u);
	const std::size_t watched = client_.interests().size();
	client_.give_up(hanging);
	EXPECT_EQ(client_.running(), 2u);
	EXPECT_EQ(client_.interests().size(), watched - 1);
	EXPECT_EQ(connections(*server_).size(), 2u) << "its answer would be taken for that of the next";
	EXPECT_EQ(numbers(finish()), (Numbers{fresh, other}));
	for (const std::uint64_t number : {hanging, other, std::uint64_t{0}, std::uint64_t{99}})
		client_.give_up(number);

	const std::uint64_t unborn = begin("ok/8");
	client_.give_up(unborn);
	const std::uint64_t without_texts = client_.begin(endpoint("ok/8"), {}, {});
	client_.give_up(without_texts);
	EXPECT_EQ(client_.running(), 0u);
	EXPECT_TRUE(client_.advance({}).empty());
	EXPECT_EQ(client_.timeout_ms(), -1);
	EXPECT_EQ(ClientTest::said("ok/8"), "ok 200");
}

TEST_F(RemoteConcurrent, OneThatIsDownBesideAHealthyOne)
{
	const Server other;
	ASSERT_FALSE(other.port().empty());
	Endpoint there = endpoint("slow/30/ok/8");
	there.url = other.url("slow/30/ok/8");
	const std::uint64_t asleep = client_.begin(there, kTexts, {});
	const std::uint64_t here = begin("slow/1/ok/8");
	until_asked(1);
	other.control("down");
	there.url = other.url("ok/8");
	const std::uint64_t refused = client_.begin(there, kTexts, {});
	const std::vector<Finished> finished = finish(2);
	ASSERT_EQ(numbers(finished), (Numbers{refused, here}));
	EXPECT_TRUE(said(finished[0]).starts_with("retry 0: ")) << said(finished[0]);
	EXPECT_EQ(said(finished[1]), "ok 200");
	client_.give_up(asleep);
}

TEST_F(RemoteConcurrent, OneTimesOut)
{
	Endpoint hanging = endpoint("slow/30/ok/8");
	hanging.timeout_ms = 300;
	const std::uint64_t late = client_.begin(hanging, kTexts, {});
	const std::uint64_t good = begin("slow/1/ok/8");
	const auto start = Clock::now();
	std::vector<Finished> finished = finish(1);
	EXPECT_LT(seconds_since(start), 0.9);
	ASSERT_EQ(numbers(finished), (Numbers{late}));
	EXPECT_TRUE(said(finished[0]).starts_with("retry 0: ")) << said(finished[0]);
	finished = finish();
	ASSERT_EQ(numbers(finished), (Numbers{good}));
	EXPECT_EQ(said(finished[0]), "ok 200");
}

TEST_F(RemoteConcurrent, EndsWithRequestsRunning)
{
	{
		Client short_lived;
		for (const char *faults : {"slow/30/ok/8", "drip/0.05/ok/8", "huge/64", "ok/8"})
			short_lived.begin(endpoint(faults), kTexts, {});
		for (const auto start = Clock::now(); seconds_since(start) < 0.3;) {
			short_lived.advance({});
			wait_for(short_lived, 20);
		}
		EXPECT_GE(short_lived.running(), 2u);
		EXPECT_GE(connections(*server_).size(), 2u);
		short_lived.begin(endpoint("ok/8"), kTexts, {});
		short_lived.begin(endpoint("ok/8"), {}, {});
	}
	EXPECT_TRUE(connections(*server_).empty());
}

TEST_F(RemoteConcurrent, ConnectionsAreKept)
{
	std::set<int> first;
	for (int round = 0; round < 3; ++round) {
		for (int i = 0; i < 8; ++i)
			begin("slow/0.2/ok/8");
		EXPECT_EQ(finish().size(), 8u);
		std::set<int> processes;
		for (const auto &request : server_->requests())
			processes.insert(request["process"].get<int>());
		EXPECT_EQ(processes.size(), 8u);
		if (round == 0)
			first = processes;
		EXPECT_EQ(processes, first);
	}
	const std::vector<int> kept = connections(*server_);
	EXPECT_EQ(kept.size(), 8u);
	for (const int fd : kept)
		EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC) << "other programs would inherit it";
}

TEST_F(RemoteConcurrent, ExceptionsLoseNothing)
{
	const std::uint64_t slow = begin("slow/1/ok/8");
	Endpoint named = endpoint("ok/8");
	named.url = server_->url("ok/8", "localhost");
	try {
		client_.begin(named, kTexts, {always, nullptr});
		ADD_FAILURE() << "looking a name up hears no stop";
	}
	catch (const Error &error) {
		EXPECT_EQ(error.code(), Errc::kCancelled);
	}
	EXPECT_EQ(client_.running(), 1u);
	const std::uint64_t other = client_.begin(named, kTexts, {});
	const std::uint64_t none = client_.begin(endpoint("ok/8"), {}, {});
	EXPECT_EQ((std::set{slow, other, none}).size(), 3u);

	// Until an answer has come that a stop keeps from being read.
	bool stopped = false;
	for (const auto start = Clock::now(); !stopped && seconds_since(start) < 5;) {
		wait_for(client_, 100);
		try {
			for (const Finished &each : client_.advance({always, nullptr}))
				EXPECT_EQ(each.request, none) << "nothing else has an answer without reading one";
		}
		catch (const Error &error) {
			EXPECT_EQ(error.code(), Errc::kCancelled);
			stopped = true;
		}
	}
	EXPECT_TRUE(stopped);
	EXPECT_EQ(client_.timeout_ms(), 0) << "what is there is to be had at once";
	const std::vector<Finished> finished = finish();
	ASSERT_EQ(numbers(finished), (Numbers{other, slow}));
	EXPECT_EQ(said(finished[0]), "ok 200");
	EXPECT_EQ(said(finished[1]), "ok 200");
	const std::uint64_t next = begin("ok/8");
	EXPECT_GT(next, none);
	EXPECT_EQ(numbers(finish()), (Numbers{next}));
}

TEST_F(RemoteConcurrent, ANameThatIsNotThereIsAnAnswer)
{
	const std::uint64_t running = begin("slow/0.3/ok/8");
	Endpoint nowhere = endpoint("ok/8");
	nowhere.url = "http://nobody.invalid/v1/embeddings";
	nowhere.connect_timeout_ms = 1000;
	const std::uint64_t lost = client_.begin(nowhere, kTexts, {});
	EXPECT_EQ(client_.timeout_ms(), 0);
	const std::vector<Finished> finished = finish();
	ASSERT_EQ(finished.size(), 2u);
	EXPECT_EQ((std::set{finished[0].request, finished[1].request}), (std::set{running, lost}));
	for (const Finished &each : finished) {
		if (each.request == lost)
			EXPECT_TRUE(said(each).starts_with("retry 0: could not look up nobody.invalid")) << said(each);
		else
			EXPECT_EQ(said(each), "ok 200");
	}
}

TEST_F(RemoteConcurrent, MemoryThatIsNotThereIsAnAnswer)
{
#ifdef __SANITIZE_ADDRESS__
	GTEST_SKIP() << "it ends the program where memory ends";
#endif
	const std::uint64_t long_one = begin("huge/64");
	const Texts many(2000, "a");
	const std::uint64_t wide_one = client_.begin(endpoint("ok/8", 16000), many, {});
	begin("slow/0.3/ok/8");
	std::vector<Finished> finished;
	{
		const Scarce scarce(std::size_t{32} << 20);
		finished = finish();
	}
	ASSERT_EQ(finished.size(), 3u);
	for (const Finished &each : finished) {
		if (each.request == long_one)
			EXPECT_EQ(said(each), "retry 200: there is not enough memory for the answer");
		else if (each.request == wide_one)
			EXPECT_EQ(said(each), "retry 200: there is not enough memory to read the answer");
		else
			EXPECT_EQ(said(each), "ok 200");
	}
}
