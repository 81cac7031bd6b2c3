#include "core/config/workspace.hpp"

#include "core/config/words.hpp"
#include "plans.hpp"

#include <gtest/gtest.h>

#include <regex>

using namespace vectorizer::config;

namespace {

using Pairs = std::vector<std::pair<const char *, const char *>>;

Parsed parse(const std::string &yaml)
{
	return parse_workspace(yaml, kBase);
}

std::string findings(const std::string &yaml)
{
	return shown(parse(yaml).findings);
}

/// What is said of a project with these keys, from line 4.
std::string of_project(const std::string &keys)
{
	return findings("projects:\n- name: p\n  path: p\n" + keys);
}

/// The first collection of a document without findings.
CollectionPlan first(const std::string &yaml)
{
	const Parsed parsed = parse(yaml);
	EXPECT_EQ(shown(parsed.findings), "") << yaml;
	if (parsed.plan.projects.empty() || parsed.plan.projects[0].collections.empty())
		return {};
	return parsed.plan.projects[0].collections[0];
}

/// The collection of a project that has one with these keys.
CollectionPlan collection(const std::string &keys, const std::string &above = "")
{
	return first(above + "projects: [{name: p, path: p, collections: [{name: c, " + keys + "}]}]\n");
}

/// What is said of a project's only collection with these keys; its path is shown as C.
std::string of_collection(const std::string &keys, const std::string &above = "")
{
	const std::string yaml = above + "projects: [{name: p, path: p, collections: [{name: c, " + keys + "}]}]\n";
	return std::regex_replace(findings(yaml), std::regex(R"(projects\[0\]\.collections\[0\])"), "C");
}

}  // namespace

TEST(Workspace, TheSmallest)
{
	const Parsed parsed = parse("projects:\n  - name: notes\n    path: notes\n");
	EXPECT_EQ(shown(parsed.findings), "");
	EXPECT_TRUE(parsed.ok());
	EXPECT_EQ(parsed.form, Form::kSimplified);
	ASSERT_EQ(parsed.plan.projects.size(), 1u);
	ProjectPlan project;
	project.name = "notes";
	project.path = "/srv/workspace/notes";
	CollectionPlan collection;
	collection.name = "notes";
	collection.type = "documentation";
	collection.include = find_type("documentation")->include;
	collection.exclude = default_exclude();
	collection.chunk_size = 1024;
	collection.chunk_overlap = 128;
	project.collections = {collection};
	EXPECT_EQ(parsed.plan.projects[0], project);
}

TEST(Workspace, Simplified)
{
	const Parsed parsed = parse(file_of_tree("test/data/workspace/simplified.yml"));
	EXPECT_EQ(shown(parsed.findings), "");
	EXPECT_EQ(parsed.form, Form::kSimplified);
	EXPECT_EQ(parsed.plan.workspace.name, "notebook");
	ASSERT_EQ(parsed.plan.projects.size(), 3u);
	const auto &[handbook, settings, measurements] =
		std::tie(parsed.plan.projects[0], parsed.plan.projects[1], parsed.plan.projects[2]);
	ASSERT_EQ(handbook.collections.size(), 3u);
	EXPECT_EQ(handbook.path, "/srv/workspace/handbook");
	const CollectionPlan &docs = handbook.collections[0];
	EXPECT_EQ(docs.type, "documentation");
	EXPECT_EQ(docs.include, find_type("documentation")->include);
	EXPECT_EQ(docs.exclude, (std::vector<std::string>{"**/drafts", "**/node_modules"}));
	EXPECT_EQ(docs.text_config, "simple");
	EXPECT_EQ(docs.chunk_size, 1024);
	const CollectionPlan &guide = handbook.collections[1];
	EXPECT_EQ(guide.type, "documentation");
	EXPECT_EQ(guide.chunk_size, 2400);
	EXPECT_EQ(guide.chunk_overlap, 300);
	EXPECT_EQ(guide.tags, (std::vector<std::string>{"api", "public"}));
	const CollectionPlan &scripts = handbook.collections[2];
	EXPECT_EQ(scripts.include, find_type("code")->include);
	EXPECT_EQ(scripts.chunk_size, 256);
	EXPECT_EQ(scripts.dimension, 100);
	EXPECT_EQ(scripts.m, 8);
	EXPECT_EQ(scripts.ef_construction, 48);
	EXPECT_EQ(scripts.quantization.type, "scalar");
	EXPECT_EQ(scripts.quantization.bits, 4);
	EXPECT_EQ(settings.path, "/srv/settings");
	ASSERT_EQ(settings.collections.size(), 1u);
	EXPECT_EQ(settings.collections[0].name, "settings");
	EXPECT_EQ(settings.collections[0].type, "configuration");
	EXPECT_FALSE(measurements.enabled);
	EXPECT_EQ(measurements.path, "/srv/measurements");
	ASSERT_EQ(measurements.collections.size(), 2u);
	EXPECT_EQ(measurements.collections[0].include, std::vector<std::string>{"**/*.csv"});
	EXPECT_EQ(measurements.collections[0].chunk_size, 400);
	EXPECT_EQ(measurements.collections[0].chunk_overlap, 50);
	EXPECT_EQ(measurements.collections[0].dimension, 100);
	EXPECT_EQ(measurements.collections[0].k1, 1.6);
	EXPECT_EQ(measurements.collections[1].include, std::vector<std::string>{"notes/**/*.md"});
	EXPECT_EQ(measurements.collections[1].category, "documentation");
}

