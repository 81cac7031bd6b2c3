#include "core/graph/build_code.hpp"

#include <algorithm>
#include <cstring>

namespace vectorizer::graph {

using quantize::Factors;
using quantize::Shape;

namespace {

std::size_t place_of_factors(const Shape &walked)
{
	return (quantize::code_bytes(walked) + alignof(Factors) - 1) / alignof(Factors) * alignof(Factors);
}

}  // namespace

Shape shape_to_build_on(const Shape &stored)
{
	const Shape four_bits{quantize::Kind::kScalar, 4, stored.metric, stored.dimensions, stored.seed};
	return 2 * quantize::code_bytes(stored) <= quantize::code_bytes(four_bits) ? four_bits : stored;
}

std::size_t BuildCode::bytes(const Shape &stored)
{
	return bytes(stored, shape_to_build_on(stored));
}

std::size_t BuildCode::bytes(const Shape &stored, const Shape &walked)
{
	return stored == walked ? quantize::code_bytes(stored)
							: place_of_factors(walked) + sizeof(Factors) + quantize::code_bytes(stored);
}

Factors BuildCode::encode(const float *vector, std::uint8_t *out, const Arena &arena, quantize::Computer *computer) const
{
	const Factors factors = walked_->encode_and_query(vector, out, arena, computer);
	if (two()) {
		std::uint8_t *rest = out + place_of_factors(walked_->shape());
		std::fill(out + walked_->code_bytes(), rest, std::uint8_t{0});
		const Factors stored = stored_->encode(vector, rest + sizeof(Factors));
		std::memcpy(rest, &stored, sizeof(stored));
	}
	return factors;
}

const std::uint8_t *BuildCode::stored_code(const std::uint8_t *bytes) const
{
	return two() ? bytes + place_of_factors(walked_->shape()) + sizeof(Factors) : bytes;
}

Factors BuildCode::stored_factors(const std::uint8_t *bytes, Factors walked) const
{
	if (!two())
		return walked;
	Factors stored;
	std::memcpy(&stored, bytes + place_of_factors(walked_->shape()), sizeof(stored));
	return stored;
}

}  // namespace vectorizer::graph
