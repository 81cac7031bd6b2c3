#include "core/config/paths.hpp"
#include "core/config/shared.hpp"
#include "core/config/write.hpp"
#include "core/config/yaml_text.hpp"
#include "core/error.hpp"

#include <map>
#include <set>

namespace vectorizer::config {

namespace {

constexpr std::int64_t kMegabyte = 1 << 20;

Fields difference(const Embedding &wanted, const Embedding &known)
{
	Fields fields;
	if (wanted.model != known.model)
		fields.emplace_back("model", yaml_text(wanted.model));
	if (wanted.dimension != known.dimension)
		fields.emplace_back("dimension", std::to_string(wanted.dimension));
	if (wanted.k1 != known.k1)
		fields.emplace_back("k1", yaml_number(wanted.k1));
	if (wanted.b != known.b)
		fields.emplace_back("b", yaml_number(wanted.b));
	return fields;
}

Fields difference(const Indexing &wanted, const Indexing &known)
{
	Fields fields;
	if (wanted.m != known.m)
		fields.emplace_back("m", std::to_string(wanted.m));
	if (wanted.ef_construction != known.ef_construction)
		fields.emplace_back("ef_construction", std::to_string(wanted.ef_construction));
	if (wanted.ef_search != known.ef_search)
		fields.emplace_back("ef_search", std::to_string(wanted.ef_search));
	if (wanted.quantization != known.quantization) {
		Fields code{{"type", wanted.quantization.type}};
		for (const CodeNumber &each : kCodeNumbers) {
			if (const int number = wanted.quantization.*each.member; number != 0)
				code.emplace_back(each.key, std::to_string(number));
		}
		fields.emplace_back("quantization", code.size() == 1 ? wanted.quantization.type : yaml_map(code));
	}
	return fields;
}

/// Both if one differs: half of a pair reads badly.
Fields difference(const Chunks &wanted, const Chunks &known)
{
	if (wanted == known)
		return {};
	return {{"chunk_size", std::to_string(wanted.size)}, {"chunk_overlap", std::to_string(wanted.overlap)}};
}

std::string file_limit_key(std::int64_t bytes)
{
	return bytes % kMegabyte == 0 ? "max_file_size_mb" : "max_file_bytes";
}

std::string file_limit(std::int64_t bytes)
{
	return std::to_string(bytes % kMegabyte == 0 ? bytes / kMegabyte : bytes);
}

/// The maps of one kind that collections write, and the names of those that several write.
class TemplateNames {
public:
	void count(const Fields &fields) { ++uses_[fields]; }

	void choose_names()
	{
		constexpr int kSeveral = 3;
		std::set<std::string> taken;
		for (const auto &[fields, uses] : uses_) {
			if (!fields.empty() && uses >= kSeveral)
				names_[fields] = *taken.insert(unlike(taken, name_for(fields))).first;
		}
	}

	void write(YamlLines &out, std::string_view kind) const
	{
		if (names_.empty())
			return;
		out.open(kind);
		for (const auto &[fields, name] : names_)
			out.pair(name, yaml_map(fields));
		out.close();
	}

	bool empty() const { return names_.empty(); }

	/// What a collection writes that differs so.
	std::string value(const Fields &fields) const
	{
		const auto name = names_.find(fields);
		return name == names_.end() ? yaml_map(fields) : name->second;
	}

private:
	/// "dimension_512_k1_1_5": what it is.
	static std::string name_for(const Fields &fields)
	{
		constexpr std::size_t kMost = 60;
		std::string name;
		for (const auto &[key, value] : fields) {
			name += (name.empty() ? "" : "_") + key + "_";
			for (const char c : value) {
				const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
				if (plain || name.back() != '_')
					name += plain ? c : '_';
			}
			while (name.back() == '_')
				name.pop_back();
		}
		return name.substr(0, kMost);
	}

	static std::string unlike(const std::set<std::string> &taken, const std::string &name)
	{
		std::string result = name;
		for (int i = 2; taken.contains(result); ++i)
			result = name + "_" + std::to_string(i);
		return result;
	}

	std::map<Fields, int> uses_;
	std::map<Fields, std::string> names_;
};

class MinimalWriter {
public:
	MinimalWriter(const Plan &plan, std::string_view base) : plan_(plan), base_(base), shared_(shared_of(plan))
	{
		for (const ProjectPlan &project : plan.projects) {
			for (const CollectionPlan &one : project.collections) {
				const CollectionPlan known = inherited(one, shared_);
				embeddings_.count(difference(embedding_of(one), embedding_of(known)));
				indexing_.count(difference(indexing_of(one), indexing_of(known)));
				processing_.count(difference(chunks_of(one), chunks_of(known)));
			}
		}
		embeddings_.choose_names();
		indexing_.choose_names();
		processing_.choose_names();
	}

	std::string write()
	{
		write_workspace();
		write_templates();
		write_defaults();
		out_.open("projects");
		for (const ProjectPlan &project : plan_.projects)
			write_project(project);
		out_.close();
		return out_.text();
	}

private:
	/// A key with a value or, if that is empty, with texts.
	struct Line {
		std::string key;
		std::string value;
		std::vector<std::string> texts;
	};

	void write_lines(const std::vector<Line> &lines)
	{
		for (const Line &line : lines) {
			if (line.value.empty())
				out_.pair(line.key, line.texts);
			else
				out_.pair(line.key, line.value);
		}
	}