TEST(Workspace, TheStrongerPlaceCounts)
{
	const std::string global =
		"global: {default_embedding: {dimension: 50}, default_indexing: {parameters: {m: 10}}, "
		"processing: {chunk_size: 500, chunk_overlap: 50}}\n";
	EXPECT_EQ(collection("", global).dimension, 50);
	EXPECT_EQ(collection("", global + "defaults: {dimension: 60}\n").dimension, 60);
	EXPECT_EQ(
		first(global + "defaults: {dimension: 60}\nprojects: [{name: p, path: p, embedding: {dimension: 70}}]").dimension, 70);
	EXPECT_EQ(
		first(global + "projects: [{name: p, path: p, embedding: {dimension: 70}, collections: [{name: c, dimension: 80}]}]")
			.dimension,
		80);
	EXPECT_EQ(
		first(global + "projects: [{name: p, path: p, indexing: {m: 12}, collections: [{name: c, indexing: {ef_search: 40}}]}]")
			.m,
		12);
	EXPECT_EQ(collection("indexing: {ef_search: 40}", global).m, 10);
	// What is said for all counts before what a name implies, and after a type that is named.
	EXPECT_EQ(first(global + "projects: [{name: docs, path: p}]").chunk_size, 500);
	EXPECT_EQ(collection("type: documentation", global).chunk_size, 1024);
	EXPECT_EQ(collection("type: documentation, chunk_size: 300", global + "defaults: {chunk_overlap: 7}\n").chunk_size, 300);
	EXPECT_EQ(first("defaults: {type: code}\nprojects: [{name: docs, path: p}]").chunk_size, 256);
	EXPECT_EQ(collection("processing: {template: a, chunk_overlap: 1}",
				  "templates: {processing: {a: {chunk_size: 700, chunk_overlap: 70}}}\n")
				  .chunk_overlap,
		1);
	EXPECT_EQ(collection("type: code, processing: a", "templates: {processing: {a: {chunk_size: 700, chunk_overlap: 70}}}\n")
				  .chunk_size,
		700);
}

