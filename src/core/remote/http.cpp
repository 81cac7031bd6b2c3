#include "core/remote/http.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <optional>

#include <curl/curl.h>
#include <sys/socket.h>

namespace vectorizer::remote {

namespace {

constexpr int kSliceMs = 50;                              // between looks at `stop`
constexpr std::size_t kMostErrorBytes = std::size_t{64} << 10;  // of the body of an answer that is not a success
constexpr long kMostConnections = 4;                      // kept for the next exchange

[[noreturn]] void fail(const char *what)
{
	throw Error(Errc::kIo, std::string("libcurl could not be set up: ") + what);
}

/// Once a process. libcurl would write the secrets of its sessions to a file that this variable names, and looks here alone.
bool start_curl()
{
	constexpr const char *kKeyLog = "SSLKEYLOGFILE";
	std::optional<std::string> log;
	if (const char *value = std::getenv(kKeyLog)) {
		log = value;
		unsetenv(kKeyLog);
	}
	const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (log)
		setenv(kKeyLog, log->c_str(), 1);
	return started;
}

template <typename Value>
void set(CURL *easy, CURLoption option, Value value)
{
	if (curl_easy_setopt(easy, option, value) != CURLE_OK)
		fail("an option is not known");
}

/// No program that this process starts is to have the connection.
curl_socket_t open_socket(void *, curlsocktype, curl_sockaddr *address)
{
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

struct Receiving {
	CURL *easy;
	Reply *reply;
	std::size_t most;
	bool full = false;
	bool starved = false;  // no memory: said once libcurl has been left, through which nothing may be thrown
};

std::size_t receive(char *bytes, std::size_t, std::size_t count, void *context) noexcept
{
	auto *receiving = static_cast<Receiving *>(context);
	long status = 0;
	curl_easy_getinfo(receiving->easy, CURLINFO_RESPONSE_CODE, &status);
	std::string &body = receiving->reply->body;
	const std::size_t most = status >= 200 && status < 300 ? receiving->most : std::min(receiving->most, kMostErrorBytes);
	if (count > most - body.size()) {
		receiving->full = true;
		return 0;  // not what came in: libcurl ends the exchange
	}
	try {
		body.append(bytes, count);
	}
	catch (...) {
		receiving->starved = true;
		return 0;
	}
	return count;
}

class Headers {
public:
	Headers() = default;
	Headers(const Headers &) = delete;
	Headers &operator=(const Headers &) = delete;
	~Headers() { curl_slist_free_all(list_); }

	void add(const std::string &line)
	{
		curl_slist *longer = curl_slist_append(list_, line.c_str());
		if (!longer)
			throw std::bad_alloc();
		list_ = longer;
	}
	curl_slist *get() const { return list_; }

private:
	curl_slist *list_ = nullptr;
};

/// The exchange is part of `multi` while this lives; what ends early closes the connection.
class Running {
public:
	Running(CURLM *multi, CURL *easy) : multi_(multi), easy_(easy)
	{
		if (curl_multi_add_handle(multi_, easy_) != CURLM_OK)
			fail("no exchange can be begun");
	}
	Running(const Running &) = delete;
	Running &operator=(const Running &) = delete;
	~Running() { curl_multi_remove_handle(multi_, easy_); }

	CURLcode wait(Stop stop)
	{
		for (;;) {
			int running = 0;
			if (stop())
				throw Error(Errc::kCancelled, "waiting for embeddings was canceled");
			if (curl_multi_perform(multi_, &running) != CURLM_OK)
				fail("an exchange cannot go on");
			int left = 0;
			while (const CURLMsg *message = curl_multi_info_read(multi_, &left)) {
				if (message->msg == CURLMSG_DONE)
					return message->data.result;
			}
			if (running == 0)
				fail("an exchange has got lost");
			if (curl_multi_poll(multi_, nullptr, 0, kSliceMs, nullptr) != CURLM_OK)
				fail("an exchange cannot be waited for");
		}
	}

private:
	CURLM *multi_;
	CURL *easy_;
};

std::string header(CURL *easy, const char *name)
{
	curl_header *found = nullptr;
	return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK ? found->value : "";
}

Reply::Transport transport_of(CURLcode code, bool full)
{
	switch (code) {
		case CURLE_OK: return Reply::Transport::kDone;
		case CURLE_WRITE_ERROR: return full ? Reply::Transport::kTooLarge : Reply::Transport::kFailed;
		case CURLE_UNSUPPORTED_PROTOCOL:
		case CURLE_WEIRD_SERVER_REPLY: return Reply::Transport::kNotHttp;
		default: return Reply::Transport::kFailed;
	}
}

}  // namespace

struct Http::Handles {
	CURLM *multi = curl_multi_init();
	CURL *easy = curl_easy_init();

	Handles() = default;
	Handles(const Handles &) = delete;
	Handles &operator=(const Handles &) = delete;
	~Handles()
	{
		curl_easy_cleanup(easy);
		curl_multi_cleanup(multi);
	}
};

Http::Http()
{
	static const bool started = start_curl();
	if (!started)
		fail("it does not start");
	handles_ = std::make_unique<Handles>();
	if (!handles_->multi || !handles_->easy)
		fail("there is no handle");
	curl_multi_setopt(handles_->multi, CURLMOPT_MAXCONNECTS, kMostConnections);
}

Http::~Http() = default;

Reply Http::post(const Post &request, Stop stop)
{
	CURL *easy = handles_->easy;
	Reply reply;
	Receiving receiving{easy, &reply, request.max_response_bytes};
	std::array<char, CURL_ERROR_SIZE> error{};
	Headers headers;
	Headers resolved;
	headers.add("Content-Type: application/json");
	headers.add("Accept: application/json");
	headers.add("Expect:");  // without it, a long body waits a second for a 100 that few servers send
	if (!request.key.empty())
		headers.add("Authorization: Bearer " + request.key);

	curl_easy_reset(easy);
	set(easy, CURLOPT_URL, request.url.c_str());
	set(easy, CURLOPT_POST, 1L);
	set(easy, CURLOPT_POSTFIELDS, request.body.data());
	set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
	set(easy, CURLOPT_HTTPHEADER, headers.get());
	set(easy, CURLOPT_USERAGENT, "vectorizer");
	set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
	set(easy, CURLOPT_WRITEFUNCTION, receive);
	set(easy, CURLOPT_WRITEDATA, &receiving);
	set(easy, CURLOPT_ERRORBUFFER, error.data());
	set(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);

	set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	set(easy, CURLOPT_FOLLOWLOCATION, 0L);
	set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
	set(easy, CURLOPT_PROXY, "");  // none, and no look at the environment for one

	// Signals are the server's. Nor is one needed for time-outs: names are found already.
	set(easy, CURLOPT_NOSIGNAL, 1L);
	if (!request.resolved.empty()) {
		resolved.add(request.resolved);
		set(easy, CURLOPT_RESOLVE, resolved.get());
	}
	set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout_ms));
	set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));

	Running running(handles_->multi, easy);
	const CURLcode code = running.wait(stop);
	if (receiving.starved)
		throw std::bad_alloc();
	long status = 0;
	double connected = 0;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME, &connected);
	reply.status = static_cast<int>(status);
	reply.connected = connected > 0;
	reply.transport = transport_of(code, receiving.full);
	reply.retry_after = header(easy, "Retry-After");
	reply.location = header(easy, "Location");
	if (code != CURLE_OK)
		reply.error = error[0] ? error.data() : curl_easy_strerror(code);
	return reply;
}

}  // namespace vectorizer::remote
