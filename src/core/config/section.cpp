#include "core/config/section.hpp"

#include "core/config/nearest.hpp"
#include "core/text/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vectorizer::config {

namespace {

/// Shortest decimal form that reads back as the same number.
template <typename T>
std::string shown(T number)
{
	std::array<char, 32> buffer;
	return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr};
}

template <typename T>
bool read_number(std::string_view text, T &number)
{
	if (text.starts_with('+'))
		text.remove_prefix(1);
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	return error == std::errc() && end == text.data() + text.size();
}

std::optional<bool> truth(std::string_view text)
{
	std::string word(text);
	std::transform(
		word.begin(), word.end(), word.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
	if (word == "true" || word == "yes" || word == "on")
		return true;
	if (word == "false" || word == "no" || word == "off")
		return false;
	return std::nullopt;
}

}  // namespace

std::string described(const Node &node)
{
	switch (node.kind) {
		case Node::Kind::kNull: return "nothing";
		case Node::Kind::kSequence: return "a list";
		case Node::Kind::kMap: return "a map";
		case Node::Kind::kScalar: break;
	}
	return node.plain ? txt::printable(node.text.substr(0, txt::cut_before(node.text, 100))) : quoted(node.text);
}

std::optional<Section> Section::of(const Node &node, std::string path, Findings &findings)
{
	if (node.kind == Node::Kind::kMap)
		return Section(node, std::move(path), findings);
	findings.error({path, node.line}, "must be a map, not " + described(node));
	return std::nullopt;
}

std::string Section::child(std::string_view key) const
{
	return place_.path + (place_.path.empty() ? "" : ".") + txt::printable(key);
}

Place Section::place_of(std::string_view key) const
{
	const auto found =
		std::find_if(map_->entries.begin(), map_->entries.end(), [&](const Entry &entry) { return entry.key == key; });
	return {child(key), found == map_->entries.end() ? place_.line : found->line};
}

const Node *Section::take(std::string_view key)
{
	if (std::find(known_.begin(), known_.end(), key) == known_.end())
		known_.push_back(key);
	for (const Entry &entry : map_->entries) {
		if (entry.key == key)
			return entry.value->kind == Node::Kind::kNull ? nullptr : entry.value;
	}
	return nullptr;
}

std::optional<Section> Section::section(std::string_view key)
{
	const Node *node = take(key);
	return node ? of(*node, place_of(key).path, *findings_) : std::nullopt;
}

const Node *Section::scalar(std::string_view key, std::string_view wanted)
{
	const Node *node = take(key);
	if (!node || node->kind == Node::Kind::kScalar)
		return node;
	findings_->error(place_of(key), "must be " + std::string(wanted) + ", not " + described(*node));
	return nullptr;
}

std::optional<Given<std::string>> Section::text(std::string_view key)
{
	const Node *node = scalar(key, "text");
	return node ? std::optional(Given<std::string>{node->text, place_of(key)}) : std::nullopt;
}

std::optional<Given<bool>> Section::boolean(std::string_view key)
{
	const Node *node = scalar(key, "true or false");
	if (!node)
		return std::nullopt;
	if (const std::optional<bool> value = node->plain ? truth(node->text) : std::nullopt)
		return Given<bool>{*value, place_of(key)};
	findings_->error(place_of(key), "must be true or false, not " + described(*node));
	return std::nullopt;
}

template <typename T>
std::optional<Given<T>> Section::numeric(std::string_view key, Range<T> range, std::string_view wanted)
{
	const Node *node = scalar(key, wanted);
	if (!node)
		return std::nullopt;
	T number{};
	if (!node->plain || !read_number(node->text, number)) {
		findings_->error(place_of(key), "must be " + std::string(wanted) + ", not " + described(*node));
		return std::nullopt;
	}
	if (!(number >= range.low && number <= range.high)) {
		findings_->error(
			place_of(key), "must be between " + shown(range.low) + " and " + shown(range.high) + ", not " + described(*node));
		return std::nullopt;
	}
	return Given<T>{number, place_of(key)};
}

std::optional<Given<int>> Section::integer(std::string_view key, Range<int> range)
{
	return numeric(key, range, "a whole number");
}

std::optional<Given<std::int64_t>> Section::integer(std::string_view key, Range<std::int64_t> range)
{
	return numeric(key, range, "a whole number");
}

std::optional<Given<double>> Section::number(std::string_view key, Range<double> range)
{
	return numeric(key, range, "a number");
}

std::optional<Section::List> Section::list(std::string_view key)
{
	const Node *node = take(key);
	if (!node)
		return std::nullopt;
	List result{{}, place_of(key)};
	if (node->kind == Node::Kind::kScalar) {
		result.items.push_back({node->text, result.whole});
		return result;
	}
	if (node->kind != Node::Kind::kSequence) {
		findings_->error(result.whole, "must be a list, not " + described(*node));
		return std::nullopt;
	}
	for (std::size_t i = 0; i < node->items.size(); ++i) {
		const Node &item = *node->items[i];
		Place place{result.whole.path + "[" + std::to_string(i) + "]", item.line};
		if (item.kind == Node::Kind::kScalar)
			result.items.push_back({item.text, std::move(place)});
		else
			findings_->error(place, "must be text, not " + described(item));
	}
	return result;
}

void Section::ignore(std::string_view key, const std::string &why)
{
	if (take(key))
		findings_->ignored(place_of(key), "ignored: " + why);
}

void Section::finish(std::string_view free_prefix)
{
	// Somebody else's file altogether has hundreds; the first ones say so.
	constexpr int kMostUnknown = 100;
	int unknown = 0;
	for (const Entry &entry : map_->entries) {
		if (std::find(known_.begin(), known_.end(), entry.key) != known_.end() ||
			(!free_prefix.empty() && entry.key.starts_with(free_prefix)))
			continue;
		if (++unknown <= kMostUnknown)
			findings_->warning(place_of(entry), "unknown key" + suggestion(entry.key, known_));
	}
	if (unknown > kMostUnknown)
		findings_->warning(place_, std::to_string(unknown - kMostUnknown) + " more unknown keys");
}

}  // namespace vectorizer::config
