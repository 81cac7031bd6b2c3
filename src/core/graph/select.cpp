#include "core/graph/select.hpp"

namespace vectorizer::graph {

std::size_t select_neighbours(const quantize::Quantizer &quantizer, std::span<Neighbour> candidates,
							  std::span<StoredCode> codes, std::size_t most, const Arena &arena)
{
	std::span<std::uint8_t> space = arena.array<std::uint8_t>(quantizer.computer_bytes());
	std::span<std::uint32_t> hidden = arena.array<std::uint32_t>(candidates.size());
	std::span<std::uint32_t> chosen = arena.array<std::uint32_t>(std::min(most, candidates.size()));
	std::size_t n_chosen = 0;
	std::size_t n_hidden = 0;

	for (std::uint32_t i = 0; i < candidates.size() && n_chosen < most; ++i) {
		if (codes[i].code == nullptr)
			continue;
		bool in_front = false;
		if (n_chosen > 0) {
			quantize::Computer from = quantizer.query_code(codes[i].code, codes[i].factors, space);
			for (std::size_t c = 0; c < n_chosen && !in_front; ++c) {
				const StoredCode &other = codes[chosen[c]];
				in_front = from.distance(other.code, other.factors) < candidates[i].distance;
			}
		}
		if (in_front)
			hidden[n_hidden++] = i;
		else
			chosen[n_chosen++] = i;
	}
	for (std::size_t h = 0; h < n_hidden && n_chosen < most; ++h)
		chosen[n_chosen++] = hidden[h];

	std::span<Neighbour> result = arena.array<Neighbour>(n_chosen);
	for (std::size_t c = 0; c < n_chosen; ++c)
		result[c] = candidates[chosen[c]];
	std::copy(result.begin(), result.end(), candidates.begin());
	return n_chosen;
}

}  // namespace vectorizer::graph
