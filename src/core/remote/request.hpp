// The body of a request.
#pragma once

#include "core/remote/endpoint.hpp"

#include <span>
#include <string>
#include <string_view>

namespace vectorizer::remote {

/// {"model": ..., "input": [...]} and what else the endpoint's fields ask for. Texts that are not UTF-8 are repaired: valid JSON
/// comes of anything.
std::string request_body(const Endpoint &endpoint, std::span<const std::string_view> texts);

}  // namespace vectorizer::remote
