// HTTP exchanges, several at a time: a POST of JSON and what comes back. All that there is of libcurl, but for reading URLs and dates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vectorizer::remote {

struct Post {
	std::string url;
	std::string resolved;  // "host:port:address,address" for a host that is a name, empty for an address
	std::string key;       // bearer token, or empty
	std::string body;
	int connect_timeout_ms = 0;
	int timeout_ms = 0;
	std::size_t max_response_bytes = 0;
};

struct Reply {
	enum class Transport {
		kDone,      // a whole answer
		kTooLarge,  // more of it than max_response_bytes: the rest was not read
		kNotHttp,   // something else than HTTP speaks there
		kFailed,    // no connection, no trust in the certificate, no answer in time, an answer cut short, or no memory for it
	};
	Transport transport = Transport::kFailed;
	bool connected = false;
	int status = 0;           // 0: none came
	std::string body;         // of an answer that is not a success: 64 KiB at most
	std::string retry_after;  // headers as they came
	std::string location;
	std::string error;        // where not kDone: what libcurl says
};

/// A socket to wait for, until it can be read from, written to, or either.
struct Interest {
	int fd = -1;
	bool read = false;
	bool write = false;
};

/// Exchanges of one thread, which go on as their caller's event loop says: wait for the sockets of interests(), timeout_ms() at
/// most, and then advance(). No call waits for the network.
///
/// Keeps its connections from one exchange to the next. HTTP/1.1, http and https only, certificates verified, no redirects, no
/// cookies, no compression; no proxy, netrc or other setting from the environment. Starts no thread: it never looks a name up.
/// Not to be shared by threads. REQUIRES: SIGPIPE is ignored, as the server does: OpenSSL writes to a socket as to a file.
class Http {
public:
	/// Throws Errc::kIo where libcurl cannot be set up.
	Http();
	/// Closes all connections, those of exchanges that have not ended, too.
	~Http();
	Http(const Http &) = delete;
	Http &operator=(const Http &) = delete;

	/// Begins an exchange under a number that no other has. Throws Errc::kIo; it has not begun, then.
	void begin(std::uint64_t number, Post post);

	/// Goes on with all that is ready. Throws Errc::kIo where libcurl does not go on; what has ended is there for take() all the same.
	void advance();

	struct Ended {
		std::uint64_t number;
		Reply reply;
	};
	/// An exchange that has ended, which is forgotten with that.
	std::optional<Ended> take();

	/// Forgets an exchange. If it has not ended, its connection is closed. A number that nothing has is nothing to do.
	void give_up(std::uint64_t number) noexcept;

	/// Milliseconds until advance() or take() has something to do though no socket is ready; -1: there is no exchange.
	int timeout_ms() const;

	/// Each socket once. Good until the next call of begin(), advance(), take() or give_up().
	const std::vector<Interest> &interests() const;

private:
	struct State;
	std::unique_ptr<State> state_;
};

}  // namespace vectorizer::remote
