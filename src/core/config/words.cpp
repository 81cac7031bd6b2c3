#include "core/config/words.hpp"

#include "core/config/nearest.hpp"
#include "core/config/types.hpp"
#include "core/error.hpp"
#include "core/text/utf8.hpp"
#include "core/workspace/glob.hpp"

#include <algorithm>
#include <span>

namespace vectorizer::config {

namespace {

struct Word {
	std::string_view word;
	std::string_view meaning;
};

constexpr Word kMetrics[] = {
	{"cosine", "cosine"},
	{"l2", "l2"},
	{"euclidean", "l2"},
	{"ip", "ip"},
	{"inner_product", "ip"},
	{"dot", "ip"},
	{"dot_product", "ip"},
};
constexpr Word kQuantizations[] = {
	{"auto", "auto"},
	{"none", "none"},
	{"scalar", "scalar"},
	{"sq", "scalar"},
	{"product", "product"},
	{"pq", "product"},
	{"binary", "binary"},
};
// An empty meaning: there is no such model here.
constexpr Word kModels[] = {
	{"lsa", "lsa"},
	{"svd", "lsa"},
	{"native", "lsa"},
	{"default", "lsa"},
	{"bm25", "lsa"},
	{"tfidf", "lsa"},
	{"tf-idf", "lsa"},
	{"bow", ""},
	{"bag_of_words", ""},
	{"ngram", ""},
	{"char_ngram", ""},
	{"bert", ""},
	{"minilm", ""},
};
constexpr Word kCategories[] = {
	{"", ""},
	{"code", "code"},
	{"documentation", "documentation"},
	{"configuration", "configuration"},
	{"data", "data"},
	{"mixed", "mixed"},
};

constexpr std::size_t kMostName = 50;
constexpr std::size_t kMostPatterns = 1000;
constexpr std::size_t kMostTags = 100;
constexpr std::size_t kMostTag = 50;
constexpr std::size_t kMostModelName = 200;

std::string lower(std::string_view text)
{
	std::string result(text);
	std::transform(result.begin(), result.end(), result.begin(),
		[](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
	return result;
}

const Word *find(std::span<const Word> words, std::string_view word)
{
	const std::string wanted = lower(word);
	const auto found = std::find_if(words.begin(), words.end(), [&](const Word &known) { return known.word == wanted; });
	return found == words.end() ? nullptr : &*found;
}

std::optional<std::string> meaning(
	std::string_view what, std::span<const Word> words, const Given<std::string> &word, Findings &findings)
{
	if (const Word *found = find(words, word.value))
		return std::string(found->meaning);
	std::vector<std::string_view> known;
	for (const Word &one : words) {
		if (!one.word.empty())
			known.push_back(one.word);
	}
	findings.error(
		word.place, "unknown " + std::string(what) + " " + quoted(word.value) + suggestion(lower(word.value), known));
	return std::nullopt;
}

bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool too_many(const Section::List &list, std::size_t most, std::string_view what, Findings &findings)
{
	if (list.items.size() <= most)
		return false;
	findings.error(list.whole, "more than " + std::to_string(most) + " " + std::string(what));
	return true;
}

}  // namespace

std::optional<std::string> metric_named(const Given<std::string> &word, Findings &findings)
{
	return meaning("metric", kMetrics, word, findings);
}

bool is_model_word(std::string_view word)
{
	return find(kModels, word) != nullptr;
}

std::optional<std::string> model_named(const Given<std::string> &word, Findings &findings)
{
	if (word.value.empty() || word.value.size() > kMostModelName) {
		findings.error(word.place, "the name of a model has 1 to " + std::to_string(kMostModelName) + " bytes");
		return std::nullopt;
	}
	const Word *found = find(kModels, word.value);
	if (!found)
		return word.value;
	if (found->meaning.empty())
		findings.warning(word.place,
			"there is no model " + quoted(word.value) + " here: lsa is used, trained on the collection's own chunks");
	return "lsa";
}

bool is_tfidf(std::string_view word)
{
	const std::string name = lower(word);
	return name == "tfidf" || name == "tf-idf";
}

std::optional<std::string> quantization_named(const Given<std::string> &word, Findings &findings)
{
	return meaning("quantization", kQuantizations, word, findings);
}

std::optional<std::string> type_named(const Given<std::string> &word, Findings &findings)
{
	const std::string name = lower(word.value);
	if (find_type(name))
		return name;
	std::vector<std::string_view> known;
	for (const CollectionType &type : types())
		known.push_back(type.name);
	findings.error(word.place, "unknown type " + quoted(word.value) + suggestion(name, known));
	return std::nullopt;
}

std::optional<std::string> category_named(const Given<std::string> &word, Findings &findings)
{
	return meaning("category", kCategories, word, findings);
}

std::optional<std::string> text_config_named(const Given<std::string> &word, Findings &findings)
{
	if (!word.value.empty())
		return word.value;
	findings.error(word.place, "must name a text search configuration");
	return std::nullopt;
}

bool check_name(const Given<std::string> &name, Findings &findings)
{
	const std::string &text = name.value;
	bool valid = !text.empty() && text.front() != '.' && text.back() != '.' && text.find("..") == std::string::npos;
	for (const char c : text)
		valid = valid && (is_name_character(c) || c == '.');
	if (!valid)
		findings.error(
			name.place, "invalid name " + quoted(text) +
							": a name is made of letters a to z, digits, \"_\" and \"-\", in parts separated by single dots");
	else if (text.size() > kMostName)
		findings.error(name.place, "name " + quoted(text) + " is too long: it has " + std::to_string(text.size()) + " bytes, " +
									   std::to_string(kMostName) + " is the most");
	return valid && text.size() <= kMostName;
}

std::vector<std::string> checked_patterns(const Section::List &list, Findings &findings)
{
	std::vector<std::string> result;
	if (too_many(list, kMostPatterns, "patterns", findings))
		return result;
	for (const Given<std::string> &item : list.items) {
		std::string_view pattern = item.value;
		while (pattern.starts_with("./"))
			pattern.remove_prefix(2);
		try {
			result.push_back(workspace::Glob(pattern).pattern());
		}
		catch (const Error &error) {
			findings.error(item.place, error.what() + (error.hint().empty() ? "" : " (" + error.hint() + ")"));
		}
	}
	return result;
}

std::vector<std::string> extension_patterns(const Section::List &list, Findings &findings)
{
	std::string all;
	std::size_t count = 0;
	if (too_many(list, kMostPatterns, "extensions", findings))
		return {};
	for (const Given<std::string> &item : list.items) {
		std::string_view extension = item.value;
		if (extension.starts_with('*'))
			extension.remove_prefix(1);
		if (extension.starts_with('.'))
			extension.remove_prefix(1);
		const bool valid = !extension.empty() && extension.size() <= 20 &&
						   std::all_of(extension.begin(), extension.end(),
							   [](char c) { return is_name_character(c) || c == '.' || c == '+' || c == '#'; });
		if (!valid) {
			findings.error(item.place, "not an extension: " + quoted(item.value));
			continue;
		}
		all += (count++ == 0 ? "" : ",") + std::string(extension);
	}
	if (count == 0)
		return {};
	return checked_patterns({{{count == 1 ? "**/*." + all : "**/*.{" + all + "}", list.whole}}, list.whole}, findings);
}

std::vector<std::string> checked_tags(const Section::List &list, Findings &findings)
{
	std::vector<std::string> result;
	if (too_many(list, kMostTags, "tags", findings))
		return result;
	for (const Given<std::string> &item : list.items) {
		bool blank = item.value.empty();
		for (std::size_t at = 0; at < item.value.size();) {
			const txt::Decoded character = txt::decode(item.value, at);
			blank = blank || txt::is_space(character.code_point);
			at += character.length;
		}
		if (blank || txt::count_characters(item.value) > kMostTag)
			findings.error(item.place, "invalid tag " + quoted(item.value) + ": a tag has 1 to " + std::to_string(kMostTag) +
										   " characters and no space");
		else
			result.push_back(item.value);
	}
	return result;
}

}  // namespace vectorizer::config
