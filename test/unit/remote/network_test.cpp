// The client against networks: time, connections, names, certificates, and what it is not to look at.
#include "client_fixture.hpp"

#include "core/error.hpp"
#include "core/remote/http.hpp"
#include "core/workspace/fd.hpp"

#include <array>
#include <thread>

#include <dlfcn.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

using namespace vectorizer;
using namespace vectorizer::remote;

namespace {

int threads_started = 0;

}  // namespace

/// Stands in front of the C library's, for libcurl too: a thread that looks up a name is gone too soon to be seen.
extern "C" __attribute__((visibility("default"))) int pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
	++threads_started;
	static const auto next = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
	return next(thread, attributes, run, argument);
}

namespace {

class RemoteNetwork : public ClientTest {};

}  // namespace

TEST_F(RemoteNetwork, TimeOuts)
{
	Endpoint slow = endpoint("slow/3/ok/8");
	slow.timeout_ms = 300;
	auto start = Clock::now();
	EXPECT_TRUE(said(slow).starts_with("retry 0: "));
	EXPECT_LT(seconds_since(start), 1);
	EXPECT_GT(seconds_since(start), 0.25);

	Endpoint drip = endpoint("drip/0.1/ok/8");
	drip.timeout_ms = 300;
	start = Clock::now();
	EXPECT_TRUE(said(drip).starts_with("retry ")) << "bytes that come do not prolong it";
	EXPECT_LT(seconds_since(start), 1);

	EXPECT_EQ(said("slow/0.2/ok/8"), "ok 200");
}

TEST_F(RemoteNetwork, NoConnection)
{
	Endpoint closed = endpoint("ok/8");
	closed.url = "http://127.0.0.1:1/v1/embeddings";
	const auto start = Clock::now();
	EXPECT_TRUE(said(closed).starts_with("retry 0: "));
	EXPECT_LT(seconds_since(start), 0.5);
	closed.url = "http://[::1]:1/v1/embeddings";
	EXPECT_TRUE(said(closed).starts_with("retry 0: "));
}

TEST_F(RemoteNetwork, AConnectionThatIsNotAccepted)
{
	// The kernel lets one more wait than it is told and drops what the others send.
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t size = sizeof address;
	auto *any = reinterpret_cast<sockaddr *>(&address);
	const workspace::Fd busy(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	ASSERT_EQ(bind(busy.get(), any, size), 0);
	ASSERT_EQ(listen(busy.get(), 0), 0);
	ASSERT_EQ(getsockname(busy.get(), any, &size), 0);
	std::vector<workspace::Fd> waiting;
	for (int i = 0; i < 3; ++i) {
		waiting.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
		connect(waiting.back().get(), any, size);
	}
	Endpoint full = endpoint("ok/8");
	full.url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/v1/embeddings";
	full.connect_timeout_ms = 300;
	const auto start = Clock::now();
	EXPECT_TRUE(said(full).starts_with("retry 0: "));
	EXPECT_GT(seconds_since(start), 0.25);
	EXPECT_LT(seconds_since(start), 1);
}

TEST_F(RemoteNetwork, DownAndBack)
{
	const Endpoint here = endpoint("ok/8");
	EXPECT_EQ(said(here), "ok 200");
	server_->control("down");
	EXPECT_TRUE(said(here).starts_with("retry 0: "));
	EXPECT_TRUE(said(here).starts_with("retry 0: "));
	server_->control("status/503");
	EXPECT_EQ(said(here), "retry 503: HTTP 503: as asked");
	server_->control("ok");
	EXPECT_EQ(said(here), "ok 200");
}

TEST_F(RemoteNetwork, ConnectionsAreKept)
{
	for (const char *faults : {"ok/8", "status/503", "half/8", "ok/8"})
		ask(endpoint(faults));
	const auto requests = server_->requests();
	ASSERT_EQ(requests.size(), 4u);
	for (const auto &request : requests)
		EXPECT_EQ(request["process"], requests[0]["process"]);

	const std::vector<int> kept = connections(*server_);
	EXPECT_EQ(kept.size(), 1u);
	for (const int fd : kept)
		EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC) << "other programs would inherit it";
}

TEST_F(RemoteNetwork, NoOtherSchemes)
{
	// check_endpoint() refuses them before; this is the second lock.
	Http http;
	std::uint64_t number = 0;
	for (const char *url : {"file:///etc/passwd", "ftp://127.0.0.1:1/", "dict://127.0.0.1:1/"}) {
		http.begin(++number, {url, {}, {}, "{}", 1000, 1000, 1024});
		http.advance();
		const std::optional<Http::Ended> ended = http.take();
		ASSERT_TRUE(ended) << url;
		const Reply &reply = ended->reply;
		EXPECT_EQ(ended->number, number);
		EXPECT_EQ(reply.transport, Reply::Transport::kNotHttp) << url;
		EXPECT_EQ(reply.body, "") << url;
	}
}

