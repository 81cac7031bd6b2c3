// The types that a collection may have: which files, cut how.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::config {

struct CollectionType {
	std::string_view name;
	std::vector<std::string> include;
	int chunk_size;
	int chunk_overlap;
	std::string_view category;  // of its files, as vectorizer.file_kinds() has it; empty: any
};

/// code, documentation, configuration, data, custom. Live forever.
std::span<const CollectionType> types();

/// Null if there is no such type.
const CollectionType *find_type(std::string_view name);

/// What every collection leaves out unless it says what it does: `**/node_modules`, `**/__pycache__`.
const std::vector<std::string> &default_exclude();

/// The type of a collection that does not say: by the words of the last dotted part of its name, in either case, split at '-' and
/// '_'. The last word that is known wins; none: custom. `platform.api-guide` is documentation.
const CollectionType &infer_type(std::string_view name);

}  // namespace vectorizer::config
