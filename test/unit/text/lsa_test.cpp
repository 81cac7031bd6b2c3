#include "core/text/lsa.hpp"

#include "core/error.hpp"

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

using namespace vectorizer;
using namespace vectorizer::txt;

namespace {

using Terms = std::vector<TermCount>;

LsaOptions dimensions(std::uint32_t dimension)
{
	LsaOptions options;
	options.dimension = dimension;
	return options;
}

// Documents about one topic each: lexemes of the topic's own range, and some that all topics share.
struct Topics {
	LsaCorpus corpus;
	std::vector<Terms> documents;
	std::vector<int> topic;
	static constexpr std::uint32_t kOwn = 40;
	static constexpr std::uint32_t kShared = 20;
	static constexpr int kTopics = 5;
	static constexpr std::uint32_t kVocabulary = kTopics * kOwn + kShared;

	explicit Topics(int count, std::uint32_t seed = 1)
	{
		std::mt19937 random(seed);
		for (int i = 0; i < count; ++i) {
			topic.push_back(i % kTopics);
			std::map<std::uint32_t, std::uint32_t> counts;
			for (int n = 0; n < 12; ++n)
				++counts[static_cast<std::uint32_t>(topic.back()) * kOwn + random() % kOwn];
			for (int n = 0; n < 6; ++n)
				++counts[kTopics * kOwn + random() % kShared];
			Terms terms;
			for (auto [lexeme, tf] : counts)
				terms.push_back({lexeme, tf});
			corpus.add(terms);
			documents.push_back(terms);
		}
	}
};

double cosine(std::span<const float> a, std::span<const float> b)
{
	double dot = 0;
	for (std::size_t i = 0; i < a.size(); ++i)
		dot += static_cast<double>(a[i]) * static_cast<double>(b[i]);
	return dot;
}

std::vector<float> embedding(const LsaModel &model, const Terms &terms)
{
	std::vector<float> out(model.dimension, 7.0F);
	if (!embed(model, terms, out)) {
		EXPECT_TRUE(std::all_of(out.begin(), out.end(), [](float x) { return x == 0; }));
		return {};
	}
	EXPECT_NEAR(cosine(out, out), 1.0, 1e-5);
	return out;
}

template <typename Function>
Errc code_of(Function function)
{
	try {
		function();
	}
	catch (const Error &error) {
		return error.code();
	}
	return Errc::kInternal;
}

}  // namespace

TEST(Lsa, WeighsByBm25)
{
	LsaWeighting weighting{1.2F, 0.75F, 10};
	EXPECT_NEAR(bm25_idf(10, 1), std::log(1 + 9.5 / 1.5), 1e-12);
	EXPECT_GT(bm25_idf(10, 10), 0);
	EXPECT_NEAR(bm25_df(20'000, static_cast<float>(bm25_idf(20'000, 17))), 17, 0.01);
	EXPECT_EQ(bm25_df(10, 100), 0);
	EXPECT_NEAR(bm25_weight(weighting, 2.0, 1, 10), 2.0, 1e-6);
	EXPECT_NEAR(bm25_weight(weighting, 2.0, 3, 20), 2.0 * 3 * 2.2 / (3 + 1.2 * (0.25 + 0.75 * 2)), 1e-5);
	EXPECT_NEAR(bm25_weight({1.2F, 0.75F, 0}, 2.0, 1, 10), 2.0, 1e-6);
	Topics topics(50);
	LsaModel model = train_lsa(topics.corpus, Topics::kVocabulary + 1, dimensions(5), {});
	EXPECT_EQ(model.idf.back(), 0);
	EXPECT_EQ(model.weighting.average_length, 18);
}

