#include "core/config/types.hpp"

#include "core/text/file_kinds.hpp"
#include "core/workspace/glob.hpp"
#include "plans.hpp"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

using namespace vectorizer;
using namespace vectorizer::config;

namespace {

/// The types whose patterns take a file of that name.
std::string types_of(const std::string &file)
{
	std::string result;
	for (const CollectionType &type : types()) {
		if (type.name != "custom" && workspace::PatternSet(type.include, {}).matches(file))
			result += (result.empty() ? "" : " ") + std::string(type.name);
	}
	return result;
}

}  // namespace

TEST(ConfigTypes, TakeTheFilesOfTheirCategory)
{
	int extensions = 0;
	for (const txt::FileKind &kind : txt::file_kinds()) {
		std::istringstream list{std::string(kind.extensions)};
		for (std::string extension; list >> extension; ++extensions) {
			const std::string type = kind.language == "columns" ? "" : std::string(txt::category_name(kind.category));
			EXPECT_EQ(types_of("some/where/file." + extension), type) << extension;
			EXPECT_EQ(types_of("file." + extension), type) << extension;
		}
	}
	EXPECT_GT(extensions, 100);
	for (const char *name : {"Makefile", "CMakeLists.txt", "Dockerfile", "Jenkinsfile", "Rakefile", "COPYING", "README"})
		EXPECT_NE(types_of(name).find(txt::category_name(txt::kind_of(name)->category)), std::string::npos) << name;
	EXPECT_EQ(types_of("a/Makefile"), "configuration");
	EXPECT_EQ(types_of("README"), "documentation");
	EXPECT_EQ(types_of("a/photo.jpeg"), "");
	for (const CollectionType &type : types())
		EXPECT_EQ(type.category, type.name == "custom" ? "" : type.name);
}

TEST(ConfigTypes, Sizes)
{
	std::map<std::string_view, std::pair<int, int>> sizes;
	for (const CollectionType &type : types())
		sizes[type.name] = {type.chunk_size, type.chunk_overlap};
	EXPECT_EQ(sizes, (std::map<std::string_view, std::pair<int, int>>{{"code", {256, 25}}, {"documentation", {1024, 128}},
						 {"configuration", {128, 10}}, {"data", {512, 50}}, {"custom", {1200, 150}}}));
	EXPECT_EQ(find_type("custom")->include, std::vector<std::string>{"**"});
	EXPECT_EQ(find_type("prose"), nullptr);
	EXPECT_EQ(default_exclude(), (std::vector<std::string>{"**/node_modules", "**/__pycache__"}));
}

TEST(ConfigTypes, InferredFromNames)
{
	const std::pair<const char *, const char *> kNames[] = {
		{"docs", "documentation"},
		{"platform.guide", "documentation"},
		{"user-manual", "documentation"},
		{"wiki", "documentation"},
		{"open_specs", "documentation"},
		{"README", "documentation"},
		{"rfc", "documentation"},
		{"blog", "documentation"},
		{"release-notes", "documentation"},
		{"src", "code"},
		{"billing.source", "code"},
		{"lib", "code"},
		{"api", "code"},
		{"unit-tests", "code"},
		{"sdk", "code"},
		{"config", "configuration"},
		{"nginx_conf", "configuration"},
		{"settings", "configuration"},
		{"deploy", "configuration"},
		{"infra", "configuration"},
		{"ci", "configuration"},
		{"dataset", "data"},
		{"logs", "data"},
		{"fixtures", "data"},
		{"raw-data", "data"},
		{"misc", "custom"},
		{"docs.internal", "custom"},
		{"doctors", "custom"},
		{"api-docs", "documentation"},
		{"docs-api", "code"},
		{"docs-old", "documentation"},
		{"", "custom"},
		{"docs.", "custom"},
		{"-", "custom"},
		{"docs-2024", "documentation"},
		{"api-docs-old", "documentation"},
	};
	for (const auto &[name, type] : kNames)
		EXPECT_EQ(infer_type(name).name, type) << name;
}
