#include "core/config/write.hpp"

#include "core/config/plan_json.hpp"
#include "core/error.hpp"
#include "plans.hpp"

#include <gtest/gtest.h>

using namespace vectorizer;
using namespace vectorizer::config;

namespace {

constexpr int kPlans = 1500;

Plan read(const std::string &yaml, const char *base = kBase)
{
	const Parsed parsed = parse_workspace(yaml, base);
	for (const Finding &one : parsed.findings)
		EXPECT_TRUE(one.severity == Severity::kWarning && one.path.ends_with(".collections")) << shown({one}) << yaml;
	return parsed.plan;
}

}  // namespace

TEST(WriteWorkspace, MinimalReadsBackAsTheSamePlan)
{
	RandomPlans plans(1);
	for (int i = 0; i < kPlans; ++i) {
		const Plan plan = plans.next();
		const std::string yaml = write_minimal(plan, kBase);
		ASSERT_TRUE(read(yaml) == plan) << i << "\n" << yaml << to_json(plan) << "\n" << to_json(read(yaml));
	}
}

TEST(WriteWorkspace, VerboseReadsBackAsTheSamePlan)
{
	RandomPlans plans(2);
	for (int i = 0; i < kPlans; ++i) {
		const Plan plan = plans.next();
		const std::string yaml = write_verbose(plan, kBase);
		ASSERT_TRUE(read(yaml) == plan) << i << "\n" << yaml;
		ASSERT_EQ(parse_workspace(yaml, kBase).form, Form::kVerbose);
		ASSERT_EQ(write_verbose(read(yaml), kBase), yaml);
	}
}

TEST(WriteWorkspace, WithoutABasePathsAreAbsolute)
{
	RandomPlans plans(3);
	for (int i = 0; i < 100; ++i) {
		const Plan plan = plans.next();
		ASSERT_TRUE(read(write_minimal(plan, ""), "") == plan);
		ASSERT_TRUE(read(write_verbose(plan, ""), "") == plan);
	}
}

TEST(WriteWorkspace, MinimalIsNeverLonger)
{
	RandomPlans plans(4);
	for (int i = 0; i < 300; ++i) {
		const Plan plan = plans.next();
		ASSERT_LE(lines_of(write_minimal(plan, kBase)), lines_of(write_verbose(plan, kBase)));
	}
}

TEST(WriteWorkspace, WhatIsSaidOnce)
{
	const std::string yaml =
		"projects:\n"
		"- {name: a, path: a, collections: [{name: a.docs, dimension: 300}, {name: a.src, dimension: 300, exclude: [out]}]}\n"
		"- {name: docs, path: /tmp/docs, collections: [{name: docs, dimension: 300, exclude: [out]}]}\n"
		"- {name: b, path: ., collections: [{name: b.api, dimension: 100, exclude: [out], type: data}, "
		"{name: b.misc, exclude: [out]}]}\n";
	EXPECT_EQ(write_minimal(read(yaml), kBase), "defaults:\n"
												"  embedding: {dimension: 300}\n"
												"  exclude: [out]\n"
												"projects:\n"
												"  - name: a\n"
												"    path: a\n"
												"    collections:\n"
												"      - name: a.docs\n"
												"        exclude: [\"**/node_modules\", \"**/__pycache__\"]\n"
												"      - a.src\n"
												"  - name: docs\n"
												"    path: /tmp/docs\n"
												"  - name: b\n"
												"    path: \".\"\n"
												"    collections:\n"
												"      - name: b.api\n"
												"        type: data\n"
												"        embedding: {dimension: 100}\n"
												"      - name: b.misc\n"
												"        embedding: {dimension: 200}\n");
}

TEST(WriteWorkspace, WhatSeveralSayIsATemplate)
{
	std::string yaml =
		"workspace: {name: w, version: 1.0}\nprojects:\n- name: p\n  path: p\n  collections: [x1, x2, x3, x4, x5";
	for (const char *name : {"a", "b", "c"})
		yaml += std::string(", {name: ") + name +
				", indexing: {m: 32, quantization: {type: sq, bits: 4}}, chunk_size: 500, chunk_overlap: 5}";
	EXPECT_EQ(write_minimal(read(yaml + "]\n"), kBase),
		"workspace:\n"
		"  name: w\n"
		"  version: \"1.0\"\n"
		"templates:\n"
		"  indexing:\n"
		"    m_32_quantization_type_scalar_bits_4: {m: 32, quantization: {type: scalar, bits: 4}}\n"
		"  processing:\n"
		"    chunk_size_500_chunk_overlap_5: {chunk_size: 500, chunk_overlap: 5}\n"
		"projects:\n"
		"  - name: p\n"
		"    path: p\n"
		"    collections:\n"
		"      - x1\n      - x2\n      - x3\n      - x4\n      - x5\n"
		"      - name: a\n"
		"        indexing: m_32_quantization_type_scalar_bits_4\n"
		"        processing: chunk_size_500_chunk_overlap_5\n"
		"      - name: b\n"
		"        indexing: m_32_quantization_type_scalar_bits_4\n"
		"        processing: chunk_size_500_chunk_overlap_5\n"
		"      - name: c\n"
		"        indexing: m_32_quantization_type_scalar_bits_4\n"
		"        processing: chunk_size_500_chunk_overlap_5\n");
}

TEST(WriteWorkspace, NoProjects)
{
	EXPECT_THROW(write_minimal({}, kBase), Error);
	EXPECT_THROW(write_verbose({}, kBase), Error);
}
