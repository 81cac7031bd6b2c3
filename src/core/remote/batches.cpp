#include "core/remote/batches.hpp"

namespace vectorizer::remote {

std::vector<Batch> cut_batches(const Endpoint &endpoint, std::span<const std::string_view> texts)
{
	std::vector<Batch> batches;
	std::size_t bytes = 0;
	for (std::size_t i = 0; i < texts.size(); ++i) {
		const std::size_t more = endpoint.prefix.size() + texts[i].size();
		if (batches.empty() || batches.back().count == static_cast<std::size_t>(endpoint.max_batch) ||
			bytes + more > endpoint.max_batch_bytes) {
			batches.push_back({i, 0});
			bytes = 0;
		}
		++batches.back().count;
		bytes += more;
	}
	return batches;
}

}  // namespace vectorizer::remote
