#include "core/config/plan_json.hpp"

#include "core/error.hpp"
#include "plans.hpp"

#include <gtest/gtest.h>

using namespace vectorizer;
using namespace vectorizer::config;

namespace {

std::string refused(const std::string &json)
{
	try {
		from_json(json);
		return "taken";
	}
	catch (const Error &error) {
		EXPECT_EQ(error.code(), Errc::kInvalidInput);
		return error.what();
	}
}

}  // namespace

TEST(PlanJson, RoundTrip)
{
	RandomPlans plans(5);
	for (int i = 0; i < 1000; ++i) {
		const Plan plan = plans.next();
		const std::string json = to_json(plan);
		ASSERT_TRUE(from_json(json) == plan) << json;
		ASSERT_EQ(to_json(from_json(json)), json);
	}
	EXPECT_TRUE(from_json(to_json({})) == Plan());
}

TEST(PlanJson, Text)
{
	Plan plan;
	plan.workspace.description = "a \"b\"\n\\ \xC3\xA9";
	ProjectPlan project;
	project.name = "p";
	project.path = "/p";
	CollectionPlan collection;
	collection.name = "c";
	collection.ef_search = 40;
	collection.quantization.type = "scalar";
	collection.quantization.bits = 8;
	project.collections = {collection};
	plan.projects = {project};
	EXPECT_EQ(to_json(plan), R"({"workspace": {"name": "", "version": "", "description": "a \"b\"\u000a\\ )"
							 "\xC3\xA9"
							 R"("}, "projects": [{"name": "p", "path": "/p", "description": "", "enabled": true, )"
							 R"("scan_interval_seconds": 300, "debounce_ms": 1000, "max_file_bytes": 16777216, )"
							 R"("collections": [{"name": "c", "description": "", "type": "custom", "include": ["**"], )"
							 R"("exclude": [], "chunk_size": 1200, "chunk_overlap": 150, "text_config": "english", )"
							 R"("dimension": 200, "metric": "cosine", "model": "lsa", "model_options": {"k1": 1.2, "b": 0.75}, )"
							 R"("index_options": {"m": 16, "ef_construction": 64, "ef_search": 40, "quantization": "scalar", )"
							 R"("bits": 8}, "tags": [], "category": ""}]}]})");
}

TEST(PlanJson, AsTheServerWritesIt)
{
	// jsonb puts keys into another order, and no space less.
	const Plan plan = from_json(R"({"projects":[{"path":"/p","name":"p","collections":[{"name":"c",)"
								R"("index_options":{"m":8,"quantization":"none"},)"
								R"("tags":["\t\"\\/\u0001"],"description":null}]}]})");
	ASSERT_EQ(plan.projects.size(), 1u);
	EXPECT_EQ(plan.projects[0].collections.at(0).m, 8);
	EXPECT_EQ(plan.projects[0].collections.at(0).tags, std::vector<std::string>{"\t\"\\/\x01"});
	EXPECT_EQ(from_json("{}"), Plan());
}

TEST(PlanJson, LargerThanAWorkspaceFile)
{
	Plan plan;
	plan.projects.resize(1);
	plan.projects[0].name = "p";
	plan.projects[0].path = "/p";
	CollectionPlan collection;
	collection.name = "c";
	collection.include.assign(1000, std::string(1000, 'x'));
	plan.projects[0].collections.assign(3, collection);
	EXPECT_TRUE(from_json(to_json(plan)) == plan);
}

TEST(PlanJson, WhatIsRefused)
{
	EXPECT_EQ(refused("[]"), "not the JSON of a plan: must be a map, not a list");
	EXPECT_EQ(refused("{\"project\": []}"), "not the JSON of a plan: project: unknown key: did you mean \"projects\"?");
	EXPECT_EQ(refused("{\"projects\": [{\"name\": \"p\"}]}"), "not the JSON of a plan: projects[0]: there is no \"path\"");
	EXPECT_EQ(refused("{\"projects\": [{\"name\": \"p\", \"path\": \"/\", \"debounce_ms\": -1}]}"),
		"not the JSON of a plan: projects[0].debounce_ms: must be between 0 and 60000, not -1");
	EXPECT_EQ(refused("{\"projects\": {}}"), "not the JSON of a plan: projects: must be a list, not a map");
	EXPECT_EQ(refused("{\"projects\": [], \"projects\": []}"), "not the JSON of a plan: projects: the key is here twice");
	EXPECT_NE(refused(""), "taken");
	EXPECT_NE(refused("{"), "taken");
	EXPECT_NE(refused("{\"a\": "), "taken");
}
