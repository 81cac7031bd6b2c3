// One HTTP exchange: a POST of JSON and what comes back. All that there is of libcurl, but for reading URLs and dates.
#pragma once

#include "core/stop.hpp"

#include <cstddef>
#include <memory>
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
		kFailed,    // no connection, no trust in the certificate, no answer in time, or an answer cut short
	};
	Transport transport = Transport::kFailed;
	bool connected = false;
	int status = 0;           // 0: none came
	std::string body;         // of an answer that is not a success: 64 KiB at most
	std::string retry_after;  // headers as they came
	std::string location;
	std::string error;        // where not kDone: what libcurl says
};

/// Keeps its connections from one exchange to the next. HTTP/1.1, http and https only, certificates verified, no redirects, no
/// cookies, no compression; no proxy, netrc or other setting from the environment. Starts no thread: it never looks a name up.
/// Not to be shared by threads. REQUIRES: SIGPIPE is ignored, as the server does: OpenSSL writes to a socket as to a file.
class Http {
public:
	/// Throws Errc::kIo where libcurl cannot be set up.
	Http();
	~Http();
	Http(const Http &) = delete;
	Http &operator=(const Http &) = delete;

	/// `stop` is asked every 50 ms. Throws Errc::kCancelled (the connection is closed), Errc::kIo.
	Reply post(const Post &request, Stop stop);

private:
	struct Handles;
	std::unique_ptr<Handles> handles_;
};

}  // namespace vectorizer::remote
