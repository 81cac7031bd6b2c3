// A client of endpoints that speak OpenAI's /v1/embeddings: Ollama, vLLM, TEI, OpenAI and others.
#pragma once

#include "core/remote/answer.hpp"
#include "core/remote/endpoint.hpp"
#include "core/stop.hpp"

#include <memory>
#include <span>
#include <string_view>

namespace vectorizer::remote {

/// Asks for embeddings, one request at a time, over connections that it keeps; it may ask several endpoints. Starts no thread,
/// and is not to be shared by threads. REQUIRES: SIGPIPE is ignored (the server does).
class Client {
public:
	/// Throws Errc::kIo where libcurl cannot be set up.
	Client();
	~Client();
	Client(const Client &) = delete;
	Client &operator=(const Client &) = delete;

	/// The embeddings of all texts by one request: see batches.hpp for how many texts that should be. Whatever the network and
	/// the server do is in the answer, and within timeout_ms; nothing is asked twice: see retry.hpp. No texts: kOk, without a
	/// request. Throws Errc::kCancelled, within 200 ms of `stop`'s saying so; Errc::kIo where libcurl or a process cannot be set
	/// up. REQUIRES: check_endpoint() has nothing to say; the texts are UTF-8.
	Answer embed(const Endpoint &endpoint, std::span<const std::string_view> texts, Stop stop);

private:
	struct State;
	std::unique_ptr<State> state_;
};

}  // namespace vectorizer::remote
