// What the collections and projects of a plan have in common, so that a file can say it once.
#pragma once

#include "core/config/plan.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vectorizer::config {

/// The settings that go together, as one map of a file has them.
struct Embedding {
	std::string model;
	int dimension;
	double k1;
	double b;

	bool operator==(const Embedding &) const = default;
};
struct Indexing {
	int m;
	int ef_construction;
	int ef_search;
	Quantization quantization;

	bool operator==(const Indexing &) const = default;
};
struct Chunks {
	int size;
	int overlap;

	bool operator==(const Chunks &) const = default;
};

inline Embedding embedding_of(const CollectionPlan &plan)
{
	return {plan.model, plan.dimension, plan.k1, plan.b};
}
inline Indexing indexing_of(const CollectionPlan &plan)
{
	return {plan.m, plan.ef_construction, plan.ef_search, plan.quantization};
}
inline Chunks chunks_of(const CollectionPlan &plan)
{
	return {plan.chunk_size, plan.chunk_overlap};
}

/// What `defaults` says; nothing where saying it would not make the file shorter.
struct Shared {
	std::optional<Embedding> embedding;
	std::optional<Indexing> indexing;
	std::optional<Chunks> chunks;
	std::optional<std::vector<std::string>> include;
	std::optional<std::vector<std::string>> exclude;
	std::optional<std::string> text_config;
	std::optional<std::string> metric;
	std::optional<std::vector<std::string>> tags;
	std::optional<std::string> category;
	std::optional<int> scan_interval_seconds;
	std::optional<int> debounce_ms;
	std::optional<std::int64_t> max_file_bytes;
};

Shared shared_of(const Plan &plan);

/// Whether the collection's type has to be written, for its name implies another one. Such a type is stronger than `defaults`.
bool names_its_type(const CollectionPlan &plan);

/// What a collection of that name and type is, if it says nothing else.
CollectionPlan inherited(const CollectionPlan &plan, const Shared &shared);

/// What a project is that says nothing.
ProjectPlan inherited(const Shared &shared);

}  // namespace vectorizer::config
