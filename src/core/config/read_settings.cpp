#include "core/config/read_settings.hpp"

#include "core/config/nearest.hpp"
#include "core/config/types.hpp"
#include "core/config/words.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace vectorizer::config {

namespace {

/// The setting is what `check` makes of it, or nothing.
template <typename Check>
void set_checked(
	Settings::Maybe<std::string> &setting, const std::optional<Given<std::string>> &given, Check check, Findings &findings)
{
	if (!given)
		return;
	if (std::optional<std::string> value = check(*given, findings))
		setting = Given<std::string>{*std::move(value), given->place};
}

/// Two keys for one value: the second counts.
template <typename T>
void set_either(Settings::Maybe<T> &setting, std::optional<Given<T>> first, std::optional<Given<T>> second, Findings &findings)
{
	if (first && second && first->value != second->value)
		findings.warning(first->place, "differs from " + second->place.path + ", which counts");
	setting = second ? std::move(second) : std::move(first);
}

/// A number that stands in a map or in its `parameters`.
template <typename T>
void set_parameter(
	Settings::Maybe<T> &setting, Section &map, std::optional<Section> &parameters, std::string_view key, Range<T> range)
{
	const auto read = [&](Section &from) {
		if constexpr (std::is_same_v<T, double>)
			return from.number(key, range);
		else
			return from.integer(key, range);
	};
	set_either<T>(setting, parameters ? read(*parameters) : std::nullopt, read(map), map.findings());
}

}  // namespace

Settings SettingsReader::embedding(Section &map)
{
	Settings result;
	const std::optional<Given<std::string>> word = map.text("model");
	set_checked(result.model, word, model_named, findings_);
	result.dimension = map.integer("dimension", kDimension);
	std::optional<Section> parameters = map.section("parameters");
	set_parameter(result.k1, map, parameters, "k1", kK1);
	set_parameter(result.b, map, parameters, "b", kB);
	if (parameters)
		parameters->finish();
	if (word && is_tfidf(word->value)) {
		for (auto *setting : {&result.k1, &result.b}) {
			if (*setting)
				findings_.ignored((*setting)->place, "ignored: tf-idf has no such parameter");
			setting->reset();
		}
	}
	return result;
}

Settings SettingsReader::indexing(Section &map)
{
	Settings result;
	if (const auto type = map.text("index_type"); type && type->value != "hnsw" && type->value != "HNSW")
		findings_.warning(type->place, "there is no index of type " + quoted(type->value) + " here: hnsw is used");
	std::optional<Section> parameters = map.section("parameters");
	set_parameter(result.m, map, parameters, "m", kM);
	set_parameter(result.ef_construction, map, parameters, "ef_construction", kEfConstruction);
	set_parameter(result.ef_search, map, parameters, "ef_search", kEfSearch);
	if (parameters)
		parameters->finish();
	result.quantization = quantization(map);
	return result;
}

Settings SettingsReader::processing(Section &map)
{
	Settings result;
	result.chunk_size = map.integer("chunk_size", kChunkSize);
	result.chunk_overlap = map.integer("chunk_overlap", kChunkOverlap);
	result.include = patterns(map, "include", "include_patterns");
	result.exclude = patterns(map, "exclude", "exclude_patterns");
	if (const auto extensions = map.list("supported_extensions")) {
		std::vector<std::string> include = extension_patterns(*extensions, findings_);
		if (!result.include && !include.empty())
			result.include = Given<std::vector<std::string>>{std::move(include), extensions->whole};
	}
	set_checked(result.text_config, map.text("text_config"), text_config_named, findings_);
	result.max_file_bytes = max_file_bytes(map);
	return result;
}

Settings SettingsReader::own(Section &place)
{
	Settings result;
	set_checked(result.type, place.text("type"), type_named, findings_);
	result.include = patterns(place, "include", "include_patterns");
	result.exclude = patterns(place, "exclude", "exclude_patterns");
	result.chunk_size = place.integer("chunk_size", kChunkSize);
	result.chunk_overlap = place.integer("chunk_overlap", kChunkOverlap);
	set_checked(result.text_config, place.text("text_config"), text_config_named, findings_);
	result.dimension = place.integer("dimension", kDimension);
	set_checked(result.metric, place.text("metric"), metric_named, findings_);
	result.quantization = quantization(place);
	if (const auto tags = place.list("tags"))
		result.tags = Given<std::vector<std::string>>{checked_tags(*tags, findings_), tags->whole};
	set_checked(result.category, place.text("category"), category_named, findings_);
	place.ignore("compression", "the server compresses what is long by itself (TOAST)");
	return result;
}

Settings SettingsReader::all(Section &place)
{
	Settings result;
	const Settings self = own(place);
	if (self.type) {
		const CollectionType &type = *find_type(self.type->value);
		result.include = Given<std::vector<std::string>>{type.include, self.type->place};
		result.chunk_size = Given<int>{type.chunk_size, self.type->place};
		result.chunk_overlap = Given<int>{type.chunk_overlap, self.type->place};
	}
	overlay(result, named(place, "embedding", templates_.embeddings, &SettingsReader::embedding), 0);
	overlay(result, named(place, "indexing", templates_.indexing, &SettingsReader::indexing), 0);
	overlay(result, named(place, "processing", templates_.processing, &SettingsReader::processing), 0);
	for_each_setting([&](std::string_view name, auto member) {
		const auto &mine = self.*member;
		const auto &other = result.*member;
		// To differ from a type or a template is what a key of one's own is for; a dimension is the embedding's.
		const int least = name == "dimension" ? kOfTemplate : kOfMap;
		if (mine && other && other->strength >= least && mine->value != other->value)
			findings_.warning(mine->place, "differs from " + other->place.path + ", and counts");
	});
	overlay(result, self, kOwn);
	return result;
}

