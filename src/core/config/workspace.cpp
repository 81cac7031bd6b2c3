#include "core/config/workspace.hpp"

#include "core/config/document.hpp"
#include "core/config/ignored.hpp"
#include "core/config/paths.hpp"
#include "core/config/read_settings.hpp"
#include "core/config/resolve.hpp"
#include "core/config/words.hpp"
#include "core/config/write.hpp"
#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace vectorizer::config {

namespace {

class Reader {
public:
	Reader(std::string_view base, Findings &findings) : base_(base), findings_(findings) {}

	void read(const Node &root, Parsed &parsed)
	{
		std::optional<Section> top = Section::of(root, "", findings_);
		if (!top)
			return;
		parsed.form = form_of(*top);
		read_workspace(*top, parsed.plan.workspace);
		read_templates(*top);
		read_global(*top);
		if (std::optional<Section> defaults = top->section("defaults")) {
			defaults_ = settings_.all(*defaults);
			overlay(defaults_, settings_.of_project(*defaults), kOwn);
			defaults->finish();
		}
		read_processing(*top);
		read_file_watcher(*top);
		ignore_at_top(*top);
		read_projects(*top, parsed.plan.projects);
		top->finish("x-");
	}

private:
	static constexpr std::size_t kMostPlanBytes = 16U << 20;

	static Form form_of(Section &top)
	{
		constexpr std::array kOfVerbose{"global", "processing", "monitoring", "validation", "file_watcher"};
		const bool verbose = std::any_of(kOfVerbose.begin(), kOfVerbose.end(), [&](const char *key) { return top.take(key); });
		return verbose && !top.take("templates") && !top.take("defaults") ? Form::kVerbose : Form::kSimplified;
	}

	static void read_workspace(Section &top, Workspace &workspace)
	{
		const Node *node = top.take("workspace");
		if (node && node->kind == Node::Kind::kScalar) {
			workspace.name = node->text;
			return;
		}
		std::optional<Section> map = top.section("workspace");
		if (!map)
			return;
		workspace.name = text_or_empty(*map, "name");
		workspace.version = text_or_empty(*map, "version");
		workspace.description = text_or_empty(*map, "description");
		map->take("created_at");
		map->take("last_updated");
		map->finish();
	}

	static std::string text_or_empty(Section &map, std::string_view key)
	{
		std::optional<Given<std::string>> text = map.text(key);
		return text ? std::move(text->value) : std::string();
	}

	void read_templates(Section &top)
	{
		std::optional<Section> all = top.section("templates");
		if (!all)
			return;
		read_kind(*all, "embeddings", templates_.embeddings, &SettingsReader::embedding);
		read_kind(*all, "indexing", templates_.indexing, &SettingsReader::indexing);
		read_kind(*all, "processing", templates_.processing, &SettingsReader::processing);
		all->finish();
	}

	void read_kind(Section &all, std::string_view kind, TemplateMap &into, Settings (SettingsReader::*read_one)(Section &))
	{
		std::optional<Section> named = all.section(kind);
		if (!named)
			return;
		for (const Entry &entry : named->entries()) {
			Settings &settings = into[entry.key];
			if (entry.value->kind == Node::Kind::kNull)
				continue;
			if (std::optional<Section> map = Section::of(*entry.value, named->place_of(entry).path, findings_)) {
				settings = (settings_.*read_one)(*map);
				map->finish();
			}
		}
	}

	void read_global(Section &top)
	{
		std::optional<Section> global = top.section("global");
		if (!global)
			return;
		read_part(*global, "default_embedding", kOfMap, &SettingsReader::embedding);
		read_part(*global, "default_indexing", kOfMap, &SettingsReader::indexing);
		read_part(*global, "processing", kOfMap, &SettingsReader::processing);
		read_part(*global, "default_collection", kOwn, &SettingsReader::own);
		global->finish();
	}