TEST(Workspace, WordsOfOthers)
{
	for (const auto &[word, metric] : Pairs{{"euclidean", "l2"}, {"l2", "l2"}, {"dot_product", "ip"}, {"dot", "ip"},
			 {"ip", "ip"}, {"inner_product", "ip"}, {"Cosine", "cosine"}})
		EXPECT_EQ(collection("metric: " + std::string(word)).metric, metric) << word;
	for (const char *word : {"bm25", "tfidf", "tf-idf", "svd", "lsa", "native", "default", "BM25"}) {
		EXPECT_EQ(collection("embedding: {model: " + std::string(word) + "}").model, "lsa") << word;
		EXPECT_EQ(collection("embedding: " + std::string(word)).model, "lsa") << word;
	}
	EXPECT_EQ(collection("embedding: {model: my-model}").model, "my-model");
	EXPECT_EQ(of_collection("embedding: {model: bert}"),
		"warning 1 C.embedding.model: there is no model \"bert\" here: lsa is used, trained on the collection's own chunks\n");
	EXPECT_EQ(of_collection("embedding: {model: tfidf, parameters: {k1: 2}}"),
		"ignored 1 C.embedding.parameters.k1: ignored: tf-idf has no such parameter\n");
	const CollectionPlan scalar = collection("quantization: {type: sq, bits: 4}");
	EXPECT_EQ(scalar.quantization.type, "scalar");
	EXPECT_EQ(scalar.quantization.bits, 4);
	EXPECT_EQ(collection("quantization: pq").quantization.type, "product");
	EXPECT_EQ(collection("quantization: none", "defaults: {quantization: {type: sq, bits: 8}}\n").quantization.bits, 0);
	EXPECT_EQ(collection("quantization: {type: pq, subspaces: 48}").quantization, (Quantization{"product", 0, 48, 0}));
	EXPECT_EQ(collection("quantization: {subspaces: 48}").quantization, (Quantization{"product", 0, 48, 0}));
	EXPECT_EQ(collection("quantization: {target_bytes: 64}").quantization, (Quantization{"auto", 0, 0, 64}));
	EXPECT_EQ(of_collection("quantization: {type: pq, target_bytes: 64}"),
		"ignored 1 C.quantization.target_bytes: ignored: only auto codes have target_bytes\n");
	EXPECT_EQ(of_collection("quantization: {type: sq, bits: 16}"),
		"warning 1 C.quantization.bits: scalar codes have 8, 4 or 2 bits, not 16: 8 are used\n");
	EXPECT_EQ(of_collection("quantization: {type: binary, bits: 1}"),
		"ignored 1 C.quantization.bits: ignored: only scalar codes have bits\n");
	EXPECT_EQ(of_collection("indexing: {index_type: ivf}"),
		"warning 1 C.indexing.index_type: there is no index of type \"ivf\" here: hnsw is used\n");
}

TEST(Workspace, Patterns)
{
	EXPECT_EQ(collection("include: [./docs/**, ././a/*.md]").include, (std::vector<std::string>{"docs/**", "a/*.md"}));
	EXPECT_EQ(collection("processing: {include_patterns: ['**/*.c'], exclude_patterns: [out]}").exclude,
		std::vector<std::string>{"out"});
	EXPECT_EQ(collection("include: []").include, std::vector<std::string>());
	EXPECT_EQ(of_collection("include: [a, '/b']").find("error 1 C.include[1]: invalid glob pattern \"/b\": "), 0u);
	EXPECT_NE(of_collection("include: ['{a']").find("error"), std::string::npos);
	EXPECT_NE(of_collection("include: ['./']").find("pattern is empty"), std::string::npos);
	EXPECT_NE(of_collection("include: [a, [b]]").find("include[1]: must be text, not a list"), std::string::npos);
	const std::string extensions = "global: {processing: {supported_extensions: [.md, '*.txt', rst]}}\n";
	EXPECT_EQ(collection("", extensions).include, std::vector<std::string>{"**/*.{md,txt,rst}"});
	EXPECT_EQ(collection("include: [a]", extensions).include, std::vector<std::string>{"a"});
	EXPECT_EQ(collection("processing: {include: [a], supported_extensions: [md]}").include, std::vector<std::string>{"a"});
	EXPECT_EQ(
		collection("", "global: {processing: {supported_extensions: md}}\n").include, std::vector<std::string>{"**/*.md"});
	EXPECT_NE(of_collection("processing: {supported_extensions: [a/b]}").find("not an extension: \"a/b\""), std::string::npos);
	EXPECT_EQ(collection("exclude: [a]", "processing: {file_processing: {skip_hidden_files: true}}\n").exclude,
		(std::vector<std::string>{"a", "**/.*"}));
	EXPECT_EQ(of_collection("processing: {include: [a], include_patterns: [b]}"),
		"warning 1 C.processing.include_patterns: C.processing.include is the same setting, and counts\n");
}

