#include "core/remote/http.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <map>
#include <new>
#include <utility>

#include <curl/curl.h>
#include <poll.h>
#include <sys/socket.h>

namespace vectorizer::remote {

namespace {

constexpr std::size_t kMostErrorBytes = std::size_t{64} << 10;  // of the body of an answer that is not a success
constexpr long kMostConnections = 16;                           // in use or kept for the next exchange: past it, none is kept
constexpr std::size_t kMostSockets = 5;                         // of one exchange, while addresses are tried: as libcurl has it
constexpr int kNoTimeMs = 1000;                                 // to wait where libcurl names no time: it wants no more than seconds

[[noreturn]] void fail(const char *what)
{
	throw Error(Errc::kIo, std::string("libcurl does not work: ") + what);
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

struct EasyCleanup {
	void operator()(CURL *easy) const { curl_easy_cleanup(easy); }
};

struct MultiCleanup {
	void operator()(CURLM *multi) const { curl_multi_cleanup(multi); }
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

/// One exchange. It is part of `multi` while this lives; one that has not ended by then closes its connection.
class Exchange {
public:
	Exchange(CURLM *multi, Post post) : multi_(multi), post_(std::move(post)), easy_(curl_easy_init())
	{
		if (!easy_)
			fail("there is no handle");
		set_up();
		if (curl_multi_add_handle(multi_, easy_.get()) != CURLM_OK)
			fail("no exchange can be begun");
	}
	Exchange(const Exchange &) = delete;
	Exchange &operator=(const Exchange &) = delete;
	~Exchange() { curl_multi_remove_handle(multi_, easy_.get()); }

	static void end(CURL *easy, CURLcode code) noexcept
	{
		char *exchange = nullptr;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
		reinterpret_cast<Exchange *>(exchange)->code_ = code;
	}

	bool ended() const { return code_.has_value(); }

	/// REQUIRES: ended(). To be called once.
	Reply reply()
	{
		CURL *easy = easy_.get();
		Reply reply;
		long status = 0;
		double connected = 0;
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME, &connected);
		reply.status = static_cast<int>(status);
		reply.connected = connected > 0;
		reply.transport = transport_of(*code_, full_);
		reply.retry_after = header(easy, "Retry-After");
		reply.location = header(easy, "Location");
		if (starved_)
			reply.error = "there is not enough memory for the answer";
		else if (*code_ != CURLE_OK)
			reply.error = error_[0] ? error_.data() : curl_easy_strerror(*code_);
		reply.body = std::move(body_);
		return reply;
	}

private:
	void set_up()
	{
		CURL *easy = easy_.get();
		headers_.add("Content-Type: application/json");
		headers_.add("Accept: application/json");
		headers_.add("Expect:");  // without it, a long body waits a second for a 100 that few servers send
		if (!post_.key.empty())
			headers_.add("Authorization: Bearer " + post_.key);

		set(easy, CURLOPT_PRIVATE, static_cast<void *>(this));
		set(easy, CURLOPT_URL, post_.url.c_str());
		set(easy, CURLOPT_POST, 1L);
		set(easy, CURLOPT_POSTFIELDS, post_.body.data());
		set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post_.body.size()));
		set(easy, CURLOPT_HTTPHEADER, headers_.get());
		set(easy, CURLOPT_USERAGENT, "vectorizer");
		set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
		set(easy, CURLOPT_WRITEFUNCTION, receive);
		set(easy, CURLOPT_WRITEDATA, static_cast<void *>(this));
		set(easy, CURLOPT_ERRORBUFFER, error_.data());
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
		if (!post_.resolved.empty()) {
			resolved_.add(post_.resolved);
			set(easy, CURLOPT_RESOLVE, resolved_.get());
		}
		set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(post_.connect_timeout_ms));
		set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(post_.timeout_ms));
	}

	static std::size_t receive(char *bytes, std::size_t, std::size_t count, void *context) noexcept
	{
		auto *self = static_cast<Exchange *>(context);
		long status = 0;
		curl_easy_getinfo(self->easy_.get(), CURLINFO_RESPONSE_CODE, &status);
		const std::size_t whole = self->post_.max_response_bytes;
		const std::size_t most = status >= 200 && status < 300 ? whole : std::min(whole, kMostErrorBytes);
		if (count > most - self->body_.size()) {
			self->full_ = true;
			return 0;  // not what came in: libcurl ends the exchange
		}
		try {
			self->body_.append(bytes, count);
		}
		catch (...) {
			self->starved_ = true;
			std::string().swap(self->body_);
			return 0;
		}
		return count;
	}

	CURLM *multi_;
	const Post post_;
	Headers headers_;
	Headers resolved_;
	std::array<char, CURL_ERROR_SIZE> error_{};
	std::string body_;
	bool full_ = false;
	bool starved_ = false;  // no memory: nothing may be thrown through libcurl
	std::optional<CURLcode> code_;
	std::unique_ptr<CURL, EasyCleanup> easy_;  // last, to go first: libcurl copies neither the body of the request nor its lists
};

}  // namespace

