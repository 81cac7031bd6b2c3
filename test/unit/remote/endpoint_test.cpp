#include "core/remote/endpoint.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <functional>

using namespace vectorizer;
using namespace vectorizer::remote;

namespace {

Endpoint good()
{
	Endpoint endpoint;
	endpoint.url = "http://localhost:11434/v1/embeddings";
	endpoint.model = "nomic-embed-text";
	endpoint.dimension = 768;
	return endpoint;
}

/// What is said of an endpoint that is good but for this; empty: nothing.
std::string refused(const std::function<void(Endpoint &)> &change)
{
	Endpoint endpoint = good();
	change(endpoint);
	try {
		check_endpoint(endpoint);
		return "";
	}
	catch (const Error &error) {
		EXPECT_EQ(error.code(), Errc::kInvalidInput);
		EXPECT_FALSE(error.hint().empty());
		return error.what();
	}
}

std::string of_url(const std::string &url)
{
	return refused([&](Endpoint &endpoint) { endpoint.url = url; });
}

}  // namespace

TEST(RemoteEndpoint, GoodUrls)
{
	for (const char *url : {"http://localhost/v1/embeddings", "https://api.example.com/v1/embeddings", "HTTPS://Api.Example.COM",
			 "http://127.0.0.1:8080/a/b?api-version=2024-02-01&x=%20", "http://[::1]:8080/v1", "http://[fe80::1]/",
			 "http://a_b.c-d/", "http://xn--bcher-kva.example/", "http://127.1/v1", "http://h:65535/", "http://h?a=b@c"})
		EXPECT_EQ(of_url(url), "") << url;
}

TEST(RemoteEndpoint, Urls)
{
	const std::string scheme = "the URL of an endpoint is neither http:// nor https://";
	const std::string characters = "the URL of an endpoint has characters that no URL has";
	const std::string host = "the URL of an endpoint has no host";
	const std::string name = "the host of an endpoint is not a plain name";
	const std::string credentials = "the URL of an endpoint holds credentials";
	const std::string unread = "the URL of an endpoint cannot be read";
	const std::pair<std::string, std::string> kUrls[] = {
		{"", scheme},
		{"localhost:11434/v1/embeddings", scheme},
		{"//host/v1", scheme},
		{"ftp://host/v1", scheme},
		{"file:///etc/passwd", scheme},
		{"httpx://host/", scheme},
		{"http:/host/", scheme},
		{"http://", host},
		{"http:///v1/embeddings", host},
		{"http://:80/", host},
		{"http://?x", host},
		{"http://user@host/", credentials},
		{"http://user:secret@host/", credentials},
		{"http://@host/", credentials},
		{"http://host/v1#part", "the URL of an endpoint has a fragment"},
		{"http://host/v1#", "the URL of an endpoint has a fragment"},
		{"http://host/a b", characters},
		{"http://host/a\nb", characters},
		{std::string("http://host/a\0b", 15), characters},
		{"http://host/\x7F", characters},
		{"http://b\xC3\xBC" "cher.example/", characters},
		{"http://host\\@other/", characters},
		{"http://host:0/", "the URL of an endpoint has no host or no port"},
		{"http://host:65536/", unread},
		{"http://host:port/", unread},
		{"http://[::1/", unread},
		{"http://ho%3Cst/", unread},
		{"http://b%C3%BC" "cher.example/", name},
		{"http://host./", name},
		{"http://a,b/", unread},
		{"http://host/" + std::string(5000, 'a'), "the URL of an endpoint is too long"},
	};
	for (const auto &[url, what] : kUrls)
		EXPECT_EQ(of_url(url), what) << url;
}

