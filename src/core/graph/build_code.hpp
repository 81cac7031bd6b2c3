// What a graph in memory knows of its vectors: the code that its index will store and, where that is coarse, a better one to
// choose neighbours by. A graph built on coarse codes misleads even who searches it by exact distances; a better graph costs
// nothing once it is written. 100,000 word vectors of 300 dimensions, product code of 16 subspaces, the ef nearest by code
// ranked anew: recall@10 at ef 160, 400 and 1,000 is .72, .81 and .85 on the graph of that code, .85, .93 and .98 on the graph of
// 4-bit codes. By brute force it is .85, .94 and .98.
#pragma once

#include "core/quantize/quantizer.hpp"

namespace vectorizer::graph {

/// The shape of the code that the graph of an index is built on: the index's own unless it is half of 4 bits or less.
quantize::Shape shape_to_build_on(const quantize::Shape &stored);

/// A node's bytes for both codes: the one to build on first, then, if it is another, the stored one's factors and code.
class BuildCode {
public:
	/// Both must outlive it and may be the same. REQUIRES: `walked` has shape_to_build_on(stored.shape()), or `stored`'s own.
	BuildCode(const quantize::Quantizer &stored, const quantize::Quantizer &walked) : stored_(&stored), walked_(&walked) {}
	explicit BuildCode(const quantize::Quantizer &both) : BuildCode(both, both) {}

	/// Bytes a node takes for codes if its index stores this shape, and here.
	static std::size_t bytes(const quantize::Shape &stored);
	std::size_t bytes() const { return bytes(stored_->shape(), walked_->shape()); }

	const quantize::Quantizer &walked() const { return *walked_; }

	/// Writes bytes(), and makes a computer to find the vector's neighbours by. Returns the factors of the code to build on.
	quantize::Factors encode(const float *vector, std::uint8_t *out, const Arena &arena, quantize::Computer *computer) const;

	/// The stored code among a node's bytes, and its factors, given those of the other.
	const std::uint8_t *stored_code(const std::uint8_t *bytes) const;
	quantize::Factors stored_factors(const std::uint8_t *bytes, quantize::Factors walked) const;

private:
	static std::size_t bytes(const quantize::Shape &stored, const quantize::Shape &walked);
	bool two() const { return !(stored_->shape() == walked_->shape()); }

	const quantize::Quantizer *stored_;
	const quantize::Quantizer *walked_;
};

}  // namespace vectorizer::graph