// The randomized factorisation against a dense one of the same matrix, built here from the formulas.
TEST(Lsa, FindsTheSingularVectors)
{
	Topics topics(120, 3);
	constexpr std::uint32_t kDimension = 12;
	LsaModel model = train_lsa(topics.corpus, Topics::kVocabulary, dimensions(kDimension), {});
	Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(120, Topics::kVocabulary);
	for (int i = 0; i < 120; ++i) {
		for (TermCount t : topics.documents[static_cast<std::size_t>(i)])
			matrix(i, t.lexeme) = bm25_weight(model.weighting, static_cast<double>(model.idf[t.lexeme]), t.count, 18);
		matrix.row(i).normalize();
	}
	Eigen::JacobiSVD<Eigen::MatrixXd> svd(matrix, Eigen::ComputeThinV);
	ASSERT_EQ(model.rank, kDimension);
	// The five topics stand clear of the rest: their values are exact, their vectors unique up to sign and scale. The
	// values after them are nearly equal, the hardest case of the method.
	for (std::uint32_t j = 0; j < kDimension; ++j) {
		double exact = svd.singularValues()(j);
		EXPECT_NEAR(static_cast<double>(model.singular_values[j]), exact, (j < 5 ? 0.001 : 0.03) * exact) << j;
	}
	for (std::uint32_t j = 0; j < 5; ++j) {
		Eigen::VectorXd found(Topics::kVocabulary);
		for (std::uint32_t lexeme = 0; lexeme < Topics::kVocabulary; ++lexeme)
			found(lexeme) = static_cast<double>(model.vector(lexeme)[j]);
		double agreement = std::abs(found.normalized().dot(svd.matrixV().col(j)));
		EXPECT_GT(agreement, j == 0 ? 0.999 : 0.9) << j;
	}
}

TEST(Lsa, FindsTextsOfOneTopicThatShareNoWord)
{
	Topics topics(400);
	LsaModel model = train_lsa(topics.corpus, Topics::kVocabulary, dimensions(5), {});
	std::vector<float> a = embedding(model, {{0, 1}, {1, 1}, {2, 1}});
	std::vector<float> same = embedding(model, {{10, 1}, {11, 1}, {12, 1}});
	std::vector<float> other = embedding(model, {{50, 1}, {51, 1}, {52, 1}});
	EXPECT_GT(cosine(a, same), 0.8);
	EXPECT_LT(cosine(a, other), 0.3);
}

TEST(Lsa, EmbedsTrainingAndLaterChunksAlike)
{
	Topics topics(100);
	LsaModel model = train_lsa(topics.corpus, Topics::kVocabulary, dimensions(10), {});
	const Terms &terms = topics.documents[7];
	std::vector<float> first = embedding(model, terms);
	std::vector<LsaTerm> rows;
	for (TermCount t : terms)
		rows.push_back({t.count, model.idf[t.lexeme], model.vector(t.lexeme).data()});
	std::vector<float> second(10);
	ASSERT_TRUE(embed(model.weighting, 18, rows, second));
	EXPECT_EQ(first, second);
	// Unknown lexemes add to the length only; the direction hardly moves.
	Terms longer = terms;
	longer.push_back({1000000, 5});
	EXPECT_GT(cosine(first, embedding(model, longer)), 0.99);
}

TEST(Lsa, IsDeterministicAndTakesItsSeed)
{
	Topics topics(100);
	LsaModel a = train_lsa(topics.corpus, Topics::kVocabulary, dimensions(20), {});
	LsaModel b = train_lsa(topics.corpus, Topics::kVocabulary, dimensions(20), {});
	EXPECT_EQ(a.term_vectors, b.term_vectors);
	EXPECT_EQ(a.singular_values, b.singular_values);
	LsaOptions other = dimensions(20);
	other.seed = 2;
	LsaModel c = train_lsa(topics.corpus, Topics::kVocabulary, other, {});
	EXPECT_NE(c.term_vectors, a.term_vectors);
	// The sign of a singular vector is not left to chance: the strong ones are the same from any seed.
	for (std::uint64_t seed = 2; seed < 12; ++seed) {
		other.seed = seed;
		other.dimension = 1;
		LsaModel first = train_lsa(topics.corpus, Topics::kVocabulary, other, {});
		for (std::uint32_t lexeme = 0; lexeme < Topics::kVocabulary; lexeme += 7)
			ASSERT_NEAR(first.vector(lexeme)[0], a.vector(lexeme)[0], 0.02F) << seed;
	}
}

