// What the tests of workspace files share: the files of test/data, findings as text, random plans.
#pragma once

#include "core/config/paths.hpp"
#include "core/config/plan.hpp"
#include "core/config/types.hpp"
#include "core/config/workspace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace vectorizer::config {

inline constexpr const char *kBase = "/srv/workspace";

inline std::string file_of_tree(const std::string &path)
{
	const std::filesystem::path top = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path();
	std::ifstream file(top / path, std::ios::binary);
	EXPECT_TRUE(file.good()) << path;
	return {std::istreambuf_iterator<char>(file), {}};
}

inline std::ptrdiff_t lines_of(const std::string &text)
{
	return std::count(text.begin(), text.end(), '\n');
}

/// One a line: "error 3 projects[0].path: message".
inline std::string shown(const std::vector<Finding> &findings)
{
	std::string result;
	for (const Finding &one : findings) {
		const char *severity = one.severity == Severity::kError     ? "error"
							   : one.severity == Severity::kWarning ? "warning"
																	: "ignored";
		result += severity + std::string(" ") + std::to_string(one.line) + " " + one.path + ": " + one.message + "\n";
	}
	return result;
}

/// Plans with everything that could trip a writer: texts that look like something else, settings that most share, some or none.
class RandomPlans {
public:
	explicit RandomPlans(unsigned seed) : random_(seed) {}

	Plan next()
	{
		used_ = 0;
		common_ = collection("common");
		Plan plan;
		plan.workspace = {text(), text(), text()};
		for (int i = between(1, 5); i > 0; --i)
			plan.projects.push_back(project());
		return plan;
	}

private:
	int between(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }
	bool one_in(int n) { return between(1, n) == 1; }

	template <typename T>
	const T &any(const std::vector<T> &of)
	{
		return of[static_cast<std::size_t>(between(0, static_cast<int>(of.size()) - 1))];
	}

	std::string text()
	{
		static const std::vector<std::string> kTexts{
			"",
			"a guide",
			"yes",
			"No",
			"null",
			"~",
			"1.0",
			"0x1F",
			"1e3",
			".5",
			"-",
			"- a",
			"a: b",
			"#x",
			"a #b",
			" leading",
			"trailing ",
			"two  blanks",
			"[a",
			"{b}",
			"a, b",
			"\"quoted\"",
			"it's",
			"back\\slash",
			"tab\there",
			"line\nbreak",
			"\r\n",
			"caf\xC3\xA9",
			"\xE2\x80\xA8",
			"\xEF\xBB\xBFmark",
			"\xF0\x9F\x98\x80",
			"\xC2\x85",
			"\x01\x1F\x7F",
			"*alias",
			"&anchor",
			"!tag",
			"%percent",
			"@at",
			"`",
			"|",
			">",
			"?",
			"? a",
			":",
			"::",
			"<<",
			"---",
			"...",
			"=",
			"/",
			"//",
			"_",
			"y",
			"ON",
			"key: [1, 2]",
			"// comment",
			"100%",
			"a\\nb",
			std::string(300, 'x'),
			"\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
			"\xEF\xBF\xBE",
		};
		return any(kTexts);
	}

	/// Any that Glob takes; a leading "./" is dropped when it is read.
	std::vector<std::string> patterns()
	{
		static const std::vector<std::string> kPatterns{
			"**",
			"**/*.md",
			"docs/**",
			"*.{c,h}",
			"[!a-z]*",
			"a b",
			"caf\xC3\xA9/**",
			"#notes/*",
			"\\*",
			"x: y",
			"{a,b}/**/[#]",
			"~",
			"true",
			"1.5",
			"- x",
			"**/.*",
		};
		std::vector<std::string> result;
		for (int i = between(0, one_in(10) ? 40 : 3); i > 0; --i)
			result.push_back(any(kPatterns));
		return result;
	}

	std::string name()
	{
		static const std::vector<std::string> kWords{
			"docs", "src", "config", "data", "api", "true", "1", "x_y", "Team-A", "null"};
		return any(kWords) + (one_in(2) ? "." + any(kWords) : "") + "." + std::to_string(used_++) +
			   (one_in(2) ? "-" + any(kWords) : "");
	}

