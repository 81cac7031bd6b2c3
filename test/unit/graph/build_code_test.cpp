// The two codes of a node in memory: which they are, where they lie, and what of them gets into a page.
#include "arena.hpp"
#include "core/graph/memory_graph.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace vectorizer::graph::test {
namespace {

using quantize::Kind;
using quantize::Shape;

Shape shape(Kind kind, unsigned bits, std::uint32_t dimensions, std::uint16_t subspaces = 0)
{
	return {kind, static_cast<std::uint8_t>(bits), Metric::kL2, dimensions, 42, subspaces};
}

TEST(BuildCode, CoarseCodesAreBuiltOnFourBits)
{
	for (const Shape &fine : {shape(Kind::kNone, 32, 96), shape(Kind::kScalar, 8, 96), shape(Kind::kScalar, 4, 96),
							  shape(Kind::kProduct, 8, 96, 48), shape(Kind::kBinary, 1, 1)})
		EXPECT_EQ(shape_to_build_on(fine), fine);
	for (const Shape &coarse : {shape(Kind::kScalar, 2, 96), shape(Kind::kBinary, 1, 96), shape(Kind::kProduct, 8, 96, 24)})
		EXPECT_EQ(shape_to_build_on(coarse), shape(Kind::kScalar, 4, 96));
}

TEST(BuildCode, PagesGetTheCodeThatTheIndexStores)
{
	constexpr std::uint32_t kDimensions = 33;
	std::mt19937_64 random(3);
	for (const Shape &stored_shape : {shape(Kind::kScalar, 8, kDimensions), shape(Kind::kScalar, 2, kDimensions),
									  shape(Kind::kBinary, 1, kDimensions), shape(Kind::kProduct, 8, kDimensions, 5)}) {
		SCOPED_TRACE(static_cast<int>(stored_shape.kind) * 100 + stored_shape.bits);
		HeapArena memory;
		const quantize::Quantizer stored(stored_shape, memory.arena());
		const quantize::Quantizer walked(shape_to_build_on(stored_shape), memory.arena());
		ArenaChunks chunks(memory.arena(), SIZE_MAX);
		MemoryGraph graph(BuildCode(stored, walked), {8, 20}, chunks.state, chunks.source(), memory.arena());
		const std::vector<Vector> vectors = mixture(random, 50, kDimensions, 4);
		for (std::size_t i = 0; i < vectors.size(); ++i) {
			HeapArena scratch;
			const RowPointer row{0, static_cast<std::uint16_t>(i), 1};
			graph.insert(*graph.prepare(vectors[i].data(), row, 0, scratch.arena(), scratch.arena()), scratch.arena(), {});
		}
		ASSERT_EQ(graph.size(), vectors.size());

		const SlotLayout page(8, stored.code_bytes());
		std::vector<std::byte> slot(page.slot_bytes());
		std::vector<std::uint8_t> code(stored.code_bytes()), other(walked.code_bytes());
		for (NodeId id = 0; id < vectors.size(); ++id) {
			const quantize::Factors factors = stored.encode(vectors[id].data(), code.data());
			graph.write_slot(id, page, slot.data());
			EXPECT_EQ(std::memcmp(page.code(slot.data()), code.data(), code.size()), 0);
			EXPECT_EQ(SlotLayout::header(slot.data()).scale, factors.scale);
			EXPECT_EQ(SlotLayout::header(slot.data()).norm, factors.norm);
			EXPECT_EQ(SlotLayout::header(slot.data()).row, (RowPointer{0, static_cast<std::uint16_t>(id), 1}));
			EXPECT_GT(page.links(slot.data()).count(), 0);

			walked.encode(vectors[id].data(), other.data());
			EXPECT_EQ(std::memcmp(SlotLayout::code(graph.slot(id)), other.data(), other.size()), 0);
		}
	}
}

}  // namespace
}  // namespace vectorizer::graph::test
