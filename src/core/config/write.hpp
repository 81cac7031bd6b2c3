// Plans as workspace files. parse_workspace reads back the same plan from either.
//
// REQUIRES of the plan, as of one that parse_workspace made without errors: names, numbers and words in their ranges, paths as
// absolute_path gives them, valid UTF-8. Both throw Errc::kInvalidInput for a plan without projects, which no workspace file has.
#pragma once

#include "core/config/plan.hpp"

#include <string>
#include <string_view>

namespace vectorizer::config {

/// The simplified form in few lines: without what is so by default, by its type or by its name; with `defaults` for what most
/// collections share and templates for what several do. Paths at or below `base` are written relative to it.
std::string write_minimal(const Plan &plan, std::string_view base);

/// The verbose form, nothing left to be inherited.
std::string write_verbose(const Plan &plan, std::string_view base);

}  // namespace vectorizer::config
