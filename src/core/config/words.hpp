// The words of workspace files for metrics, models and codes, and names and patterns that are checked.
#pragma once

#include "core/config/section.hpp"
#include "core/config/settings.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vectorizer::config {

/// cosine, l2 or ip. Nothing, with an error, if the word is unknown.
std::optional<std::string> metric_named(const Given<std::string> &word, Findings &findings);

/// Whether a word is one of those for models that model_named() translates.
bool is_model_word(std::string_view word);

/// Those words become lsa, some with a warning; every other name is kept.
std::optional<std::string> model_named(const Given<std::string> &word, Findings &findings);

/// Whether it names a weighting that has no k1 and b.
bool is_tfidf(std::string_view word);

/// auto, none, scalar, product or binary. Nothing, with an error, if the word is unknown.
std::optional<std::string> quantization_named(const Given<std::string> &word, Findings &findings);

std::optional<std::string> type_named(const Given<std::string> &word, Findings &findings);
std::optional<std::string> category_named(const Given<std::string> &word, Findings &findings);

/// Any name that is not empty: the database knows whether there is such a configuration.
std::optional<std::string> text_config_named(const Given<std::string> &word, Findings &findings);

/// Whether it can be the name of a project or collection (vectorizer.check_name); an error if not.
bool check_name(const Given<std::string> &name, Findings &findings);

/// The patterns without a leading "./", all of which workspace::Glob takes; what it does not take is an error.
std::vector<std::string> checked_patterns(const Section::List &list, Findings &findings);

/// One pattern for files of these extensions ("md", ".md" or "*.md").
std::vector<std::string> extension_patterns(const Section::List &list, Findings &findings);

std::vector<std::string> checked_tags(const Section::List &list, Findings &findings);

}  // namespace vectorizer::config
