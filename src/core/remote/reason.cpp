#include "core/remote/reason.hpp"

#include "core/text/utf8.hpp"

#include <nlohmann/json.hpp>

namespace vectorizer::remote {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBodyBytes = std::size_t{64} << 10;
constexpr std::string_view kEllipsis = "...";

std::string without(std::string_view text, std::string_view key)
{
	std::string result(text);
	if (key.empty())
		return result;
	constexpr std::string_view kInstead = "[key]";
	for (std::size_t at = result.find(key); at != std::string::npos; at = result.find(key, at + kInstead.size()))
		result.replace(at, key.size(), kInstead);
	return result;
}

bool breaks_line(char32_t c)
{
	return c < ' ' || (c >= 0x7F && c < 0xA0) || txt::is_space(c);
}

/// Marks, embeddings, overrides and isolates of bidirectional text: with one of them a message shows as another.
bool turns_direction(char32_t c)
{
	return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

const std::string *text_at(const Json &object, const char *key)
{
	const auto found = object.find(key);
	return found == object.end() ? nullptr : found->get_ptr<const std::string *>();
}

}  // namespace

std::string one_line(std::string_view text, std::string_view key, std::size_t most)
{
	// First the key, then the length: half a key is too much of it.
	const std::string open = without(text, key);
	std::string line;
	bool blank = false;
	for (std::size_t at = 0; at < open.size();) {
		const txt::Decoded c = txt::decode(open, at);
		at += c.length;
		if (turns_direction(c.code_point))
			continue;
		if (breaks_line(c.code_point)) {
			blank = !line.empty();
			continue;
		}
		if (blank)
			line += ' ';
		blank = false;
		txt::append_utf8(line, c.code_point);
	}
	if (txt::count_characters(line) <= most)
		return line;
	line.resize(txt::prefix_bytes(line, most - kEllipsis.size()));
	return line.append(kEllipsis);
}

std::string server_message(std::string_view body)
{
	if (body.empty() || body.size() > kMostBodyBytes)
		return {};
	const Json json = Json::parse(body, nullptr, false);
	if (json.is_discarded()) {
		// Pages of proxies are HTML: nothing to read in a line. JSON that is broken is not a message either.
		const std::size_t first = body.find_first_not_of(" \t\r\n");
		if (first == std::string_view::npos)
			return {};
		const bool plain = body[first] != '<' && body[first] != '{' && body[first] != '[' && body[first] != '"';
		return plain && !txt::looks_binary(body) ? std::string(body) : std::string();
	}
	if (json.is_string())
		return json.get<std::string>();
	if (!json.is_object())
		return {};
	const auto error = json.find("error");
	if (error != json.end() && error->is_object()) {
		if (const std::string *message = text_at(*error, "message"))
			return *message;
	}
	for (const char *key : {"error", "message", "detail"}) {
		if (const std::string *message = text_at(json, key))
			return *message;
	}
	return {};
}

}  // namespace vectorizer::remote
