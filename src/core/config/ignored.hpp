// The parts of verbose files that have no counterpart here, and what happens here instead.
#pragma once

#include "core/config/section.hpp"

namespace vectorizer::config {

/// Each takes from its section what is ignored there, with a finding. What is honoured is the caller's, who finishes the section.
void ignore_at_top(Section &top);
void ignore_in_processing(Section &processing);
void ignore_in_file_processing(Section &file_processing);
void ignore_in_file_watcher(Section &file_watcher);

}  // namespace vectorizer::config