	void write_workspace()
	{
		const Workspace &workspace = plan_.workspace;
		if (workspace.version.empty() && workspace.description.empty()) {
			if (!workspace.name.empty())
				out_.pair("workspace", yaml_text(workspace.name));
			return;
		}
		out_.open("workspace");
		for (const auto &[key, text] : std::initializer_list<std::pair<const char *, const std::string &>>{
				 {"name", workspace.name}, {"version", workspace.version}, {"description", workspace.description}}) {
			if (!text.empty())
				out_.pair(key, yaml_text(text));
		}
		out_.close();
	}

	void write_templates()
	{
		if (embeddings_.empty() && indexing_.empty() && processing_.empty())
			return;
		out_.open("templates");
		embeddings_.write(out_, "embeddings");
		indexing_.write(out_, "indexing");
		processing_.write(out_, "processing");
		out_.close();
	}

	void write_defaults()
	{
		const CollectionPlan fresh;
		std::vector<Line> lines;
		if (shared_.embedding)
			lines.push_back({"embedding", yaml_map(difference(*shared_.embedding, embedding_of(fresh))), {}});
		if (shared_.indexing)
			lines.push_back({"indexing", yaml_map(difference(*shared_.indexing, indexing_of(fresh))), {}});
		if (shared_.chunks)
			lines.push_back({"processing", yaml_map(difference(*shared_.chunks, {})), {}});
		if (shared_.include)
			lines.push_back({"include", "", *shared_.include});
		if (shared_.exclude)
			lines.push_back({"exclude", "", *shared_.exclude});
		if (shared_.text_config)
			lines.push_back({"text_config", yaml_text(*shared_.text_config), {}});
		if (shared_.metric)
			lines.push_back({"metric", *shared_.metric, {}});
		if (shared_.tags)
			lines.push_back({"tags", "", *shared_.tags});
		if (shared_.category)
			lines.push_back({"category", yaml_text(*shared_.category), {}});
		add_project_lines(inherited(shared_), ProjectPlan(), lines);
		if (lines.empty())
			return;
		out_.open("defaults");
		write_lines(lines);
		out_.close();
	}

	static void add_project_lines(const ProjectPlan &project, const ProjectPlan &known, std::vector<Line> &lines)
	{
		if (project.scan_interval_seconds != known.scan_interval_seconds)
			lines.push_back({"scan_interval_seconds", std::to_string(project.scan_interval_seconds), {}});
		if (project.debounce_ms != known.debounce_ms)
			lines.push_back({"debounce_ms", std::to_string(project.debounce_ms), {}});
		if (project.max_file_bytes != known.max_file_bytes)
			lines.push_back({file_limit_key(project.max_file_bytes), file_limit(project.max_file_bytes), {}});
	}

	void write_project(const ProjectPlan &project)
	{
		std::vector<Line> lines{{"name", yaml_text(project.name), {}}, {"path", yaml_text(path_from(project.path, base_)), {}}};
		if (!project.description.empty())
			lines.push_back({"description", yaml_text(project.description), {}});
		if (!project.enabled)
			lines.push_back({"enabled", "false", {}});
		add_project_lines(project, inherited(shared_), lines);
		out_.begin_item();
		write_lines(lines);
		write_collections(project);
		out_.end_item();
	}

	void write_collections(const ProjectPlan &project)
	{
		if (project.collections.empty()) {
			out_.pair("collections", "[]");
			return;
		}
		const CollectionPlan &first = project.collections.front();
		if (project.collections.size() == 1 && first.name == project.name && lines_of(first).empty())
			return;
		out_.open("collections");
		for (const CollectionPlan &one : project.collections)
			write_collection(one);
		out_.close();
	}

	void write_collection(const CollectionPlan &collection)
	{
		const std::vector<Line> lines = lines_of(collection);
		if (lines.empty()) {
			out_.item(yaml_text(collection.name));
			return;
		}
		out_.begin_item();
		out_.pair("name", yaml_text(collection.name));
		write_lines(lines);
		out_.end_item();
	}

	/// All that a collection says but for its name.
	std::vector<Line> lines_of(const CollectionPlan &one) const
	{
		const CollectionPlan known = inherited(one, shared_);
		std::vector<Line> lines;
		if (!one.description.empty())
			lines.push_back({"description", yaml_text(one.description), {}});
		if (names_its_type(one))
			lines.push_back({"type", one.type, {}});
		if (one.include != known.include)
			lines.push_back({"include", "", one.include});
		if (one.exclude != known.exclude)
			lines.push_back({"exclude", "", one.exclude});
		if (const Fields fields = difference(embedding_of(one), embedding_of(known)); !fields.empty())
			lines.push_back({"embedding", embeddings_.value(fields), {}});
		if (const Fields fields = difference(indexing_of(one), indexing_of(known)); !fields.empty())
			lines.push_back({"indexing", indexing_.value(fields), {}});
		if (const Fields fields = difference(chunks_of(one), chunks_of(known)); !fields.empty())
			lines.push_back({"processing", processing_.value(fields), {}});
		if (one.text_config != known.text_config)
			lines.push_back({"text_config", yaml_text(one.text_config), {}});
		if (one.metric != known.metric)
			lines.push_back({"metric", one.metric, {}});
		if (one.tags != known.tags)
			lines.push_back({"tags", "", one.tags});
		if (one.category != known.category)
			lines.push_back({"category", yaml_text(one.category), {}});
		return lines;
	}

	const Plan &plan_;
	std::string_view base_;
	Shared shared_;
	TemplateNames embeddings_;
	TemplateNames indexing_;
	TemplateNames processing_;
	YamlLines out_;
};

}  // namespace

std::string write_minimal(const Plan &plan, std::string_view base)
{
	if (plan.projects.empty())
		throw Error(Errc::kInvalidInput, "there are no projects to write");
	return MinimalWriter(plan, base).write();
}

}  // namespace vectorizer::config