TEST(Workspace, Ranges)
{
	for (const char *good : {"dimension: 8", "dimension: 2000", "chunk_size: 100000", "chunk_size: 64, chunk_overlap: 32",
			 "chunk_overlap: 0", "indexing: {m: 2, ef_construction: 4}", "indexing: {m: 100, ef_construction: 1000}",
			 "indexing: {ef_search: 1000}", "embedding: {k1: 0, b: 1}", "embedding: {parameters: {k1: 10, b: 0.0}}"})
		EXPECT_EQ(of_collection(good), "") << good;
	for (const auto &[bad, path] :
		Pairs{{"dimension: 7", "dimension"}, {"dimension: 2001", "dimension"}, {"chunk_size: 63", "chunk_size"},
			{"chunk_size: 100001", "chunk_size"}, {"chunk_overlap: -1", "chunk_overlap"}, {"indexing: {m: 1}", "indexing.m"},
			{"indexing: {m: 101}", "indexing.m"}, {"indexing: {ef_construction: 3}", "indexing.ef_construction"},
			{"indexing: {ef_construction: 1001}", "indexing.ef_construction"},
			{"indexing: {parameters: {ef_search: 1001}}", "indexing.parameters.ef_search"},
			{"embedding: {k1: 10.5}", "embedding.k1"}, {"embedding: {b: -0.1}", "embedding.b"},
			{"embedding: {b: .nan}", "embedding.b"}, {"embedding: {b: nan}", "embedding.b"}, {"dimension: '100'", "dimension"},
			{"dimension: many", "dimension"}, {"dimension: 1e2", "dimension"}, {"dimension: 99999999999", "dimension"},
			{"dimension: [1]", "dimension"}})
		EXPECT_EQ(of_collection(bad).substr(0, of_collection(bad).find(": ")), "error 1 C." + std::string(path)) << bad;
	EXPECT_EQ(of_collection("dimension: 7"), "error 1 C.dimension: must be between 8 and 2000, not 7\n");
	EXPECT_EQ(of_collection("dimension: '100'"), "error 1 C.dimension: must be a whole number, not \"100\"\n");

	EXPECT_EQ(
		of_project("  debounce_ms: 60001\n"), "error 4 projects[0].debounce_ms: must be between 0 and 60000, not 60001\n");
	EXPECT_EQ(of_project("  max_file_size_mb: 0\n"), "error 4 projects[0].max_file_size_mb: must be more than 0\n");
	EXPECT_EQ(
		of_project("  max_file_size_mb: 257\n"), "error 4 projects[0].max_file_size_mb: must be between 0 and 256, not 257\n");
	EXPECT_EQ(of_project("  enabled: maybe\n"), "error 4 projects[0].enabled: must be true or false, not maybe\n");
	EXPECT_EQ(of_project("  scan_interval_seconds: 0\n"),
		"error 4 projects[0].scan_interval_seconds: must be between 1 and 86400, not 0\n");
}

TEST(Workspace, SettingsThatGoTogether)
{
	EXPECT_EQ(of_collection("chunk_size: 100, chunk_overlap: 51"),
		"error 1 C.chunk_overlap: chunk_overlap must be between 0 and half of chunk_size, 50, not 51\n");
	EXPECT_EQ(of_collection("chunk_size: 200"),
		"warning 1 C.chunk_size: the inherited chunk_overlap, 150, is more than half of chunk_size: 100 is used\n");
	EXPECT_EQ(of_collection("chunk_overlap: 700"),
		"error 1 C.chunk_overlap: chunk_overlap must be between 0 and half of chunk_size, 600, not 700\n");
	EXPECT_EQ(of_collection("indexing: {m: 40, ef_construction: 79}"),
		"error 1 C.indexing.ef_construction: ef_construction must be at least twice m, 80, not 79\n");
	EXPECT_EQ(of_collection("indexing: {m: 40}"),
		"warning 1 C.indexing.m: the inherited ef_construction, 64, is less than twice m: 80 is used\n");
	EXPECT_EQ(of_collection("dimension: 100, embedding: {dimension: 50}"),
		"warning 1 C.dimension: differs from C.embedding.dimension, and counts\n");
	EXPECT_EQ(of_collection("dimension: 100, embedding: {dimension: 100}"), "");
	EXPECT_EQ(of_collection("chunk_size: 600, processing: {chunk_size: 500}"),
		"warning 1 C.chunk_size: differs from C.processing.chunk_size, and counts\n");
	EXPECT_EQ(findings("defaults: {chunk_size: 100, chunk_overlap: 90}\nprojects: [{name: p, path: p, collections: [a, b]}]"),
		"error 1 defaults.chunk_overlap: chunk_overlap must be between 0 and half of chunk_size, 50, not 90\n")
		<< "once, not with every collection";
}

