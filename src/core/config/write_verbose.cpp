#include "core/config/paths.hpp"
#include "core/config/write.hpp"
#include "core/config/yaml_text.hpp"
#include "core/error.hpp"

namespace vectorizer::config {

namespace {

constexpr std::int64_t kMegabyte = 1 << 20;

void write_embedding(YamlLines &out, std::string_view key, const CollectionPlan &plan)
{
	out.open(key);
	out.pair("model", yaml_text(plan.model));
	out.pair("dimension", std::to_string(plan.dimension));
	out.open("parameters");
	out.pair("k1", yaml_number(plan.k1));
	out.pair("b", yaml_number(plan.b));
	out.close();
	out.close();
}

void write_indexing(YamlLines &out, std::string_view key, const CollectionPlan &plan)
{
	out.open(key);
	out.pair("index_type", "hnsw");
	out.open("parameters");
	out.pair("m", std::to_string(plan.m));
	out.pair("ef_construction", std::to_string(plan.ef_construction));
	out.pair("ef_search", std::to_string(plan.ef_search));
	out.close();
	out.close();
}

void write_kind(YamlLines &out, const CollectionPlan &plan)
{
	out.pair("dimension", std::to_string(plan.dimension));
	out.pair("metric", plan.metric);
	out.open("quantization");
	out.pair("type", plan.quantization.type);
	for (const CodeNumber &each : kCodeNumbers) {
		if (const int number = plan.quantization.*each.member; number != 0)
			out.pair(each.key, std::to_string(number));
	}
	out.close();
}

void write_patterns(YamlLines &out, std::string_view key, const std::vector<std::string> &patterns)
{
	if (patterns.empty()) {
		out.pair(key, "[]");
		return;
	}
	out.open(key);
	for (const std::string &pattern : patterns)
		out.item(yaml_text(pattern));
	out.close();
}

void write_size(YamlLines &out, std::int64_t bytes)
{
	if (bytes % kMegabyte == 0)
		out.pair("max_file_size_mb", std::to_string(bytes / kMegabyte));
	else
		out.pair("max_file_bytes", std::to_string(bytes));
}

void write_collection(YamlLines &out, const CollectionPlan &plan)
{
	out.begin_item();
	out.pair("name", yaml_text(plan.name));
	if (!plan.description.empty())
		out.pair("description", yaml_text(plan.description));
	out.pair("type", plan.type);
	if (!plan.tags.empty())
		out.pair("tags", plan.tags);
	if (!plan.category.empty())
		out.pair("category", plan.category);
	write_kind(out, plan);
	write_embedding(out, "embedding", plan);
	write_indexing(out, "indexing", plan);
	out.open("processing");
	out.pair("chunk_size", std::to_string(plan.chunk_size));
	out.pair("chunk_overlap", std::to_string(plan.chunk_overlap));
	out.pair("text_config", yaml_text(plan.text_config));
	write_patterns(out, "include_patterns", plan.include);
	write_patterns(out, "exclude_patterns", plan.exclude);
	out.close();
	out.end_item();
}

void write_project(YamlLines &out, const ProjectPlan &plan, std::string_view base)
{
	out.begin_item();
	out.pair("name", yaml_text(plan.name));
	out.pair("path", yaml_text(path_from(plan.path, base)));
	if (!plan.description.empty())
		out.pair("description", yaml_text(plan.description));
	out.pair("enabled", plan.enabled ? "true" : "false");
	out.pair("scan_interval_seconds", std::to_string(plan.scan_interval_seconds));
	out.pair("debounce_ms", std::to_string(plan.debounce_ms));
	write_size(out, plan.max_file_bytes);
	if (plan.collections.empty()) {
		out.pair("collections", "[]");
	} else {
		out.open("collections");
		for (const CollectionPlan &collection : plan.collections)
			write_collection(out, collection);
		out.close();
	}
	out.end_item();
}

}  // namespace

std::string write_verbose(const Plan &plan, std::string_view base)
{
	if (plan.projects.empty())
		throw Error(Errc::kInvalidInput, "there are no projects to write");
	const CollectionPlan fresh;
	YamlLines out;
	out.open("workspace");
	out.pair("name", yaml_text(plan.workspace.name));
	out.pair("version", yaml_text(plan.workspace.version));
	out.pair("description", yaml_text(plan.workspace.description));
	out.close();
	out.blank();
	out.open("global");
	write_embedding(out, "default_embedding", fresh);
	out.open("default_collection");
	write_kind(out, fresh);
	out.close();
	write_indexing(out, "default_indexing", fresh);
	out.close();
	out.blank();
	out.open("projects");
	for (std::size_t i = 0; i < plan.projects.size(); ++i) {
		if (i > 0)
			out.blank();
		write_project(out, plan.projects[i], base);
	}
	out.close();
	return out.text();
}

}  // namespace vectorizer::config