	void read_part(Section &global, std::string_view key, int strength, Settings (SettingsReader::*read_one)(Section &))
	{
		std::optional<Section> part = global.section(key);
		if (!part)
			return;
		const Settings settings = (settings_.*read_one)(*part);
		part->finish();
		if (global_.dimension && settings.dimension && global_.dimension->value != settings.dimension->value)
			findings_.warning(settings.dimension->place, "differs from " + global_.dimension->place.path + ", and counts");
		overlay(global_, settings, strength);
	}

	void read_processing(Section &top)
	{
		std::optional<Section> processing = top.section("processing");
		if (!processing)
			return;
		ignore_in_processing(*processing);
		if (std::optional<Section> files = processing->section("file_processing")) {
			ignore_in_file_processing(*files);
			if (const auto skip = files->boolean("skip_hidden_files"))
				skip_hidden_ = skip->value;
			set_file_limit(settings_.max_file_bytes(*files));
			files->finish();
		}
		processing->finish();
	}

	/// A file would have to pass both limits.
	void set_file_limit(Settings::Maybe<std::int64_t> limit)
	{
		Settings::Maybe<std::int64_t> &known = global_.max_file_bytes;
		if (known && limit && known->value != limit->value)
			findings_.warning(limit->place, "differs from " + known->place.path + "; the smaller one counts");
		if (limit && (!known || limit->value < known->value))
			known = std::move(limit);
	}

	void read_file_watcher(Section &top)
	{
		std::optional<Section> watcher = top.section("file_watcher");
		if (!watcher)
			return;
		global_.debounce_ms = watcher->integer("debounce_delay_ms", kDebounceMs);
		ignore_in_file_watcher(*watcher);
		watcher->finish();
	}

	void read_projects(Section &top, std::vector<ProjectPlan> &projects)
	{
		const Node *list = top.take("projects");
		const Place place = top.place_of("projects");
		if (list && list->kind != Node::Kind::kSequence) {
			findings_.error(place, "must be a list, not " + described(*list));
			return;
		}
		if (!list || list->items.empty()) {
			findings_.error(place, "there are no projects");
			return;
		}
		for (std::size_t i = 0; i < list->items.size() && fits_; ++i) {
			if (std::optional<Section> map =
					Section::of(*list->items[i], place.path + "[" + std::to_string(i) + "]", findings_))
				projects.push_back(read_project(*map));
		}
	}

	ProjectPlan read_project(Section &map)
	{
		ProjectPlan project;
		const auto name = map.text("name");
		if (!name)
			findings_.error(map.place(), "a project needs a name");
		else if (check_name(*name, findings_) && is_new(project_names_, "projects", *name))
			project.name = name->value;
		read_path(map, project);
		project.description = text_or_empty(map, "description");
		if (const auto enabled = map.boolean("enabled"))
			project.enabled = enabled->value;
		Settings settings = settings_.all(map);
		overlay(settings, settings_.of_project(map), kOwn);
		const Layers layers{&global_, &defaults_, &settings, nullptr};
		resolve_project(project, layers);
		read_collections(map, layers, project);
		map.finish();
		return project;
	}

	void read_path(Section &map, ProjectPlan &project)
	{
		const auto path = map.text("path");
		if (!path || path->value.empty()) {
			findings_.error(path ? path->place : map.place(), "a project needs a path");
			return;
		}
		project.path = absolute_path(path->value, base_);
		if (project.path.empty())
			findings_.error(path->place, "the path " + quoted(path->value) + " is relative, and nobody said to what");
	}

	/// Whether no other has that name; an error if one has.
	bool is_new(std::map<std::string, int> &names, std::string_view what, const Given<std::string> &name)
	{
		const auto [known, fresh] = names.emplace(name.value, name.place.line);
		if (!fresh)
			findings_.error(name.place, "two " + std::string(what) + " have the name " + quoted(name.value) +
											", the other one in line " + std::to_string(known->second));
		return fresh;
	}