TEST(Workspace, UnknownKeysAndWords)
{
	EXPECT_EQ(of_collection("chunk_sise: 300"), "warning 1 C.chunk_sise: unknown key: did you mean \"chunk_size\"?\n");
	EXPECT_EQ(of_collection("colour: red"), "warning 1 C.colour: unknown key\n");
	EXPECT_EQ(findings("project: []\nprojects: [{name: p, path: p}]\n"),
		"warning 1 project: unknown key: did you mean \"projects\"?\n");
	EXPECT_EQ(findings("x-notes: {a: 1}\nprojects: [{name: p, path: p}]\n"), "");
	EXPECT_EQ(of_collection("metric: cosin"), "error 1 C.metric: unknown metric \"cosin\": did you mean \"cosine\"?\n");
	EXPECT_EQ(of_collection("type: documents"),
		"error 1 C.type: unknown type \"documents\"; there are code, documentation, configuration, data, custom\n");
	EXPECT_EQ(of_collection("quantization: scaler"),
		"error 1 C.quantization: unknown quantization \"scaler\": did you mean \"scalar\"?\n");
	EXPECT_EQ(of_collection("category: codes"), "error 1 C.category: unknown category \"codes\": did you mean \"code\"?\n");
	EXPECT_EQ(of_collection("embedding: fsat", "templates: {embeddings: {fast: {dimension: 100}}}\n"),
		"error 2 C.embedding: there is no template \"fsat\" for embedding: did you mean \"fast\"?\n");
	EXPECT_EQ(
		of_collection("indexing: {template: x}"), "error 1 C.indexing.template: there is no template \"x\" for indexing\n");
	EXPECT_EQ(
		of_collection("tags: ['a b']"), "error 1 C.tags[0]: invalid tag \"a b\": a tag has 1 to 50 characters and no space\n");
	EXPECT_EQ(of_collection("text_config: ''"), "error 1 C.text_config: must name a text search configuration\n");
}

TEST(Workspace, NamesAndPaths)
{
	EXPECT_EQ(findings("projects: []\n"), "error 1 projects: there are no projects\n");
	EXPECT_EQ(findings("workspace: w\n"), "error 1 projects: there are no projects\n");
	EXPECT_EQ(findings("- a\n"), "error 1 : must be a map, not a list\n");
	EXPECT_EQ(findings("projects: {a: b}\n"), "error 1 projects: must be a list, not a map\n");
	EXPECT_EQ(findings("projects:\n- path: p\n"), "error 2 projects[0]: a project needs a name\n");
	EXPECT_EQ(findings("projects:\n- name: p\n"), "error 2 projects[0]: a project needs a path\n");
	EXPECT_EQ(findings("projects:\n- name: p\n  path: ''\n"), "error 3 projects[0].path: a project needs a path\n");
	EXPECT_EQ(findings("projects:\n- p\n"), "error 2 projects[0]: must be a map, not p\n");
	EXPECT_EQ(shown(parse_workspace("projects: [{name: p, path: p}]", "").findings),
		"error 1 projects[0].path: the path \"p\" is relative, and nobody said to what\n");
	EXPECT_EQ(shown(parse_workspace("projects: [{name: p, path: /p}]", "").findings), "");
	EXPECT_EQ(findings("projects:\n- {name: p, path: p, collections: [a]}\n- {name: p, path: q, collections: [b]}\n"),
		"error 3 projects[1].name: two projects have the name \"p\", the other one in line 2\n");
	EXPECT_EQ(findings("projects:\n- {name: p, path: p, collections: [a]}\n- {name: q, path: q, collections: [{name: a}]}\n"),
		"error 3 projects[1].collections[0].name: two collections have the name \"a\", the other one in line 2\n");
	EXPECT_EQ(
		of_project("  collections:\n  - description: x\n"), "error 5 projects[0].collections[0]: a collection needs a name\n");
	EXPECT_EQ(of_project("  collections: []\n"),
		"warning 4 projects[0].collections: the project has no collections; without this key it would have one of its name\n");
	EXPECT_EQ(of_project("  collections:\n"), "");
	Findings heard;
	for (const char *name : {"a", "A-b_c.d9", "1", "-", "x.y.z"})
		EXPECT_TRUE(check_name({name, {}}, heard)) << name;
	for (const char *name : {"", ".", "a.", ".a", "a..b", "a b", "a/b", "caf\xC3\xA9", "a:b", "a\n"})
		EXPECT_FALSE(check_name({name, {}}, heard)) << name;
	EXPECT_TRUE(check_name({std::string(50, 'a'), {}}, heard));
	EXPECT_FALSE(check_name({std::string(51, 'a'), {}}, heard));
}

