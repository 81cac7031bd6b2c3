#include "core/remote/request.hpp"

#include <nlohmann/json.hpp>

namespace vectorizer::remote {

namespace {

std::string quoted(std::string text)
{
	return nlohmann::json(std::move(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string request_body(const Endpoint &endpoint, std::span<const std::string_view> texts)
{
	std::string body = "{\"model\":" + quoted(endpoint.model);
	if (endpoint.send_dimensions)
		body += ",\"dimensions\":" + std::to_string(endpoint.dimension);
	if (endpoint.send_encoding_format)
		body += ",\"encoding_format\":\"float\"";
	if (!endpoint.input_type.empty())
		body += ",\"input_type\":" + quoted(endpoint.input_type);
	body += ",\"input\":[";
	for (std::size_t i = 0; i < texts.size(); ++i) {
		if (i > 0)
			body += ',';
		body += quoted(endpoint.prefix + std::string(texts[i]));
	}
	body += "]}";
	return body;
}

}  // namespace vectorizer::remote