	void read_collections(Section &map, const Layers &layers, ProjectPlan &project)
	{
		const Node *list = map.take("collections");
		const Place place = map.place_of("collections");
		if (!list) {
			const Given<std::string> name{project.name, map.place_of("name")};
			if (!name.value.empty() && is_new(collection_names_, "collections", name))
				add(project, resolve_collection(name.value, layers, skip_hidden_, map.place(), findings_), map.place());
			return;
		}
		if (list->kind != Node::Kind::kSequence) {
			findings_.error(place, "must be a list, not " + described(*list));
			return;
		}
		if (list->items.empty())
			findings_.warning(place, "the project has no collections; without this key it would have one of its name");
		for (std::size_t i = 0; i < list->items.size() && fits_; ++i)
			read_collection(
				*list->items[i], {place.path + "[" + std::to_string(i) + "]", list->items[i]->line}, layers, project);
	}

	void read_collection(const Node &node, const Place &place, Layers layers, ProjectPlan &project)
	{
		if (node.kind == Node::Kind::kScalar) {
			const Given<std::string> name{node.text, place};
			if (check_name(name, findings_) && is_new(collection_names_, "collections", name))
				add(project, resolve_collection(name.value, layers, skip_hidden_, place, findings_), place);
			return;
		}
		std::optional<Section> map = Section::of(node, place.path, findings_);
		if (!map)
			return;
		const auto name = map->text("name");
		if (!name)
			findings_.error(place, "a collection needs a name");
		const bool named = name && check_name(*name, findings_) && is_new(collection_names_, "collections", *name);
		std::string description = text_or_empty(*map, "description");
		const Settings settings = settings_.all(*map);
		if (settings.max_file_bytes)
			findings_.ignored(settings.max_file_bytes->place, "ignored: the largest size of files is a project's");
		map->finish();
		layers.collection = &settings;
		CollectionPlan collection =
			resolve_collection(named ? name->value : std::string(), layers, skip_hidden_, place, findings_);
		collection.description = std::move(description);
		if (named)
			add(project, std::move(collection), place);
	}

	/// A megabyte of defaults and ten thousand names would be ten gigabytes.
	void add(ProjectPlan &project, CollectionPlan collection, const Place &place)
	{
		bytes_ += size_of(collection);
		if (bytes_ > kMostPlanBytes) {
			fits_ = false;
			findings_.error(
				place, "what the collections inherit comes to more than " + std::to_string(kMostPlanBytes >> 20) + " MiB");
			return;
		}
		project.collections.push_back(std::move(collection));
	}

	std::string_view base_;
	Findings &findings_;
	Templates templates_;
	SettingsReader settings_{templates_, findings_};
	Settings global_;
	Settings defaults_;
	bool skip_hidden_ = false;
	std::map<std::string, int> project_names_;  // with their lines
	std::map<std::string, int> collection_names_;
	std::size_t bytes_ = 0;
	bool fits_ = true;
};

const Finding *first_error(const std::vector<Finding> &findings)
{
	const auto found =
		std::find_if(findings.begin(), findings.end(), [](const Finding &one) { return one.severity == Severity::kError; });
	return found == findings.end() ? nullptr : &*found;
}

}  // namespace

bool Parsed::ok() const
{
	return !first_error(findings);
}

Parsed parse_workspace(std::string_view yaml, std::string_view base)
{
	Parsed parsed;
	Findings findings;
	const Document document(yaml, findings);
	if (document.root())
		Reader(base, findings).read(*document.root(), parsed);
	parsed.findings = findings.take();
	return parsed;
}

std::string migrate(std::string_view yaml, std::string_view base)
{
	const Parsed parsed = parse_workspace(yaml, base);
	if (const Finding *error = first_error(parsed.findings))
		throw Error(Errc::kInvalidInput,
			"line " + std::to_string(error->line) + (error->path.empty() ? "" : ", " + error->path) + ": " + error->message);
	std::string minimal = write_minimal(parsed.plan, base);
	const Parsed again = parse_workspace(minimal, base);
	// Few lines may be many bytes: what a file says of many collections by one alias is written with each.
	if (const DocumentLimits limits; minimal.size() > limits.bytes)
		throw Error(
			Errc::kLimit, "the minimal form of the workspace file has more than " + std::to_string(limits.bytes) + " bytes");
	if (!again.ok() || again.plan != parsed.plan)
		throw Error(Errc::kInternal, "the minimal form of the workspace file does not mean the same");
	return minimal;
}

}  // namespace vectorizer::config