TEST(Lsa, PadsWithZerosWhereTheRankIsSmaller)
{
	LsaCorpus one;
	one.add(Terms{{0, 1}, {2, 3}});
	LsaModel model = train_lsa(one, 4, dimensions(8), {});
	EXPECT_EQ(model.rank, 1U);
	EXPECT_EQ(model.term_vectors.size(), 32U);
	std::vector<float> vector = embedding(model, {{0, 1}});
	ASSERT_EQ(vector.size(), 8U);
	EXPECT_NEAR(vector[0], 1.0F, 1e-6F);
	EXPECT_EQ(std::count(vector.begin(), vector.end(), 0.0F), 7);
	EXPECT_TRUE(embedding(model, {{1, 1}}).empty()) << "a lexeme that no document has";

	LsaCorpus equal;
	for (int i = 0; i < 10; ++i)
		equal.add(Terms{{0, 1}, {1, 2}, {3, 1}});
	EXPECT_EQ(train_lsa(equal, 4, dimensions(8), {}).rank, 1U);

	LsaCorpus ten;
	for (std::uint32_t i = 0; i < 10; ++i)
		ten.add(Terms{{i, 1}, {10, 1}});
	EXPECT_EQ(train_lsa(ten, 11, dimensions(100), {}).rank, 10U);
	EXPECT_EQ(train_lsa(ten, 11, dimensions(3), {}).rank, 3U);
}

TEST(Lsa, DefinesTheEmptyCases)
{
	LsaModel none = train_lsa({}, 3, dimensions(4), {});
	EXPECT_EQ(none.rank, 0U);
	EXPECT_EQ(none.term_vectors.size(), 12U);
	EXPECT_TRUE(embedding(none, {{0, 1}}).empty());
	EXPECT_EQ(train_lsa({}, 0, dimensions(4), {}).rank, 0U);

	LsaCorpus blank;
	blank.add({});
	blank.add({});
	EXPECT_EQ(train_lsa(blank, 3, dimensions(4), {}).rank, 0U);
	blank.add(Terms{{1, 1}});
	LsaModel model = train_lsa(blank, 3, dimensions(4), {});
	EXPECT_EQ(model.rank, 1U);
	EXPECT_TRUE(embedding(model, {}).empty());
	EXPECT_TRUE(embedding(model, {{99, 1}}).empty());
	EXPECT_FALSE(embedding(model, {{1, 4000000000U}}).empty());
}

TEST(Lsa, RefusesBadInput)
{
	LsaCorpus corpus;
	corpus.add(Terms{{0, 1}, {5, 1}});
	EXPECT_EQ(code_of([&] { train_lsa(corpus, 5, dimensions(2), {}); }), Errc::kInvalidInput);
	EXPECT_EQ(code_of([&] { train_lsa(corpus, 6, dimensions(0), {}); }), Errc::kInvalidInput);
	EXPECT_EQ(code_of([&] { train_lsa(corpus, 6, dimensions(16001), {}); }), Errc::kInvalidInput);
	EXPECT_EQ(code_of([&] { train_lsa(corpus, 2000000, dimensions(1000), {}); }), Errc::kLimit);
	LsaOptions options = dimensions(2);
	options.b = std::nanf("");
	EXPECT_EQ(code_of([&] { train_lsa(corpus, 6, options, {}); }), Errc::kInvalidInput);
	LsaCorpus zero;
	zero.add(Terms{{0, 0}});
	EXPECT_EQ(code_of([&] { train_lsa(zero, 1, dimensions(2), {}); }), Errc::kInvalidInput);
	LsaCorpus twice;
	twice.add(Terms{{0, 1}, {0, 1}});
	EXPECT_EQ(code_of([&] { train_lsa(twice, 1, dimensions(2), {}); }), Errc::kInvalidInput);
	Stop now{[](void *) { return true; }, nullptr};
	EXPECT_EQ(code_of([&] { train_lsa(corpus, 6, dimensions(2), now); }), Errc::kCancelled);
}
