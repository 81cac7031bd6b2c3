// Reading a map of the document key by key: each value by its kind and range, and at the end what nobody asked for.
#pragma once

#include "core/config/document.hpp"
#include "core/config/finding.hpp"
#include "core/config/plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::config {

/// A value, and where it was given. What is stronger counts before what is weaker (settings.hpp).
template <typename T>
struct Given {
	T value;
	Place place;
	int strength = 0;
};

/// What a message calls a node: "a map", "a list", "nothing", or a scalar's text in quotes.
std::string described(const Node &node);

/// Reads are by key; a key that is absent or null reads as nothing. What cannot be read is an error in the findings and reads as
/// nothing too. The document outlives its sections.
class Section {
public:
	/// Nothing, with an error, if the node is not a map.
	static std::optional<Section> of(const Node &node, std::string path, Findings &findings);

	const Place &place() const { return place_; }
	Place place_of(std::string_view key) const;
	Place place_of(const Entry &entry) const { return {child(entry.key), entry.line}; }
	Findings &findings() const { return *findings_; }

	/// Of a map whose keys are names.
	const std::vector<Entry> &entries() const { return map_->entries; }

	/// The value of the key, which is known from now on; null if it is not there.
	const Node *take(std::string_view key);

	std::optional<Section> section(std::string_view key);
	std::optional<Given<std::string>> text(std::string_view key);
	std::optional<Given<bool>> boolean(std::string_view key);
	std::optional<Given<int>> integer(std::string_view key, Range<int> range);
	std::optional<Given<std::int64_t>> integer(std::string_view key, Range<std::int64_t> range);
	std::optional<Given<double>> number(std::string_view key, Range<double> range);

	/// A list of texts, each with its place; a text alone is a list of one. `whole` is the place of the list.
	struct List {
		std::vector<Given<std::string>> items;
		Place whole;
	};
	std::optional<List> list(std::string_view key);

	/// The keys have no counterpart: one finding with the reason, if the key is there, whatever it holds.
	void ignore(std::string_view key, const std::string &why);

	/// A warning for each key that nobody took, with the nearest that somebody asked for. Keys with that prefix are anybody's.
	void finish(std::string_view free_prefix = {});

private:
	Section(const Node &map, std::string path, Findings &findings)
		: map_(&map), place_{std::move(path), map.line}, findings_(&findings)
	{}

	std::string child(std::string_view key) const;
	const Node *scalar(std::string_view key, std::string_view wanted);
	template <typename T>
	std::optional<Given<T>> numeric(std::string_view key, Range<T> range, std::string_view wanted);

	const Node *map_;
	Place place_;
	Findings *findings_;
	std::vector<std::string_view> known_;  // literals
};

}  // namespace vectorizer::config