struct Http::State {
	std::vector<Interest> interests;
	std::vector<pollfd> polled;
	std::unique_ptr<CURLM, MultiCleanup> multi{curl_multi_init()};
	std::map<std::uint64_t, Exchange> exchanges;  // after `multi`, to go before it

	/// libcurl's word on a socket: what to wait for.
	static int watch(CURL *, curl_socket_t fd, int what, void *context, void *) noexcept
	{
		auto *self = static_cast<State *>(context);
		std::vector<Interest> &interests = self->interests;
		const auto known = std::find_if(interests.begin(), interests.end(), [&](const Interest &each) { return each.fd == fd; });
		const bool wanted = (what & CURL_POLL_INOUT) != 0;
		const Interest now{fd, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0};
		if (known != interests.end() && wanted)
			*known = now;
		else if (known != interests.end())
			interests.erase(known);
		else if (wanted && interests.size() < interests.capacity())
			interests.push_back(now);  // there is room, as begin() has made it: nothing may be thrown here
		return 0;
	}

	/// What is ready now, in `polled`. Nothing where poll() is interrupted: there will be another time.
	void look()
	{
		polled.clear();
		for (const Interest &each : interests)
			polled.push_back({each.fd, static_cast<short>((each.read ? POLLIN : 0) | (each.write ? POLLOUT : 0)), 0});
		if (poll(polled.data(), polled.size(), 0) < 0)
			polled.clear();
	}
};

Http::Http()
{
	static const bool started = start_curl();
	if (!started)
		fail("it does not start");
	state_ = std::make_unique<State>();
	CURLM *multi = state_->multi.get();
	if (!multi)
		fail("there is no handle");
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kMostConnections);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, State::watch);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, state_.get());
}

Http::~Http() = default;

void Http::begin(std::uint64_t number, Post post)
{
	const std::size_t sockets = (state_->exchanges.size() + 1) * kMostSockets;
	state_->interests.reserve(sockets);
	state_->polled.reserve(sockets);
	state_->exchanges.try_emplace(number, state_->multi.get(), std::move(post));
}

void Http::advance()
{
	CURLM *multi = state_->multi.get();
	CURLMcode worst = CURLM_OK;
	const auto act = [&](curl_socket_t fd, int events) {
		int running = 0;
		const CURLMcode code = curl_multi_socket_action(multi, fd, events, &running);
		if (code != CURLM_OK)
			worst = code;
	};
	act(CURL_SOCKET_TIMEOUT, 0);
	state_->look();
	for (const pollfd &each : state_->polled) {
		// What is wrong with a socket shows when it is used; CURL_CSELECT_ERR would end an exchange that may have more to read.
		const int ready = (each.revents & ~(POLLIN | POLLOUT)) != 0 ? each.events : each.events & each.revents;
		if (ready != 0)
			act(each.fd, ((ready & POLLIN) ? CURL_CSELECT_IN : 0) | ((ready & POLLOUT) ? CURL_CSELECT_OUT : 0));
	}
	int left = 0;
	while (const CURLMsg *message = curl_multi_info_read(multi, &left)) {
		if (message->msg == CURLMSG_DONE)
			Exchange::end(message->easy_handle, message->data.result);
	}
	if (worst != CURLM_OK)
		fail(curl_multi_strerror(worst));
}

std::optional<Http::Ended> Http::take()
{
	auto &exchanges = state_->exchanges;
	const auto found = std::find_if(exchanges.begin(), exchanges.end(), [](const auto &each) { return each.second.ended(); });
	if (found == exchanges.end())
		return std::nullopt;
	Ended ended{found->first, found->second.reply()};
	exchanges.erase(found);
	return ended;
}

void Http::give_up(std::uint64_t number) noexcept
{
	state_->exchanges.erase(number);
}

int Http::timeout_ms() const
{
	const auto &exchanges = state_->exchanges;
	if (exchanges.empty())
		return -1;
	if (std::any_of(exchanges.begin(), exchanges.end(), [](const auto &each) { return each.second.ended(); }))
		return 0;
	// CURLMOPT_TIMERFUNCTION says the same, for its callers to remember.
	long ms = -1;
	curl_multi_timeout(state_->multi.get(), &ms);
	return ms < 0 ? kNoTimeMs : static_cast<int>(std::min(ms, long{std::numeric_limits<int>::max()}));
}

const std::vector<Interest> &Http::interests() const
{
	return state_->interests;
}

}  // namespace vectorizer::remote
