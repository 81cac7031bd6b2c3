// Plans as JSON, which is how they cross into SQL.
//
// An object {"workspace": {...}, "projects": [{..., "collections": [{...}]}]} whose keys are the members of plan.hpp, in their
// order, all of them, but for what belongs to the model and the index: "model_options": {"k1", "b"} and "index_options": {"m",
// "ef_construction", "ef_search", "quantization", "bits"}, where an ef_search and bits of 0 are left out.
#pragma once

#include "core/config/plan.hpp"

#include <string>
#include <string_view>

namespace vectorizer::config {

/// The same text for equal plans. REQUIRES: valid UTF-8 without NUL.
std::string to_json(const Plan &plan);

/// Reads what to_json writes, in any order and layout; what is absent is as in plan.hpp, but for names and paths, which must be
/// there. Throws Errc::kInvalidInput: not JSON, another kind or range, a key that is not known or there twice.
Plan from_json(std::string_view json);

}  // namespace vectorizer::config