TEST(RemoteEndpoint, Texts)
{
	EXPECT_EQ(refused([](Endpoint &e) { e.model = ""; }), "the model of an endpoint is missing");
	EXPECT_EQ(refused([](Endpoint &e) { e.model = std::string(257, 'a'); }), "the model of an endpoint is too long");
	EXPECT_EQ(refused([](Endpoint &e) { e.model = "a\nb"; }), "the model of an endpoint is not plain text");
	EXPECT_EQ(refused([](Endpoint &e) { e.model = "a\xFF"; }), "the model of an endpoint is not plain text");
	EXPECT_EQ(refused([](Endpoint &e) { e.model = "mod\xC3\xA8le 2:latest"; }), "");
	EXPECT_EQ(refused([](Endpoint &e) { e.input_type = "a\tb"; }), "the input type of an endpoint is not plain text");
	EXPECT_EQ(refused([](Endpoint &e) { e.prefix = "Instruct: find\tit\nQuery: "; }), "");
	EXPECT_EQ(refused([](Endpoint &e) { e.prefix = std::string("a\0", 2); }), "the prefix of an endpoint is not plain text");
	EXPECT_EQ(refused([](Endpoint &e) { e.prefix = std::string(4097, 'a'); }), "the prefix of an endpoint is too long");
	EXPECT_EQ(refused([](Endpoint &e) { e.key = "sk-Abc_123.~+/=="; }), "");
	for (const char *key : {"a b", "a\r\nX-Other: b", "a\n", "\t", "k\xC3\xA9y"})
		EXPECT_EQ(refused([&](Endpoint &e) { e.key = key; }), "the key of an endpoint is no bearer token") << key;
}

TEST(RemoteEndpoint, Numbers)
{
	const auto out = [](const std::string &message) { return message.ends_with(" is out of range"); };
	for (const int dimension : {-1, 0, 16001})
		EXPECT_TRUE(out(refused([&](Endpoint &e) { e.dimension = dimension; }))) << dimension;
	for (const int batch : {-1, 0, 2049})
		EXPECT_TRUE(out(refused([&](Endpoint &e) { e.max_batch = batch; }))) << batch;
	for (const std::size_t bytes : {std::size_t{0}, (std::size_t{16} << 20) + 1})
		EXPECT_TRUE(out(refused([&](Endpoint &e) { e.max_batch_bytes = bytes; }))) << bytes;
	for (const int time : {-1, 0, 9, 600'001})
		EXPECT_TRUE(out(refused([&](Endpoint &e) { e.connect_timeout_ms = time; }))) << time;
	for (const int time : {-1, 0, 9, 3'600'001})
		EXPECT_TRUE(out(refused([&](Endpoint &e) { e.timeout_ms = time; }))) << time;
	for (const std::size_t bytes : {std::size_t{1023}, (std::size_t{1} << 30) + 1})
		EXPECT_TRUE(out(refused([&](Endpoint &e) { e.max_response_bytes = bytes; }))) << bytes;
	EXPECT_EQ(refused([](Endpoint &e) {
		e.dimension = 16000;
		e.max_batch = 2048;
		e.max_batch_bytes = std::size_t{16} << 20;
		e.connect_timeout_ms = 600'000;
		e.timeout_ms = 3'600'000;
		e.max_response_bytes = std::size_t{1} << 30;
	}), "");
}

TEST(RemoteEndpoint, NothingSecretIsQuoted)
{
	const auto whole = [](const Endpoint &endpoint) {
		try {
			check_endpoint(endpoint);
		}
		catch (const Error &error) {
			return error.what() + error.hint();
		}
		return std::string();
	};
	Endpoint endpoint = good();
	endpoint.key = "hush hush";
	EXPECT_EQ(whole(endpoint).find("hush"), std::string::npos);
	endpoint = good();
	endpoint.url = "http://me:hush@host/";
	EXPECT_EQ(whole(endpoint).find("hush"), std::string::npos);
}

TEST(RemoteEndpoint, Origins)
{
	const auto shown = [](const char *url) {
		const Origin origin = origin_of(url);
		return origin.host + " " + std::to_string(origin.port) + (origin.numeric ? " numeric" : "");
	};
	EXPECT_EQ(shown("http://localhost/v1"), "localhost 80");
	EXPECT_EQ(shown("https://Api.Example.com/v1"), "api.example.com 443");
	EXPECT_EQ(shown("http://h:11434/v1"), "h 11434");
	EXPECT_EQ(shown("http://10.0.0.1:8080/"), "10.0.0.1 8080 numeric");
	EXPECT_EQ(shown("http://127.1/"), "127.0.0.1 80 numeric");
	EXPECT_EQ(shown("https://[::1]/"), "::1 443 numeric");
}
