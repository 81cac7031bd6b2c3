// Every kernel of every instruction set that this machine has, against the scalar reference.
#include "core/simd/distance.hpp"
#include "guarded.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace vectorizer::simd::test {
namespace {

std::vector<std::size_t> lengths()
{
	std::vector<std::size_t> all;
	for (std::size_t d = 0; d <= 200; d++)
		all.push_back(d);
	for (std::size_t d : {255, 256, 257, 300, 383, 384, 385, 511, 768, 1023, 1536, 4097, 15999, 16000})
		all.push_back(d);
	return all;
}

class KernelsTest : public testing::TestWithParam<const char *> {
protected:
	void SetUp() override
	{
		if (kernels_for(GetParam()) == nullptr)
			GTEST_SKIP() << "this processor has no " << GetParam();
	}

	const Kernels &tested() const { return *kernels_for(GetParam()); }
	const Kernels &reference_ = reference_kernels();
	std::mt19937 random_{7};
};

// The rounding of d additions of terms of one size.
float tolerance(std::size_t d, double magnitude)
{
	return static_cast<float>((1e-6 + 1e-8 * static_cast<double>(d)) * magnitude + 1e-6);
}

void compare_floats(const Kernels &tested, const Kernels &reference, const float *a, const float *b, std::size_t d)
{
	const CosineParts parts = tested.cosine_parts(a, b, d);
	const CosineParts expected = reference.cosine_parts(a, b, d);
	const float products = tolerance(d, std::sqrt(double{expected.norm_a} * expected.norm_b));
	EXPECT_NEAR(tested.l2_squared(a, b, d), reference.l2_squared(a, b, d), tolerance(d, reference.l2_squared(a, b, d)));
	EXPECT_NEAR(tested.inner_product(a, b, d), reference.inner_product(a, b, d), products);
	EXPECT_NEAR(tested.l1(a, b, d), reference.l1(a, b, d), tolerance(d, reference.l1(a, b, d)));
	EXPECT_NEAR(parts.dot, expected.dot, products);
	EXPECT_NEAR(parts.norm_a, expected.norm_a, tolerance(d, expected.norm_a));
	EXPECT_NEAR(parts.norm_b, expected.norm_b, tolerance(d, expected.norm_b));
}

TEST_P(KernelsTest, FloatsAgreeAtEveryLengthBetweenGuardPages)
{
	std::normal_distribution<float> normal;
	Guarded a_end(16000 * sizeof(float)), b_end(16000 * sizeof(float));
	for (std::size_t d : lengths()) {
		SCOPED_TRACE("d = " + std::to_string(d));
		for (bool at_end : {true, false}) {
			float *a = at_end ? a_end.last<float>(d) : a_end.first<float>();
			float *b = at_end ? b_end.last<float>(d) : b_end.first<float>();
			for (std::size_t i = 0; i < d; i++) {
				a[i] = normal(random_);
				b[i] = normal(random_);
			}
			compare_floats(tested(), reference_, a, b, d);
		}
	}
}

TEST_P(KernelsTest, FloatsNeedNoAlignment)
{
	std::normal_distribution<float> normal;
	const std::size_t d = 93;
	std::vector<float> a(d + 16), b(d + 16);
	for (std::size_t i = 0; i < a.size(); i++) {
		a[i] = normal(random_);
		b[i] = normal(random_);
	}
	for (std::size_t offset = 0; offset < 16; offset++)
		compare_floats(tested(), reference_, a.data() + offset, b.data() + 15 - offset, d);
}

// Extremes as well as random values: -128 and 255 saturate a 16-bit product of bytes that is not widened first.
template <typename T>
void fill(T *bytes, std::size_t count, std::mt19937 &random, int pattern)
{
	for (std::size_t i = 0; i < count; i++) {
		if (pattern == 0)
			bytes[i] = static_cast<T>(random());
		else if (std::is_signed_v<T>)
			bytes[i] = static_cast<T>(pattern == 1 ? -128 : 127);
		else
			bytes[i] = static_cast<T>(255);
	}
}

TEST_P(KernelsTest, CodesOfEightBitsAgreeExactly)
{
	Guarded query_end(16000), code_end(16000);
	for (std::size_t d : lengths()) {
		SCOPED_TRACE("d = " + std::to_string(d));
		for (int pattern = 0; pattern < 3; pattern++) {
			for (bool at_end : {true, false}) {
				auto *query = at_end ? query_end.last<std::int8_t>(d) : query_end.first<std::int8_t>();
				auto *code = at_end ? code_end.last<std::uint8_t>(d) : code_end.first<std::uint8_t>();
				fill(query, d, random_, pattern);
				fill(code, d, random_, pattern);
				EXPECT_EQ(tested().dot_s8_u8(query, code, d), reference_.dot_s8_u8(query, code, d));
			}
		}
	}
}

TEST_P(KernelsTest, CodesOfFourBitsAgreeExactly)
{
	Guarded query_end(16000), code_end(8000);
	for (std::size_t d : lengths()) {
		SCOPED_TRACE("d = " + std::to_string(d));
		const std::size_t bytes = (d + 1) / 2;
		for (int pattern = 0; pattern < 3; pattern++) {
			for (bool at_end : {true, false}) {
				auto *query = at_end ? query_end.last<std::int8_t>(d) : query_end.first<std::int8_t>();
				auto *code = at_end ? code_end.last<std::uint8_t>(bytes) : code_end.first<std::uint8_t>();
				fill(query, d, random_, pattern);
				fill(code, bytes, random_, pattern);
				if (d % 2 != 0)
					code[bytes - 1] &= 15;
				EXPECT_EQ(tested().dot_s8_u4(query, code, d), reference_.dot_s8_u4(query, code, d));
			}
		}
	}
}

TEST_P(KernelsTest, CodesInPlanesAgreeExactly)
{
	Guarded query_end(16000 + 8), code_end(4000);
	for (std::size_t d : lengths()) {
		for (std::size_t bits : {2, 1}) {
			SCOPED_TRACE("d = " + std::to_string(d) + ", bits = " + std::to_string(bits));
			const std::size_t planes = 8 / bits, bytes = (d + planes - 1) / planes;
			for (int pattern = 0; pattern < 3; pattern++) {
				for (bool at_end : {true, false}) {
					auto *query = at_end ? query_end.last<std::int8_t>(planes * bytes) : query_end.first<std::int8_t>();
					auto *code = at_end ? code_end.last<std::uint8_t>(bytes) : code_end.first<std::uint8_t>();
					fill(query, d, random_, pattern);
					std::fill(query + d, query + planes * bytes, std::int8_t{0});
					fill(code, bytes, random_, pattern);
					if (bits == 2)
						EXPECT_EQ(tested().dot_s8_u2(query, code, d), reference_.dot_s8_u2(query, code, d));
					else
						EXPECT_EQ(tested().dot_s8_u1(query, code, d), reference_.dot_s8_u1(query, code, d));
				}
			}
		}
	}
}

TEST_P(KernelsTest, CodesInPlanesUnderL1Agree)
{
	std::normal_distribution<float> normal;
	Guarded query_end(16000 * sizeof(float)), code_end(4000);
	for (std::size_t d : lengths()) {
		SCOPED_TRACE("d = " + std::to_string(d));
		auto *query = query_end.last<float>(d);
		for (std::size_t i = 0; i < d; i++)
			query[i] = normal(random_);
		auto *pairs = code_end.last<std::uint8_t>((d + 3) / 4);
		fill(pairs, (d + 3) / 4, random_, 0);
		const float expected2 = reference_.l1_u2(query, pairs, -1.5F, 0.9F, d);
		EXPECT_NEAR(tested().l1_u2(query, pairs, -1.5F, 0.9F, d), expected2, tolerance(d, expected2));
		auto *bits = code_end.last<std::uint8_t>((d + 7) / 8);
		fill(bits, (d + 7) / 8, random_, 0);
		const float expected1 = reference_.l1_u1(query, bits, -0.8F, 1.6F, d);
		EXPECT_NEAR(tested().l1_u1(query, bits, -0.8F, 1.6F, d), expected1, tolerance(d, expected1));
	}
}

TEST_P(KernelsTest, TablesAgree)
{
	std::normal_distribution<float> normal;
	for (std::size_t d : {0, 1, 2, 3, 7, 16, 19, 75}) {
		SCOPED_TRACE("d = " + std::to_string(d));
		Guarded query_end(d * sizeof(float)), table_end(d * 256 * sizeof(float));
		auto *query = query_end.last<float>(d);
		auto *table = table_end.last<float>(d * 256);
		for (std::size_t i = 0; i < d; i++)
			query[i] = normal(random_);
		for (std::size_t i = 0; i < d * 256; i++)
			table[i] = normal(random_);
		const auto compare = [&](auto kernel) {
			std::vector<float> found(256), expected(256);
			(tested().*kernel)(query, table, d, found.data());
			(reference_.*kernel)(query, table, d, expected.data());
			for (std::size_t c = 0; c < 256; c++)
				EXPECT_NEAR(found[c], expected[c], 1e-5 * static_cast<double>(d + 1)) << "column " << c;
		};
		compare(&Kernels::columns_l2);
		compare(&Kernels::columns_inner_product);
		compare(&Kernels::columns_l1);
		Guarded code_end(d);
		auto *code = code_end.last<std::uint8_t>(d);
		fill(code, d, random_, 0);
		EXPECT_NEAR(tested().sum_of_entries(table, code, d), reference_.sum_of_entries(table, code, d),
		            1e-5 * static_cast<double>(d + 1));
	}
}

TEST_P(KernelsTest, TheNearestColumnIsTheFirstOfTheLeast)
{
	for (int round = 0; round < 600; round++) {
		std::vector<float> distances(256);
		for (float &distance : distances)
			distance = static_cast<float>(random_() % 100);
		if (round < 256)
			distances[static_cast<std::size_t>(round)] = -1;
		EXPECT_EQ(tested().nearest_column(distances.data()), reference_.nearest_column(distances.data()));
	}
	const std::vector<float> infinite(256, std::numeric_limits<float>::infinity());
	EXPECT_EQ(tested().nearest_column(infinite.data()), 0U);
}

TEST_P(KernelsTest, CodesUnderL1Agree)
{
	std::normal_distribution<float> normal;
	Guarded query_end(16000 * sizeof(float)), code_end(16000);
	for (std::size_t d : lengths()) {
		SCOPED_TRACE("d = " + std::to_string(d));
		for (bool at_end : {true, false}) {
			float *query = at_end ? query_end.last<float>(d) : query_end.first<float>();
			for (std::size_t i = 0; i < d; i++)
				query[i] = normal(random_);
			auto *wide = at_end ? code_end.last<std::uint8_t>(d) : code_end.first<std::uint8_t>();
			fill(wide, d, random_, 0);
			const float expected8 = reference_.l1_u8(query, wide, -3, 0.02F, d);
			EXPECT_NEAR(tested().l1_u8(query, wide, -3, 0.02F, d), expected8, tolerance(d, expected8));
			const std::size_t bytes = (d + 1) / 2;
			auto *narrow = at_end ? code_end.last<std::uint8_t>(bytes) : code_end.first<std::uint8_t>();
			fill(narrow, bytes, random_, 0);
			if (d % 2 != 0)
				narrow[bytes - 1] &= 15;
			const float expected4 = reference_.l1_u4(query, narrow, -3, 0.4F, d);
			EXPECT_NEAR(tested().l1_u4(query, narrow, -3, 0.4F, d), expected4, tolerance(d, expected4));
		}
	}
}

TEST_P(KernelsTest, SumsOverflowToInfinityAndNoFurther)
{
	for (std::size_t d : {1, 7, 33, 100}) {
		const std::vector<float> a(d, 1e38F), b(d, -1e38F);
		EXPECT_EQ(tested().l2_squared(a.data(), b.data(), d), std::numeric_limits<float>::infinity());
		EXPECT_EQ(tested().inner_product(a.data(), b.data(), d), -std::numeric_limits<float>::infinity());
		EXPECT_EQ(tested().l2_squared(a.data(), a.data(), d), 0);
	}
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, KernelsTest, testing::Values("baseline", "avx2", "avx512"),
                         [](const auto &instance) { return std::string(instance.param); });

TEST(Dispatch, ChoosesTheWidestThatTheProcessorHas)
{
	const Kernels *widest = kernels_for("baseline");
	ASSERT_NE(widest, nullptr);
	for (const char *isa : {"avx2", "avx512"})
		if (kernels_for(isa) != nullptr)
			widest = kernels_for(isa);
	EXPECT_EQ(&kernels(), widest);
	EXPECT_EQ(&kernels(), &kernels());
	EXPECT_EQ(kernels_for("no such thing"), nullptr);
}

}  // namespace
}  // namespace vectorizer::simd::test