TEST(Workspace, OfProjects)
{
	const Parsed parsed = parse(
		"file_watcher: {debounce_delay_ms: 70}\nglobal: {processing: {max_file_size_mb: 2}}\n"
		"processing: {file_processing: {max_file_size_mb: 1.5}}\n"
		"projects: [{name: a, path: a}, {name: b, path: b, debounce_ms: 5, max_file_size_mb: 3, scan_interval_seconds: 9},\n"
		"  {name: c, path: c, processing: {max_file_size_mb: 4}}, {name: d, path: d, max_file_bytes: 77}]");
	EXPECT_EQ(shown(parsed.findings),
		"warning 3 processing.file_processing.max_file_size_mb: "
		"differs from global.processing.max_file_size_mb; the smaller one counts\n");
	ASSERT_EQ(parsed.plan.projects.size(), 4u);
	EXPECT_EQ(parsed.plan.projects[0].debounce_ms, 70);
	EXPECT_EQ(parsed.plan.projects[0].max_file_bytes, 3 << 19);
	EXPECT_EQ(parsed.plan.projects[0].scan_interval_seconds, 300);
	EXPECT_EQ(parsed.plan.projects[1].debounce_ms, 5);
	EXPECT_EQ(parsed.plan.projects[1].max_file_bytes, 3 << 20);
	EXPECT_EQ(parsed.plan.projects[1].scan_interval_seconds, 9);
	EXPECT_EQ(parsed.plan.projects[2].max_file_bytes, 4 << 20);
	EXPECT_EQ(parsed.plan.projects[3].max_file_bytes, 77);
	EXPECT_EQ(of_collection("processing: {max_file_size_mb: 3}"),
		"ignored 1 C.processing.max_file_size_mb: ignored: the largest size of files is a project's\n");
}

TEST(Workspace, LimitsOfWhatIsInherited)
{
	std::string yaml = "defaults: {include: [";
	for (int i = 0; i < 999; ++i)
		yaml += "'" + std::string(400, 'x') + std::to_string(i) + "', ";
	yaml += "x]}\nprojects: [{name: p, path: p, collections: [";
	for (int i = 0; i < 10000; ++i)
		yaml += "c" + std::to_string(i) + ", ";
	yaml += "c]}]\n";
	const Parsed parsed = parse(yaml);
	EXPECT_FALSE(parsed.ok());
	EXPECT_NE(shown(parsed.findings).find("comes to more than 16 MiB"), std::string::npos);
	EXPECT_LT(parsed.plan.projects[0].collections.size(), 100u);
}

TEST(Workspace, FindingsHaveALimit)
{
	std::string yaml = "projects:\n";
	for (int i = 0; i < 3000; ++i)
		yaml += "- {name: p" + std::to_string(i) + "}\n";
	const Parsed parsed = parse(yaml);
	EXPECT_FALSE(parsed.ok());
	ASSERT_EQ(parsed.findings.size(), 1001u);
	EXPECT_EQ(parsed.findings.back().message, "more findings than 1000: 2000 are left out");
}
