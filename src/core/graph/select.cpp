#include "core/graph/select.hpp"

namespace vectorizer::graph {

std::size_t select_neighbours(const quantize::Quantizer &quantizer, std::span<Neighbour> candidates,
							  std::span<StoredCode> codes, std::size_t most, const Arena &arena)
{
	most = std::min(most, candidates.size());
	// Only a chosen one's code is taken apart; the others' are compared with it as they are.
	const std::size_t computer_bytes = (quantizer.computer_bytes() + 7) & ~std::size_t{7};
	std::span<std::uint8_t> space = arena.array<std::uint8_t>(computer_bytes * most);
	std::span<quantize::Computer> from = arena.array<quantize::Computer>(most);
	std::span<Neighbour> chosen = arena.array<Neighbour>(most);
	std::span<std::uint32_t> hidden = arena.array<std::uint32_t>(candidates.size());
	std::span<std::uint32_t> asked = arena.array<std::uint32_t>(most);  // chosen ones, those that hide most towards the front
	std::size_t n_chosen = 0;
	std::size_t n_hidden = 0;

	for (std::uint32_t i = 0; i < candidates.size() && n_chosen < most; ++i) {
		if (codes[i].code == nullptr)
			continue;
		bool in_front = false;
		for (std::size_t at = 0; at < n_chosen && !in_front; ++at) {
			in_front = from[asked[at]].distance(codes[i].code, codes[i].factors) < candidates[i].distance;
			if (in_front)
				std::swap(asked[at], asked[at / 2]);
		}
		if (in_front) {
			hidden[n_hidden++] = i;
			continue;
		}
		from[n_chosen] = quantizer.query_code(codes[i].code, codes[i].factors,
											  space.subspan(n_chosen * computer_bytes, computer_bytes));
		asked[n_chosen] = static_cast<std::uint32_t>(n_chosen);
		chosen[n_chosen++] = candidates[i];
	}
	for (std::size_t h = 0; h < n_hidden && n_chosen < most; ++h)
		chosen[n_chosen++] = {candidates[hidden[h]].id, candidates[hidden[h]].distance, true};
	std::copy(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(n_chosen), candidates.begin());
	return n_chosen;
}

}  // namespace vectorizer::graph
