#include "core/remote/endpoint.hpp"

#include "core/error.hpp"
#include "core/text/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <new>
#include <string_view>

#include <arpa/inet.h>
#include <curl/curl.h>

namespace vectorizer::remote {

namespace {

constexpr std::size_t kMostUrlBytes = 4096;
constexpr std::size_t kMostKeyBytes = 8192;
constexpr std::size_t kMostNameBytes = 256;
constexpr std::size_t kMostPrefixBytes = 4096;
constexpr int kMostDimensions = 16000;  // of the server's type

[[noreturn]] void refuse(const std::string &message, const std::string &hint)
{
	throw Error(Errc::kInvalidInput, message, hint);
}

/// Nothing but visible ASCII: no blank, no control character, no byte of another character.
bool visible(std::string_view text)
{
	return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

std::string lower(std::string text)
{
	std::transform(
		text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
	return text;
}

template <typename Number>
void check_range(const char *field, Number value, Number low, Number high, const char *unit)
{
	if (value < low || value > high)
		refuse(std::string(field) + " is out of range",
			"It is between " + std::to_string(low) + " and " + std::to_string(high) + " " + unit + ".");
}

/// Line feeds and tabs are good in a prefix (some models want an instruction on a line of its own) and nowhere else.
void check_text(const char *field, std::string_view text, std::size_t most, bool lines)
{
	if (text.size() > most)
		refuse(std::string(field) + " is too long", "It has at most " + std::to_string(most) + " bytes.");
	const bool control = std::any_of(text.begin(), text.end(), [&](char c) {
		return (static_cast<unsigned char>(c) < ' ' && !(lines && (c == '\n' || c == '\t'))) || c == '\x7F';
	});
	if (control || !txt::is_valid(text))
		refuse(std::string(field) + " is not plain text", "Control characters and broken UTF-8 have no place in it.");
}

bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

Url parsed(const std::string &url)
{
	Url result(curl_url(), curl_url_cleanup);
	if (!result)
		throw std::bad_alloc();
	if (curl_url_set(result.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK)
		refuse("the URL of an endpoint cannot be read", "It is like http://localhost:11434/v1/embeddings.");
	return result;
}

std::string part(const Url &url, CURLUPart which)
{
	char *text = nullptr;
	if (curl_url_get(url.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return {};
	const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
	return text;
}

void check_url(const std::string &url)
{
	if (url.size() > kMostUrlBytes)
		refuse("the URL of an endpoint is too long", "It has at most " + std::to_string(kMostUrlBytes) + " bytes.");
	if (!visible(url) || url.find('\\') != std::string::npos)
		refuse("the URL of an endpoint has characters that no URL has",
			"Blanks and what is not ASCII are written as %20 and so on, a host's name in its xn-- form.");
	// What libcurl would mend (a missing or a third slash), it would mend in its own way.
	const std::size_t colon = url.find("://");
	const std::string scheme = lower(url.substr(0, std::min(colon, url.size())));
	if (colon == std::string::npos || (scheme != "http" && scheme != "https"))
		refuse("the URL of an endpoint is neither http:// nor https://", "It is like http://localhost:11434/v1/embeddings.");
	const std::string authority = url.substr(colon + 3, url.find_first_of("/?#", colon + 3) - (colon + 3));
	if (authority.empty() || authority.front() == ':')
		refuse("the URL of an endpoint has no host", "It is like http://localhost:11434/v1/embeddings.");
	if (authority.find('@') != std::string::npos)
		refuse("the URL of an endpoint holds credentials", "The key of an endpoint is a field of its own.");
	if (url.find('#') != std::string::npos)
		refuse("the URL of an endpoint has a fragment", "Leave out what begins with #: it is never sent.");
	const Url read = parsed(url);
	const std::string host = part(read, CURLUPART_HOST);
	if (host.empty() || part(read, CURLUPART_PORT) == "0")
		refuse("the URL of an endpoint has no host or no port", "It is like http://localhost:11434/v1/embeddings.");
	// The name that is looked up (resolve.hpp) is to be the very one that libcurl looks for: nothing that it would convert.
	if (!host.starts_with('[') && (host.ends_with('.') || !std::all_of(host.begin(), host.end(), in_name)))
		refuse("the host of an endpoint is not a plain name",
			"It is letters, digits, dots and hyphens, or an IPv6 address in brackets, without a dot at the end.");
}

}  // namespace

void check_endpoint(const Endpoint &endpoint)
{
	check_url(endpoint.url);
	if (endpoint.model.empty())
		refuse("the model of an endpoint is missing", "Servers that have one model take any name.");
	check_text("the model of an endpoint", endpoint.model, kMostNameBytes, false);
	check_text("the input type of an endpoint", endpoint.input_type, kMostNameBytes, false);
	check_text("the prefix of an endpoint", endpoint.prefix, kMostPrefixBytes, true);
	// It goes into a header: a line feed in it would begin another one.
	if (endpoint.key.size() > kMostKeyBytes || !visible(endpoint.key))
		refuse("the key of an endpoint is no bearer token",
			"It is at most " + std::to_string(kMostKeyBytes) + " visible ASCII characters, without blanks and line feeds.");

	check_range("the dimension of an endpoint", endpoint.dimension, 1, kMostDimensions, "numbers");
	check_range("the batch of an endpoint", endpoint.max_batch, 1, 2048, "texts");
	check_range("the batch of an endpoint, in bytes,", endpoint.max_batch_bytes, std::size_t{1}, std::size_t{16} << 20, "bytes");
	check_range("the time that an endpoint has to accept a connection", endpoint.connect_timeout_ms, 10, 600'000, "ms");
	check_range("the time that an endpoint has to answer", endpoint.timeout_ms, 10, 3'600'000, "ms");
	check_range(
		"the answer of an endpoint, in bytes,", endpoint.max_response_bytes, std::size_t{1024}, std::size_t{1} << 30, "bytes");
}

Origin origin_of(const std::string &url)
{
	const Url read = parsed(url);
	Origin origin{part(read, CURLUPART_HOST), 0, false};
	const std::string port = part(read, CURLUPART_PORT);
	std::from_chars(port.data(), port.data() + port.size(), origin.port);
	if (origin.host.starts_with('[')) {
		origin.host = origin.host.substr(1, origin.host.size() - 2);
		origin.numeric = true;
		return origin;
	}
	origin.host = lower(std::move(origin.host));
	in_addr address;
	origin.numeric = inet_pton(AF_INET, origin.host.c_str(), &address) == 1;
	return origin;
}

}  // namespace vectorizer::remote