TEST_F(RemoteNetwork, IsStopped)
{
	for (const char *faults : {"slow/3/ok/8", "drip/0.05/ok/8"}) {
		auto end = Clock::now() + std::chrono::milliseconds(400);
		const Stop stop{[](void *at) { return Clock::now() >= *static_cast<Clock::time_point *>(at); }, &end};
		try {
			embed(client_, endpoint(faults), kTexts, stop);
			ADD_FAILURE() << faults;
		}
		catch (const Error &error) {
			EXPECT_EQ(error.code(), Errc::kCancelled);
		}
		EXPECT_LT(seconds_since(end), 0.2) << faults;
	}
	EXPECT_EQ(said("ok/8"), "ok 200") << "the client is good for the next";
}

TEST_F(RemoteNetwork, NamesAreLookedUpWithoutAThread)
{
	Endpoint named = endpoint("ok/8");
	named.url = server_->url("ok/8", "localhost");
	EXPECT_EQ(said(named), "ok 200");
	EXPECT_EQ(server_->requests().at(0)["headers"]["host"], "localhost:" + server_->port());

	// libcurl knows "localhost" by itself. The name of this machine it would look up.
	std::array<char, 256> machine{};
	ASSERT_EQ(gethostname(machine.data(), machine.size() - 1), 0);
	const int before = threads_started;
	named.connect_timeout_ms = 1000;
	const std::vector<std::string> hosts{"nobody.invalid", "LocalHost", "sub.localhost", "ip6-localhost", machine.data()};
	for (const std::string &host : hosts) {
		named.url = server_->url("ok/8", host);
		const Answer answer = ask(named);
		if (host == "nobody.invalid") {
			EXPECT_EQ(answer.outcome, Outcome::kRetry);
			EXPECT_TRUE(answer.reason.starts_with("could not look up nobody.invalid")) << answer.reason;
		}
	}
	EXPECT_EQ(threads_started, before);
	std::thread([] {}).join();
	EXPECT_EQ(threads_started, before + 1) << "a thread would be seen";
}

TEST_F(RemoteNetwork, TheEnvironmentDoesNotMatter)
{
	const char *kProxies[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
	for (const char *name : kProxies)
		setenv(name, "http://127.0.0.1:1", 1);
	const std::string home = std::filesystem::temp_directory_path() / "embeddings-home";
	std::filesystem::create_directories(home);
	std::ofstream(home + "/.netrc") << "machine 127.0.0.1 login me password hush\n";
	const char *old = std::getenv("HOME");
	const std::string before = old ? old : "";
	setenv("HOME", home.c_str(), 1);
	Client fresh;
	EXPECT_EQ(embed(fresh, endpoint("ok/8"), kTexts, {}).outcome, Outcome::kOk);
	for (const char *name : kProxies)
		unsetenv(name);
	setenv("HOME", before.c_str(), 1);
	std::filesystem::remove_all(home);
	const auto requests = server_->requests();
	ASSERT_EQ(requests.size(), 1u);
	EXPECT_FALSE(requests[0]["headers"].contains("authorization"));
}

TEST_F(RemoteNetwork, SessionKeysAreNotLogged)
{
	// libcurl opens the file when it starts, which it has done here: in a process of its own, then.
	const std::string log = std::filesystem::temp_directory_path() / ("embeddings-keys-" + std::to_string(getpid()));
	setenv("SSLKEYLOGFILE", log.c_str(), 1);
	const std::vector<std::string> again{"/proc/self/exe", "--gtest_filter=RemoteClient.Embeddings"};
	const std::string said_there = Spawned(again, true).rest();
	unsetenv("SSLKEYLOGFILE");
	EXPECT_NE(said_there.find("[  PASSED  ] 1 test"), std::string::npos) << said_there;
	EXPECT_FALSE(std::filesystem::exists(log));
	std::filesystem::remove(log);
}

TEST_F(RemoteNetwork, CertificatesAreVerified)
{
	Endpoint secure = endpoint("ok/8");
	secure.url.replace(0, 4, "https");
	secure.timeout_ms = 300;
	EXPECT_TRUE(said(secure).starts_with("retry 0: ")) << "no TLS there";

	if (!std::filesystem::exists("/usr/bin/openssl"))
		GTEST_SKIP() << "without openssl there is no server of TLS";
	const std::string folder = std::filesystem::temp_directory_path() / ("embeddings-tls-" + std::to_string(getpid()));
	std::filesystem::create_directories(folder);
	const std::string key = folder + "/key.pem";
	const std::string certificate = folder + "/certificate.pem";
	const std::string openssl = "/usr/bin/openssl";
	const std::vector<std::string> make{openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
		"-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate};
	Spawned(make, true).rest();
	const Spawned tls({openssl, "s_server", "-accept", "127.0.0.1:0", "-www", "-key", key, "-cert", certificate}, true);
	std::string line;
	for (int i = 0; i < 10 && !line.starts_with("ACCEPT "); ++i)
		line = tls.line();
	const std::size_t colon = line.rfind(':');
	ASSERT_NE(colon, std::string::npos) << line;
	secure.url = "https://127.0.0.1:" + line.substr(colon + 1) + "/v1/embeddings";
	secure.timeout_ms = 5000;
	const Answer answer = ask(secure);
	std::filesystem::remove_all(folder);
	EXPECT_EQ(answer.outcome, Outcome::kRetry);
	EXPECT_EQ(answer.status, 0);
	EXPECT_NE(answer.reason.find("certificate"), std::string::npos) << answer.reason;
}
