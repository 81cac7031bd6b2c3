// A client of endpoints that speak OpenAI's /v1/embeddings: Ollama, vLLM, TEI, OpenAI and others.
#pragma once

#include "core/remote/answer.hpp"
#include "core/remote/endpoint.hpp"
#include "core/remote/http.hpp"
#include "core/stop.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace vectorizer::remote {

/// A request that has ended, and what came of it.
struct Finished {
	std::uint64_t request = 0;
	Answer answer;
};

/// Asks for embeddings, by several requests at the same time and of several endpoints, over connections that it keeps. It goes on as
/// the event loop of its caller says: begin(); then, while requests are running(), wait until a socket of interests() is ready or
/// timeout_ms() have passed, and advance().
///
/// Starts no thread, and is not to be shared by threads. Each request that has begun ends, within its endpoint's timeout_ms if
/// advance() is called in time, and is handed out once. After an exception the client is as good as before, and no request is lost.
/// REQUIRES: SIGPIPE is ignored (the server does).
class Client {
public:
	/// Throws Errc::kIo where libcurl cannot be set up.
	Client();
	/// Gives all requests up.
	~Client();
	Client(const Client &) = delete;
	Client &operator=(const Client &) = delete;

	/// Begins a request for the embeddings of all texts: see batches.hpp for how many that should be. What texts and endpoint say is
	/// copied. Returns its number: 1, 2 and so on, none of them twice. Whatever the network and the server do is in the answer;
	/// nothing is asked twice: see retry.hpp. No texts: kOk, without a request.
	///
	/// Looking a name up blocks, for connect_timeout_ms at most, unless that was done lately; the clocks of other requests go on
	/// meanwhile. Throws Errc::kCancelled, within 200 ms of `stop`'s saying so then; Errc::kIo where libcurl or a process cannot be
	/// set up; nothing has begun, then. REQUIRES: check_endpoint() has nothing to say; the texts are UTF-8.
	std::uint64_t begin(const Endpoint &endpoint, std::span<const std::string_view> texts, Stop stop);

	/// Goes on with all that is ready, if anything is, without waiting. Returns the requests that have ended, in order of their
	/// numbers. Throws Errc::kCancelled where `stop` says so while answers are read, Errc::kIo where libcurl does not go on; what has
	/// ended is then returned by a later call.
	std::vector<Finished> advance(Stop stop);

	/// Milliseconds until advance() has to be called though no socket is ready; 0: now; -1: nothing is running.
	int timeout_ms() const;

	/// The sockets to wait for, each once. Good until the next call of begin(), advance() or give_up(), and so are the sockets: a
	/// number that was there before may be another socket now.
	const std::vector<Interest> &interests() const;

	/// Gives a request up: its connection is closed, and it is not handed out. Numbers of no request are ignored.
	void give_up(std::uint64_t request) noexcept;

	/// The requests that have begun, and have neither been handed out nor given up.
	std::size_t running() const;

private:
	struct State;
	std::unique_ptr<State> state_;
};

}  // namespace vectorizer::remote
