// The verbose form on a whole file of it, and what becomes of it in few lines.
#include "core/config/workspace.hpp"
#include "core/config/write.hpp"
#include "core/error.hpp"
#include "plans.hpp"

#include <gtest/gtest.h>

using namespace vectorizer;
using namespace vectorizer::config;

namespace {

std::string verbose_file()
{
	return file_of_tree("test/data/workspace/verbose.yml");
}

}  // namespace

TEST(VerboseWorkspace, IsRead)
{
	const Parsed parsed = parse_workspace(verbose_file(), kBase);
	EXPECT_TRUE(parsed.ok());
	EXPECT_EQ(parsed.form, Form::kVerbose);
	EXPECT_EQ(parsed.plan.workspace.name, "company-search");
	EXPECT_EQ(parsed.plan.workspace.version, "2.4.0");
	ASSERT_EQ(parsed.plan.projects.size(), 12u);
	std::size_t collections = 0;
	for (const ProjectPlan &project : parsed.plan.projects) {
		collections += project.collections.size();
		EXPECT_EQ(project.debounce_ms, 2000);
		EXPECT_EQ(project.max_file_bytes, 10 << 20);
		EXPECT_EQ(project.enabled, project.name != "legacy-portal");
	}
	EXPECT_EQ(collections, 37u);

	const ProjectPlan &gateway = parsed.plan.projects[0];
	EXPECT_EQ(gateway.path, "/srv/workspace/gateway");
	CollectionPlan wanted;
	wanted.name = "gateway.src";
	wanted.description = "Source code of the gateway service";
	wanted.type = "code";
	wanted.include = {"src/**/*.rs", "crates/**/*.rs", "build.rs"};
	wanted.exclude = {"**/target/**", "**/benches/data/**", "**/.*"};
	wanted.chunk_size = 2048;
	wanted.chunk_overlap = 256;
	wanted.dimension = 384;
	wanted.k1 = 1.5;
	wanted.b = 0.6;
	wanted.ef_construction = 200;
	wanted.ef_search = 64;
	wanted.quantization.type = "scalar";
	wanted.quantization.bits = 8;
	EXPECT_EQ(gateway.collections[0], wanted);
}

TEST(VerboseWorkspace, SaysWhatIsIgnored)
{
	const std::string found = shown(parse_workspace(verbose_file(), kBase).findings);
	std::string paths;
	std::istringstream lines(found);
	for (std::string severity, line, path, rest; lines >> severity >> line >> path && std::getline(lines, rest);) {
		EXPECT_EQ(severity, "ignored") << path;
		EXPECT_EQ(rest.substr(0, 10), " ignored: ") << path;
		EXPECT_GT(rest.size(), 30u) << path << ": no reason";
		paths += path;
	}
	EXPECT_EQ(paths, "global.default_collection.compression:"
					 "processing.parallel_processing:processing.max_concurrent_projects:processing.max_concurrent_collections:"
					 "processing.file_processing.batch_size:processing.memory:"
					 "processing.error_handling.max_retries:processing.error_handling.retry_delay_seconds:"
					 "processing.error_handling.continue_on_error:processing.error_handling.log_errors:"
					 "monitoring:validation:file_watcher.hash_validation_enabled:file_watcher.grpc_enabled:");
}

TEST(VerboseWorkspace, MinimalIsAtMostThreeTenths)
{
	const std::string verbose = verbose_file();
	const Plan plan = parse_workspace(verbose, kBase).plan;
	const std::string minimal = migrate(verbose, kBase);
	EXPECT_LE(10 * lines_of(minimal), 3 * lines_of(verbose)) << minimal;
	for (std::size_t begin = 0, end = 0; (end = minimal.find('\n', begin)) != std::string::npos; begin = end + 1)
		EXPECT_LE(end - begin, 130u) << "few lines, not long ones";

	const Parsed again = parse_workspace(minimal, kBase);
	EXPECT_EQ(shown(again.findings), "");
	EXPECT_EQ(again.form, Form::kSimplified);
	EXPECT_TRUE(again.plan == plan);
	EXPECT_EQ(migrate(minimal, kBase), minimal);
	// It moves with its folder.
	EXPECT_EQ(parse_workspace(minimal, "/elsewhere").plan.projects[0].path, "/elsewhere/gateway");
}

TEST(VerboseWorkspace, WhatTheSwitchesOfOthersBecome)
{
	const Parsed parsed =
		parse_workspace("processing: {file_processing: {skip_binary_files: false}}\nfile_watcher: {enabled: false}\n"
						"validation: 1\nmonitoring: [x]\nprojects: [{name: p, path: /p}]\n",
			"");
	EXPECT_TRUE(parsed.ok());
	EXPECT_EQ(parsed.form, Form::kVerbose);
	EXPECT_EQ(shown(parsed.findings),
		"ignored 1 processing.file_processing.skip_binary_files: "
		"ignored: binary files are always skipped, there is no text in them\n"
		"ignored 2 file_watcher.enabled: ignored: projects are watched; `enabled: false` of a project pauses it\n"
		"ignored 3 validation: ignored: the whole file is checked whenever it is read, and the paths when projects are added\n"
		"ignored 4 monitoring: ignored: what happens is in vectorizer.activity, the views beside it and the server's log\n");
}

TEST(VerboseWorkspace, MigrateSaysWhatIsWrong)
{
	try {
		migrate("projects:\n- {name: p, path: p, dimension: 3}\n", kBase);
		FAIL();
	}
	catch (const Error &error) {
		EXPECT_EQ(error.code(), Errc::kInvalidInput);
		EXPECT_STREQ(error.what(), "line 2, projects[0].dimension: must be between 8 and 2000, not 3");
	}
	EXPECT_THROW(migrate("a: [", kBase), Error);
}
