// Cutting a list of texts into requests.
#pragma once

#include "core/remote/endpoint.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace vectorizer::remote {

/// Texts [first, first + count).
struct Batch {
	std::size_t first = 0;
	std::size_t count = 0;
};

/// All texts, in order, in as few batches as fit under the endpoint's max_batch and max_batch_bytes (its prefix counts with every
/// text). No batch is empty. A text that is longer than max_batch_bytes is a batch of its own: whether it is too long is for the
/// server to say. REQUIRES: endpoint.max_batch >= 1.
std::vector<Batch> cut_batches(const Endpoint &endpoint, std::span<const std::string_view> texts);

}  // namespace vectorizer::remote