Settings SettingsReader::of_project(Section &place)
{
	Settings result;
	result.scan_interval_seconds = place.integer("scan_interval_seconds", kScanIntervalSeconds);
	result.debounce_ms = place.integer("debounce_ms", kDebounceMs);
	result.max_file_bytes = max_file_bytes(place);
	return result;
}

Settings::Maybe<std::int64_t> SettingsReader::max_file_bytes(Section &map)
{
	constexpr double kMegabyte = 1 << 20;
	constexpr Range<double> kMegabytes{0, static_cast<double>(kMaxFileBytes.high) / kMegabyte};
	Settings::Maybe<std::int64_t> converted;
	if (const auto megabytes = map.number("max_file_size_mb", kMegabytes)) {
		if (megabytes->value > 0)
			converted =
				Given<std::int64_t>{std::max<std::int64_t>(1, std::llround(megabytes->value * kMegabyte)), megabytes->place};
		else
			findings_.error(megabytes->place, "must be more than 0");
	}
	Settings::Maybe<std::int64_t> result;
	set_either<std::int64_t>(result, converted, map.integer("max_file_bytes", kMaxFileBytes), findings_);
	return result;
}

/// A map, or the name of a template, or a map that names one.
Settings SettingsReader::named(Section &place, std::string_view key, const TemplateMap &templates, Read read)
{
	Settings result;
	const Node *node = place.take(key);
	if (!node)
		return result;
	if (node->kind == Node::Kind::kScalar) {
		const Given<std::string> name = *place.text(key);
		if (key == "embedding" && !templates.contains(name.value) && is_model_word(name.value))
			set_checked(result.model, name, model_named, findings_);
		else
			apply_template(result, name, key, templates);
		return result;
	}
	if (std::optional<Section> map = place.section(key)) {
		if (const auto name = map->text("template"))
			apply_template(result, *name, key, templates);
		overlay(result, (this->*read)(*map), kOfMap);
		map->finish();
	}
	return result;
}

void SettingsReader::apply_template(
	Settings &settings, const Given<std::string> &name, std::string_view kind, const TemplateMap &templates)
{
	if (const auto found = templates.find(name.value); found != templates.end()) {
		overlay(settings, found->second, kOfTemplate);
		return;
	}
	std::vector<std::string_view> known;
	for (const auto &[one, settings_of_it] : templates)
		known.push_back(one);
	findings_.error(
		name.place, "there is no template " + quoted(name.value) + " for " + std::string(kind) + suggestion(name.value, known));
}

Settings::Maybe<std::vector<std::string>> SettingsReader::patterns(Section &map, std::string_view key, std::string_view synonym)
{
	Settings::Maybe<std::vector<std::string>> result;
	for (const std::string_view one : {key, synonym}) {
		const std::optional<Section::List> list = map.list(one);
		if (!list)
			continue;
		if (result)
			findings_.warning(list->whole, result->place.path + " is the same setting, and counts");
		std::vector<std::string> checked = checked_patterns(*list, findings_);
		if (!result)
			result = Given<std::vector<std::string>>{std::move(checked), list->whole};
	}
	return result;
}

Settings::Maybe<Quantization> SettingsReader::quantization(Section &map)
{
	const Node *node = map.take("quantization");
	if (!node)
		return std::nullopt;
	Given<Quantization> result{{}, map.place_of("quantization")};
	Settings::Maybe<std::string> type;
	if (node->kind == Node::Kind::kScalar) {
		set_checked(type, map.text("quantization"), quantization_named, findings_);
		if (!type)
			return std::nullopt;
		result.value.type = type->value;
		return result;
	}
	std::optional<Section> code = map.section("quantization");
	if (!code)
		return std::nullopt;
	const auto word = code->text("type");
	set_checked(type, word, quantization_named, findings_);
	std::optional<std::string> implied = type ? std::optional(type->value) : std::nullopt;
	for (const CodeNumber &each : kCodeNumbers) {
		const auto number = code->integer(each.key, Range<int>{1, each.most});
		if (!number)
			continue;
		if (!implied)
			implied = each.type;
		if (*implied == each.type)
			result.value.*each.member = number->value;
		else
			findings_.ignored(number->place, std::string("ignored: only ") + each.type + " codes have " + each.key);
		if (each.member == &Quantization::bits)
			check_bits(result.value.bits, number->place);
	}
	code->finish();
	if ((word && !type) || !implied)
		return std::nullopt;
	result.value.type = *implied;
	return result;
}

void SettingsReader::check_bits(int &bits, const Place &place)
{
	if (bits == 0 || bits == 8 || bits == 4 || bits == 2)
		return;
	findings_.warning(place, "scalar codes have 8, 4 or 2 bits, not " + std::to_string(bits) + ": 8 are used");
	bits = 8;
}

}  // namespace vectorizer::config
