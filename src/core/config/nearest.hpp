// "Did you mean": the word that a misspelt one is nearest to.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vectorizer::config {

/// The known word within a third of the word's length (at least one) in insertions, deletions, replacements and swaps of
/// neighbours; empty if there is none. The first of equally near ones.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

/// `: did you mean "..."?`, or `; there are a, b, c` if nothing is near and the list is short, or nothing.
std::string suggestion(std::string_view word, std::span<const std::string_view> known);

}  // namespace vectorizer::config
