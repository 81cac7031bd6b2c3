#include "core/quantize/quantizer.hpp"

#include "core/quantize/method.hpp"
#include "core/quantize/rotation.hpp"
#include "core/simd/distance.hpp"

#include <new>
#include <type_traits>

namespace vectorizer::quantize {
namespace {

const Method &method_of(const Shape &shape, bool trained)
{
	switch (shape.kind) {
	case Kind::kNone:
		break;
	case Kind::kProduct:
		if (trained)
			return kProductMethod;
		[[fallthrough]];
	case Kind::kScalar:
	case Kind::kBinary:
		return shape.metric == Metric::kL1 ? kScalarL1Method : kScalarMethod;
	}
	return kNoneMethod;
}

}  // namespace

// Walking code holds these across calls that a longjmp may leave.
static_assert(std::is_trivially_destructible_v<Quantizer> && std::is_trivially_copyable_v<Quantizer>);
static_assert(std::is_trivially_destructible_v<Computer> && std::is_trivially_copyable_v<Computer>);
static_assert(std::is_trivially_destructible_v<Rotation>);

std::size_t code_bytes(const Shape &shape)
{
	return method_of(shape, false).code_bytes(shape);
}

Quantizer::Quantizer(const Shape &shape, const Arena &arena, Parameters parameters)
	: shape_(shape),
	  parameters_(parameters),
	  code_bytes_(quantize::code_bytes(shape)),
	  method_(&method_of(shape, !parameters.empty())),
	  rotation_(nullptr),
	  scratch_(arena.array<float>(shape.dimensions).data())
{
	if (method_->rotates)
		rotation_ = new (arena.array<Rotation>(1).data()) Rotation(shape.dimensions, shape.seed, arena);
}

Factors Quantizer::encode(const float *vector, std::uint8_t *code) const
{
	return method_->encode({shape_, parameters_, rotation_, scratch_}, vector, code);
}

void Quantizer::decode(const std::uint8_t *code, Factors factors, float *vector) const
{
	method_->decode({shape_, parameters_, rotation_, nullptr}, code, factors, vector);
}

Computer Quantizer::query(const float *vector, const Arena &arena) const
{
	return method_->query({shape_, parameters_, rotation_, nullptr}, vector, arena);
}

Factors Quantizer::encode_and_query(const float *vector, std::uint8_t *code, const Arena &arena, Computer *computer) const
{
	if (method_->encode_and_query != nullptr)
		return method_->encode_and_query({shape_, parameters_, rotation_, scratch_}, vector, code, arena, computer);
	*computer = query(vector, arena);
	return encode(vector, code);
}

Computer Quantizer::query_code(const std::uint8_t *code, Factors factors, std::span<std::uint8_t> space) const
{
	return method_->query_code({shape_, parameters_, rotation_, nullptr}, code, factors, space);
}

std::size_t Quantizer::computer_bytes() const
{
	return method_->computer_bytes(shape_);
}

double exact_distance(Metric metric, const float *a, const float *b, std::size_t dimensions)
{
	const simd::Kernels &kernels = simd::kernels();
	switch (metric) {
	case Metric::kL2:
		return kernels.l2_squared(a, b, dimensions);
	case Metric::kInnerProduct:
		return -double{kernels.inner_product(a, b, dimensions)};
	case Metric::kCosine: {
		const simd::CosineParts parts = kernels.cosine_parts(a, b, dimensions);
		return cosine_distance(parts.dot, parts.norm_a, parts.norm_b);
	}
	case Metric::kL1:
		return kernels.l1(a, b, dimensions);
	}
	return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace vectorizer::quantize
