// What a kind of code supplies; a Quantizer calls through one of these tables. Inside quantize/ only.
#pragma once

#include "core/quantize/quantizer.hpp"
#include "core/quantize/rotation.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace vectorizer::quantize {

/// What encode() and query() work with.
struct Tools {
	const Shape &shape;
	Parameters parameters;     // empty: the data-free code
	const Rotation *rotation;  // null unless the method rotates
	float *scratch;            // dimensions floats, encode()'s own; null elsewhere
};

struct Method {
	bool rotates;
	std::size_t (*code_bytes)(const Shape &);
	std::size_t (*computer_bytes)(const Shape &);
	Factors (*encode)(const Tools &, const float *vector, std::uint8_t *code);
	void (*decode)(const Tools &, const std::uint8_t *code, Factors factors, float *vector);
	Computer (*query)(const Tools &, const float *vector, const Arena &arena);
	/// encode() and query() of one vector, where they have work in common; null elsewhere.
	Factors (*encode_and_query)(const Tools &, const float *vector, std::uint8_t *code, const Arena &arena, Computer *) = nullptr;
	Computer (*query_code)(const Tools &, const std::uint8_t *code, Factors factors, std::span<std::uint8_t> space);
};

extern const Method kNoneMethod;      // none.cpp
extern const Method kScalarMethod;    // scalar.cpp
extern const Method kScalarL1Method;  // scalar_l1.cpp
extern const Method kProductMethod;   // product.cpp

}  // namespace vectorizer::quantize
