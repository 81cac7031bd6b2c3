#include "core/config/plan_json.hpp"

#include "core/config/document.hpp"
#include "core/config/section.hpp"
#include "core/config/yaml_text.hpp"
#include "core/error.hpp"

#include <concepts>

namespace vectorizer::config {

namespace {

std::string json(std::string_view text)
{
	constexpr std::string_view kDigits = "0123456789abcdef";
	std::string result = "\"";
	for (const char c : text) {
		if (c == '"' || c == '\\')
			result += '\\';
		const unsigned byte = static_cast<unsigned char>(c);
		if (byte >= ' ')
			result += c;
		else
			result += {'\\', 'u', '0', '0', kDigits[byte >> 4], kDigits[byte & 15]};
	}
	return result + "\"";
}

std::string json(double number)
{
	return yaml_number(number);
}

template <std::integral T>
std::string json(T number)
{
	return std::to_string(number);
}

std::string json_truth(bool value)
{
	return value ? "true" : "false";
}

template <typename T, typename Write>
std::string json_array(const std::vector<T> &items, Write write)
{
	std::string result = "[";
	for (const T &item : items)
		result += (result.size() == 1 ? "" : ", ") + write(item);
	return result + "]";
}

std::string json(const std::vector<std::string> &texts)
{
	return json_array(texts, [](const std::string &text) { return json(text); });
}

/// Members in the order in which they are added.
class Object {
public:
	template <typename T>
	Object &add(std::string_view key, const T &value)
	{
		return add_raw(key, json(value));
	}
	Object &add_raw(std::string_view key, const std::string &value)
	{
		text_ += (text_.empty() ? "" : ", ") + json(key) + ": " + value;
		return *this;
	}
	std::string text() const { return "{" + text_ + "}"; }

private:
	std::string text_;
};

std::string json(const CollectionPlan &plan)
{
	Object index;
	index.add("m", plan.m).add("ef_construction", plan.ef_construction);
	if (plan.ef_search != 0)
		index.add("ef_search", plan.ef_search);
	index.add("quantization", plan.quantization.type);
	for (const CodeNumber &each : kCodeNumbers) {
		if (const int number = plan.quantization.*each.member; number != 0)
			index.add(each.key, number);
	}
	Object object;
	object.add("name", plan.name).add("description", plan.description).add("type", plan.type);
	object.add("include", plan.include).add("exclude", plan.exclude);
	object.add("chunk_size", plan.chunk_size).add("chunk_overlap", plan.chunk_overlap).add("text_config", plan.text_config);
	object.add("dimension", plan.dimension).add("metric", plan.metric).add("model", plan.model);
	object.add_raw("model_options", Object().add("k1", plan.k1).add("b", plan.b).text()).add_raw("index_options", index.text());
	object.add("tags", plan.tags).add("category", plan.category);
	return object.text();
}

std::string json(const ProjectPlan &plan)
{
	Object object;
	object.add("name", plan.name)
		.add("path", plan.path)
		.add("description", plan.description)
		.add_raw("enabled", json_truth(plan.enabled));
	object.add("scan_interval_seconds", plan.scan_interval_seconds).add("debounce_ms", plan.debounce_ms);
	object.add("max_file_bytes", plan.max_file_bytes);
	object.add_raw("collections", json_array(plan.collections, [](const CollectionPlan &one) { return json(one); }));
	return object.text();
}

template <typename T>
void set(T &member, std::optional<Given<T>> given)
{
	if (given)
		member = std::move(given->value);
}

void set(std::vector<std::string> &member, std::optional<Section::List> list)
{
	if (!list)
		return;
	member.clear();
	for (Given<std::string> &item : list->items)
		member.push_back(std::move(item.value));
}

void read_options(Section &object, CollectionPlan &plan)
{
	if (std::optional<Section> model = object.section("model_options")) {
		set(plan.k1, model->number("k1", kK1));
		set(plan.b, model->number("b", kB));
		model->finish();
	}
	if (std::optional<Section> index = object.section("index_options")) {
		set(plan.m, index->integer("m", kM));
		set(plan.ef_construction, index->integer("ef_construction", kEfConstruction));
		set(plan.ef_search, index->integer("ef_search", kEfSearch));
		set(plan.quantization.type, index->text("quantization"));
		for (const CodeNumber &each : kCodeNumbers)
			set(plan.quantization.*each.member, index->integer(each.key, Range<int>{0, each.most}));
		index->finish();
	}
}

/// Each object of a list; `read` takes its section.
template <typename Read>
void each_object(Section &object, std::string_view key, Read read)
{
	const Node *list = object.take(key);
	if (!list)
		return;
	const Place place = object.place_of(key);
	if (list->kind != Node::Kind::kSequence)
		object.findings().error(place, "must be a list, not " + described(*list));
	for (std::size_t i = 0; i < list->items.size(); ++i) {
		if (std::optional<Section> one =
				Section::of(*list->items[i], place.path + "[" + std::to_string(i) + "]", object.findings())) {
			read(*one);
			one->finish();
		}
	}
}

void set_required(std::string &member, Section &object, std::string_view key)
{
	std::optional<Given<std::string>> text = object.text(key);
	if (text)
		member = std::move(text->value);
	else
		object.findings().error(object.place(), "there is no " + quoted(key));
}

CollectionPlan read_collection(Section &object)
{
	CollectionPlan plan;
	set_required(plan.name, object, "name");
	set(plan.description, object.text("description"));
	set(plan.type, object.text("type"));
	set(plan.include, object.list("include"));
	set(plan.exclude, object.list("exclude"));
	set(plan.chunk_size, object.integer("chunk_size", kChunkSize));
	set(plan.chunk_overlap, object.integer("chunk_overlap", kChunkOverlap));
	set(plan.text_config, object.text("text_config"));
	set(plan.dimension, object.integer("dimension", kDimension));
	set(plan.metric, object.text("metric"));
	set(plan.model, object.text("model"));
	read_options(object, plan);
	set(plan.tags, object.list("tags"));
	set(plan.category, object.text("category"));
	return plan;
}

ProjectPlan read_project(Section &object)
{
	ProjectPlan plan;
	set_required(plan.name, object, "name");
	set_required(plan.path, object, "path");
	set(plan.description, object.text("description"));
	set(plan.enabled, object.boolean("enabled"));
	set(plan.scan_interval_seconds, object.integer("scan_interval_seconds", kScanIntervalSeconds));
	set(plan.debounce_ms, object.integer("debounce_ms", kDebounceMs));
	set(plan.max_file_bytes, object.integer("max_file_bytes", kMaxFileBytes));
	each_object(object, "collections", [&](Section &one) { plan.collections.push_back(read_collection(one)); });
	return plan;
}

Plan read_plan(const Node &root, Findings &findings)
{
	Plan plan;
	std::optional<Section> top = Section::of(root, "", findings);
	if (!top)
		return plan;
	if (std::optional<Section> workspace = top->section("workspace")) {
		set(plan.workspace.name, workspace->text("name"));
		set(plan.workspace.version, workspace->text("version"));
		set(plan.workspace.description, workspace->text("description"));
		workspace->finish();
	}
	each_object(*top, "projects", [&](Section &one) { plan.projects.push_back(read_project(one)); });
	top->finish();
	return plan;
}

}  // namespace

std::string to_json(const Plan &plan)
{
	const Workspace &workspace = plan.workspace;
	Object described;
	described.add("name", workspace.name).add("version", workspace.version).add("description", workspace.description);
	Object object;
	object.add_raw("workspace", described.text());
	object.add_raw("projects", json_array(plan.projects, [](const ProjectPlan &one) { return json(one); }));
	return object.text();
}

Plan from_json(std::string_view text)
{
	// A plan says for every collection what a file says once.
	constexpr DocumentLimits kLimits{64U << 20, 2'000'000};
	Findings findings;
	const Document document(text, findings, kLimits);
	Plan plan = document.root() ? read_plan(*document.root(), findings) : Plan();
	// Unknown keys are warnings in a file that a person wrote; here a program did.
	for (const Finding &finding : findings.take())
		throw Error(Errc::kInvalidInput,
			"not the JSON of a plan: " + (finding.path.empty() ? "" : finding.path + ": ") + finding.message);
	return plan;
}

}  // namespace vectorizer::config
