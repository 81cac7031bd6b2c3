// Latent semantic analysis: dense vectors for texts, learnt from a collection's own chunks.
//
// Deerwester et al. 1990, over a term-chunk matrix weighted by BM25 (Robertson & Zaragoza 2009):
//   idf(t) = ln(1 + (N - df + 0.5) / (df + 0.5))
//   weight = idf * tf (k1 + 1) / (tf + k1 (1 - b + b * length / average))
// each document's row scaled to unit length, the matrix factored by randomized subspace iteration (Halko, Martinsson &
// Tropp 2011, algorithms 4.4 and 5.1). A lexeme's vector is its row of right singular vectors, each column times a
// power of its singular value (README.md). Every text, training chunk, later chunk or query, is embedded by the one
// function embed(): the normalised sum of the vectors of its lexemes times their weights (folding in). So the model is
// a table of rows: lexeme, idf, vector.
//
// Seeded and deterministic: equal input gives equal bits with one build on one processor type.
// Leaf code: train_lsa() throws; embed() does not and allocates nothing.
#pragma once

#include "core/stop.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vectorizer::txt {

struct TermCount {
	std::uint32_t lexeme;  // 0 <= lexeme < vocabulary size
	std::uint32_t count;   // >= 1
};

/// Documents in compressed rows.
class LsaCorpus {
public:
	/// One document; a lexeme stands in it once. `length` counts all its lexemes, those outside the vocabulary too;
	/// 0 takes the sum of the counts. An empty document counts in N and in the average.
	void add(std::span<const TermCount> terms, std::uint64_t length = 0);

	std::size_t size() const { return lengths_.size(); }
	std::size_t terms() const { return terms_.size(); }
	std::span<const TermCount> document(std::size_t i) const
	{
		return std::span(terms_).subspan(offsets_[i], offsets_[i + 1] - offsets_[i]);
	}
	std::uint64_t length(std::size_t i) const { return lengths_[i]; }

private:
	std::vector<TermCount> terms_;
	std::vector<std::size_t> offsets_{0};
	std::vector<std::uint64_t> lengths_;
};

struct LsaOptions {
	std::uint32_t dimension = 100;  // 1 to 16,000
	float k1 = 1.2F;
	float b = 0.75F;
	std::uint64_t seed = 1;
};

/// The numbers beside the rows that embed() needs.
struct LsaWeighting {
	float k1;
	float b;
	double average_length;
};

/// Where the matrix has fewer than `dimension` singular values above 1e-4 of the largest, rank < dimension and the
/// vectors' coordinates from rank on are zero, so that a column vector(dimension) holds every generation. No documents
/// or no terms: rank 0, all rows zero.
struct LsaModel {
	std::uint32_t dimension = 0;
	std::uint32_t rank = 0;
	LsaWeighting weighting{};
	std::vector<float> idf;              // one a lexeme; 0 for a lexeme that no document has
	std::vector<float> term_vectors;     // vocabulary x dimension, row after row; already scaled for embed()
	std::vector<float> singular_values;  // rank, descending

	std::span<const float> vector(std::uint32_t lexeme) const
	{
		return std::span(term_vectors).subspan(std::size_t{lexeme} * dimension, dimension);
	}
};

/// Throws Errc::kInvalidInput (a lexeme or option out of range, a count of 0, a lexeme twice in one document), kLimit
/// ((documents + vocabulary) * dimension past 2^26, about 1 GiB of memory in all), kCancelled. A stop is heard between
/// the steps of the factorisation, each seconds at most at a few hundred dimensions.
LsaModel train_lsa(const LsaCorpus &corpus, std::uint32_t vocabulary, const LsaOptions &options, Stop stop);

/// One known lexeme of a text: its count there and its row of the model. Unknown lexemes are left out.
struct LsaTerm {
	std::uint32_t count;
	float idf;
	const float *vector;  // out.size() floats
};

/// Writes the text's embedding, of unit length, and returns true; false where there is none (no known lexeme, or all
/// their vectors zero): `out` is then all zeros. `length` counts all lexemes of the text, unknown ones too.
bool embed(const LsaWeighting &weighting, std::uint64_t length, std::span<const LsaTerm> terms,
		   std::span<float> out) noexcept;

/// The same from a model in memory. Lexemes past its vocabulary count as unknown; length 0 takes the sum of the counts.
bool embed(const LsaModel &model, std::span<const TermCount> terms, std::span<float> out,
		   std::uint64_t length = 0) noexcept;

/// The BM25 weight of one term in a text; `length` and the weighting as above.
double bm25_weight(const LsaWeighting &weighting, double idf, std::uint32_t count, std::uint64_t length) noexcept;

/// idf of a lexeme that `df` of `documents` documents hold.
double bm25_idf(std::uint64_t documents, std::uint64_t df) noexcept;

/// The other way round: how many of `documents` documents hold a lexeme of that idf.
double bm25_df(std::uint64_t documents, double idf) noexcept;

}  // namespace vectorizer::txt