	CollectionPlan collection(const std::string &named)
	{
		CollectionPlan plan;
		plan.name = named;
		plan.description = one_in(2) ? text() : "";
		const CollectionType &type = one_in(3) ? types()[static_cast<std::size_t>(between(0, 4))] : infer_type(named);
		plan.type = type.name;
		plan.include = one_in(2) ? patterns() : type.include;
		plan.exclude = one_in(3) ? patterns() : default_exclude();
		plan.chunk_size = one_in(2) ? between(64, 100000) : type.chunk_size;
		plan.chunk_overlap = one_in(2) ? between(0, plan.chunk_size / 2) : std::min(type.chunk_overlap, plan.chunk_size / 2);
		if (one_in(3))
			plan.text_config = any<std::string>({"simple", "german", "pg_catalog.english", "my config", "true"});
		if (one_in(2))
			plan.dimension = between(8, 2000);
		if (one_in(3))
			plan.metric = any<std::string>({"cosine", "l2", "ip"});
		if (one_in(4))
			plan.model = any<std::string>({"lsa", "my-model", "true", "all: models", "1"});
		if (one_in(3))
			plan.k1 = between(0, 1000) / 100.0;
		if (one_in(4))
			plan.b = std::uniform_real_distribution(0.0, 1.0)(random_);
		if (one_in(3))
			plan.m = between(2, 100);
		plan.ef_construction = one_in(3) ? between(std::max(4, 2 * plan.m), 1000) : std::max(64, 2 * plan.m);
		if (one_in(3))
			plan.ef_search = between(1, 1000);
		if (one_in(2))
			plan.quantization.type = any<std::string>({"auto", "none", "scalar", "product", "binary"});
		if (plan.quantization.type == "scalar")
			plan.quantization.bits = any<int>({0, 8, 4, 2});
		if (plan.quantization.type == "product")
			plan.quantization.subspaces = any<int>({0, 1, 48});
		if (plan.quantization.type == "auto")
			plan.quantization.target_bytes = any<int>({0, 64});
		if (one_in(3))
			plan.tags = any<std::vector<std::string>>({{"a"}, {"#b", "c:d"}, {"1", "yes", "\xC3\xA9"}});
		if (one_in(3))
			plan.category = any<std::string>({"", "code", "documentation", "configuration", "data", "mixed"});
		return plan;
	}

	/// Half of them have much in common.
	CollectionPlan some_collection(const std::string &named)
	{
		CollectionPlan plan = collection(named);
		if (one_in(2))
			return plan;
		CollectionPlan like = common_;
		like.name = named;
		like.type = plan.type;
		if (one_in(3))
			like.include = plan.include;
		if (one_in(3))
			like.k1 = plan.k1;
		if (one_in(3)) {
			like.chunk_size = plan.chunk_size;
			like.chunk_overlap = plan.chunk_overlap;
		}
		return like;
	}

	ProjectPlan project()
	{
		ProjectPlan plan;
		plan.name = name();
		plan.path = absolute_path(any<std::string>({"a", ".", "..", "/", "/srv/workspace/b c", "/srv/workspaces", "yes", "x/#y",
									  "/tmp/\xC3\xA9", "-"}),
			kBase);
		plan.description = text();
		plan.enabled = !one_in(4);
		if (one_in(3))
			plan.scan_interval_seconds = between(1, 86400);
		if (one_in(2))
			plan.debounce_ms = any<int>({0, 500, 60000});
		if (one_in(2))
			plan.max_file_bytes = any<std::int64_t>({1, 1 << 20, 10 << 20, 12345678, 256 << 20});
		if (one_in(10))
			return plan;
		if (one_in(5)) {
			plan.collections.push_back(some_collection(plan.name));
			return plan;
		}
		for (int i = between(1, 6); i > 0; --i)
			plan.collections.push_back(some_collection(name()));
		return plan;
	}

	std::mt19937 random_;
	int used_ = 0;
	CollectionPlan common_;
};

}  // namespace vectorizer::config
