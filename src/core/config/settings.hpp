// What one place of a workspace file says about collections and projects, and how such places are laid over each other.
//
// A collection is what these say, the later the stronger: the type that its name implies, `global`, `defaults`, its project,
// itself. Within one place: the `type` it names, the templates it names, its maps (`embedding`, `indexing`, `processing`), its
// own keys.
#pragma once

#include "core/config/plan.hpp"
#include "core/config/section.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vectorizer::config {

struct Settings {
	template <typename T>
	using Maybe = std::optional<Given<T>>;

	Maybe<std::string> type;
	Maybe<std::vector<std::string>> include;
	Maybe<std::vector<std::string>> exclude;
	Maybe<int> chunk_size;
	Maybe<int> chunk_overlap;
	Maybe<std::string> text_config;
	Maybe<int> dimension;
	Maybe<std::string> metric;
	Maybe<std::string> model;
	Maybe<double> k1;
	Maybe<double> b;
	Maybe<int> m;
	Maybe<int> ef_construction;
	Maybe<int> ef_search;
	Maybe<Quantization> quantization;
	Maybe<std::vector<std::string>> tags;
	Maybe<std::string> category;

	// Of projects.
	Maybe<int> scan_interval_seconds;
	Maybe<int> debounce_ms;
	Maybe<std::int64_t> max_file_bytes;
};

/// f(name, member) for each.
template <typename F>
void for_each_setting(F f)
{
	f("type", &Settings::type);
	f("include", &Settings::include);
	f("exclude", &Settings::exclude);
	f("chunk_size", &Settings::chunk_size);
	f("chunk_overlap", &Settings::chunk_overlap);
	f("text_config", &Settings::text_config);
	f("dimension", &Settings::dimension);
	f("metric", &Settings::metric);
	f("model", &Settings::model);
	f("k1", &Settings::k1);
	f("b", &Settings::b);
	f("m", &Settings::m);
	f("ef_construction", &Settings::ef_construction);
	f("ef_search", &Settings::ef_search);
	f("quantization", &Settings::quantization);
	f("tags", &Settings::tags);
	f("category", &Settings::category);
	f("scan_interval_seconds", &Settings::scan_interval_seconds);
	f("debounce_ms", &Settings::debounce_ms);
	f("max_file_bytes", &Settings::max_file_bytes);
}

/// How strong a value is within its place.
enum Strength : int { kOfType, kOfTemplate, kOfMap, kOwn, kStrengths };

/// Lays `upper` over `lower`; what comes from `upper` gets `strength` added to its own.
void overlay(Settings &lower, const Settings &upper, int strength);

/// Templates by name.
using TemplateMap = std::map<std::string, Settings, std::less<>>;
struct Templates {
	TemplateMap embeddings;
	TemplateMap indexing;
	TemplateMap processing;
};

}  // namespace vectorizer::config
