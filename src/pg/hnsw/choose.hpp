// What an index shall be: by its options, its column and its operator class, and, where these leave the choice, by its rows.
#pragma once

#include "core/quantize/auto.hpp"
#include "pg/hnsw/index.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace vectorizer::hnsw {

struct Choice {
	quantize::Shape shape;
	graph::InsertParameters parameters;
	std::uint16_t flags;            // of the metapage
	Evidence evidence;
	quantize::Parameters codebook;  // of a trained product code; in the memory context of the call
};

/// Without a look at the rows: what an index that is created empty becomes, and what a REINDEX would keep to. Raises 22023
/// on a column without dimensions.
Choice choose(Relation relation);

/// For a build: measures on a sample of the rows what `auto` may choose from, and trains a product code. Takes a small part
/// of the build's time.
Choice choose_on_rows(Relation heap, Relation relation, IndexInfo *info);

/// As the metapage keeps it.
Evidence evidence_of(const quantize::Evaluation &evaluation);

/// The seed of every index: equal vectors have equal codes.
inline constexpr std::uint64_t kRotationSeed = 0x766563746F72697A;  // "vectoriz"

/// Whether vectors of so many dimensions are too long for the row they belong to.
bool is_out_of_line(std::uint32_t dimensions, char storage);

}  // namespace vectorizer::hnsw
