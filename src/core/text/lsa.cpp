#include "core/text/lsa.hpp"

#include "core/error.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

namespace vectorizer::txt {

namespace {

// Rows are what the sparse products run along, so both dense factors are row-major.
using Dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Index = Eigen::Index;

constexpr std::uint64_t kMaxFloats = std::uint64_t{1} << 26;  // of the two dense factors together; all in all about 1 GiB
constexpr Index kOversampling = 16;
constexpr int kPowerIterations = 3;

// The exponent of the singular values in the term rows (README.md, "Scaling").
constexpr float kScaling = 0.25F;

// Singular values below this part of the largest are rounding errors.
constexpr float kSignificant = 1e-4F;

void check(Stop stop)
{
	if (stop())
		throw Error(Errc::kCancelled, "training was canceled");
}

// SplitMix64 (Steele, Lea & Flood 2014) and Box-Muller: the same numbers with every standard library.
class Gaussian {
public:
	explicit Gaussian(std::uint64_t seed) : state_(seed) {}

	float next()
	{
		double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
		return static_cast<float>(radius * std::cos(2.0 * std::numbers::pi * uniform()));
	}

private:
	double uniform()
	{
		std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
		z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
		z = (z ^ z >> 27) * 0x94D049BB133111EBU;
		return static_cast<double>((z ^ z >> 31) >> 11) * 0x1.0p-53;
	}

	std::uint64_t state_;
};

// The document-term matrix, BM25-weighted, rows of unit length, in the corpus's own compressed rows.
class Weighted {
public:
	Weighted(const LsaCorpus &corpus, const LsaModel &model, std::uint32_t vocabulary, Stop stop)
		: corpus_(corpus), terms_(vocabulary), stop_(stop)
	{
		weights_.reserve(corpus.terms());
		for (std::size_t i = 0; i < corpus.size(); ++i)
			add_row(model, i);
	}

	Index documents() const { return static_cast<Index>(corpus_.size()); }
	Index terms() const { return terms_; }

	/// matrix * right
	void times(const Dense &right, Dense &product) const
	{
		product.setZero(documents(), right.cols());
		each([&](Index document, Index term, float weight) { product.row(document) += weight * right.row(term); });
	}

	/// matrix^T * right
	void transposed_times(const Dense &right, Dense &product) const
	{
		product.setZero(terms(), right.cols());
		each([&](Index document, Index term, float weight) { product.row(term) += weight * right.row(document); });
	}

private:
	void add_row(const LsaModel &model, std::size_t document)
	{
		std::size_t begin = weights_.size();
		double square = 0;
		for (TermCount term : corpus_.document(document)) {
			double weight = bm25_weight(model.weighting, static_cast<double>(model.idf[term.lexeme]), term.count,
										corpus_.length(document));
			square += weight * weight;
			weights_.push_back(static_cast<float>(weight));
		}
		auto norm = static_cast<float>(std::sqrt(square));
		for (std::size_t i = begin; i < weights_.size() && norm > 0; ++i)
			weights_[i] /= norm;
	}

	template <typename Function>
	void each(Function function) const
	{
		const float *weight = weights_.data();
		for (std::size_t i = 0; i < corpus_.size(); ++i) {
			if (i % 256 == 0)
				check(stop_);
			for (TermCount term : corpus_.document(i))
				function(static_cast<Index>(i), static_cast<Index>(term.lexeme), *weight++);
		}
	}

	const LsaCorpus &corpus_;
	std::vector<float> weights_;
	Index terms_;
	Stop stop_;
};

// Replaces the columns by an orthonormal basis that contains their span. Returns R.
Eigen::MatrixXf orthonormalise(Dense &columns, Stop stop)
{
	check(stop);
	Eigen::HouseholderQR<Eigen::MatrixXf> qr{Eigen::MatrixXf(columns)};
	check(stop);
	Index count = columns.cols();
	Eigen::MatrixXf basis = Eigen::MatrixXf::Identity(columns.rows(), count);
	basis.applyOnTheLeft(qr.householderQ());
	columns = basis;
	return qr.matrixQR().topRows(count).triangularView<Eigen::Upper>();
}

struct Factors {
	Dense terms;             // right singular vectors, one a column
	Eigen::VectorXf values;  // descending
};

Factors truncated_svd(const Weighted &matrix, Index dimension, std::uint64_t seed, Stop stop)
{
	Index width = std::min({dimension + kOversampling, matrix.documents(), matrix.terms()});
	Dense right(matrix.terms(), width);
	Gaussian gaussian(seed);
	for (Index row = 0; row < right.rows(); ++row) {
		for (Index column = 0; column < width; ++column)
			right(row, column) = gaussian.next();
	}

	Dense left;
	for (int iteration = 0; iteration <= kPowerIterations; ++iteration) {
		if (iteration > 0)
			orthonormalise(right, stop);
		matrix.times(right, left);
		orthonormalise(left, stop);
		matrix.transposed_times(left, right);
	}
	// right^T = left^T * matrix is the small matrix of algorithm 5.1; with right = Q R, its singular values are those of R, the
	// roots of the eigenvalues of R R^T, and its right vectors those eigenvectors, turned by Q.
	Eigen::MatrixXd r = orthonormalise(right, stop).cast<double>();
	Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> ascending(r * r.transpose());
	check(stop);
	Factors factors;
	factors.values = ascending.eigenvalues().reverse().cwiseMax(0).cwiseSqrt().cast<float>();
	factors.terms = right * ascending.eigenvectors().rowwise().reverse().cast<float>();
	return factors;
}

// An eigenvector's sign is chance; the largest coordinate of each is made positive.
void fix_signs(Dense &columns)
{
	for (Index column = 0; column < columns.cols(); ++column) {
		Index largest = 0;
		columns.col(column).cwiseAbs().maxCoeff(&largest);
		if (columns(largest, column) < 0)
			columns.col(column) *= -1;
	}
}

// Documents that hold each lexeme. Checks the corpus on the way.
std::vector<std::uint32_t> document_frequencies(const LsaCorpus &corpus, std::uint32_t vocabulary)
{
	std::vector<std::uint32_t> frequencies(vocabulary, 0);
	std::vector<std::size_t> last(vocabulary, corpus.size());
	for (std::size_t i = 0; i < corpus.size(); ++i) {
		for (TermCount term : corpus.document(i)) {
			if (term.lexeme >= vocabulary)
				throw Error(Errc::kInvalidInput, "lexeme " + std::to_string(term.lexeme) + " is outside the vocabulary");
			if (term.count == 0)
				throw Error(Errc::kInvalidInput, "a term count is 0");
			if (last[term.lexeme] == i)
				throw Error(Errc::kInvalidInput, "a document lists a lexeme twice");
			last[term.lexeme] = i;
			++frequencies[term.lexeme];
		}
	}
	return frequencies;
}

void check_options(const LsaCorpus &corpus, std::uint32_t vocabulary, const LsaOptions &options)
{
	if (options.dimension < 1 || options.dimension > 16000)
		throw Error(Errc::kInvalidInput, "dimension must be between 1 and 16000");
	if (!(options.k1 >= 0 && options.k1 <= 1000) || !(options.b >= 0 && options.b <= 1))
		throw Error(Errc::kInvalidInput, "k1 must be between 0 and 1000, b between 0 and 1");
	if ((std::uint64_t{vocabulary} + corpus.size()) * options.dimension > kMaxFloats || corpus.size() > 0xFFFFFFFF)
		throw Error(Errc::kLimit, "training " + std::to_string(options.dimension) + " dimensions on " + std::to_string(corpus.size()) +
									  " documents and " + std::to_string(vocabulary) + " lexemes needs too much memory");
}

}  // namespace

void LsaCorpus::add(std::span<const TermCount> terms, std::uint64_t length)
{
	if (length == 0) {
		for (TermCount term : terms)
			length += term.count;
	}
	terms_.insert(terms_.end(), terms.begin(), terms.end());
	offsets_.push_back(terms_.size());
	lengths_.push_back(length);
}

double bm25_idf(std::uint64_t documents, std::uint64_t df) noexcept
{
	double holding = static_cast<double>(std::min(df, documents));
	return std::log1p((static_cast<double>(documents) - holding + 0.5) / (holding + 0.5));
}

double bm25_df(std::uint64_t documents, double idf) noexcept
{
	return std::max(0.0, (static_cast<double>(documents) + 1) * std::exp(-idf) - 0.5);
}

double bm25_weight(const LsaWeighting &weighting, double idf, std::uint32_t count, std::uint64_t length) noexcept
{
	double k1 = static_cast<double>(weighting.k1);
	double b = static_cast<double>(weighting.b);
	double relative = weighting.average_length > 0 ? static_cast<double>(length) / weighting.average_length : 1.0;
	double tf = count;
	return idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * relative));
}

LsaModel train_lsa(const LsaCorpus &corpus, std::uint32_t vocabulary, const LsaOptions &options, Stop stop)
{
	check_options(corpus, vocabulary, options);
	std::vector<std::uint32_t> frequencies = document_frequencies(corpus, vocabulary);
	double length = 0;
	for (std::size_t i = 0; i < corpus.size(); ++i)
		length += static_cast<double>(corpus.length(i));

	LsaModel model;
	model.dimension = options.dimension;
	model.weighting = {options.k1, options.b, corpus.size() == 0 ? 0 : length / static_cast<double>(corpus.size())};
	for (std::uint32_t df : frequencies)
		model.idf.push_back(df == 0 ? 0.0F : static_cast<float>(bm25_idf(corpus.size(), df)));
	model.term_vectors.assign(std::size_t{vocabulary} * options.dimension, 0.0F);
	if (corpus.terms() == 0)
		return model;

	Weighted matrix(corpus, model, vocabulary, stop);
	Factors factors = truncated_svd(matrix, options.dimension, options.seed, stop);
	fix_signs(factors.terms);

	Index most = std::min<Index>(options.dimension, factors.values.size());
	while (static_cast<Index>(model.rank) < most && factors.values(model.rank) > kSignificant * factors.values(0))
		model.singular_values.push_back(factors.values(model.rank++));

	for (std::uint32_t column = 0; column < model.rank; ++column) {
		float scale = std::pow(model.singular_values[column] / model.singular_values[0], kScaling);
		for (std::uint32_t lexeme = 0; lexeme < vocabulary; ++lexeme)
			model.term_vectors[std::size_t{lexeme} * options.dimension + column] = factors.terms(lexeme, column) * scale;
	}
	return model;
}

namespace {

// Scales `out` to unit length; false, and all zeros, where it has none.
bool normalise(std::span<float> out) noexcept
{
	double square = 0;
	for (float x : out)
		square += static_cast<double>(x) * static_cast<double>(x);
	double norm = std::sqrt(square);
	bool some = norm > 1e-12 && std::isfinite(norm);
	for (float &x : out)
		x = some ? static_cast<float>(static_cast<double>(x) / norm) : 0.0F;
	return some;
}

void add_term(const LsaWeighting &weighting, std::uint64_t length, const LsaTerm &term, std::span<float> out) noexcept
{
	auto weight = static_cast<float>(bm25_weight(weighting, static_cast<double>(term.idf), term.count, length));
	for (std::size_t i = 0; i < out.size(); ++i)
		out[i] += weight * term.vector[i];
}

}  // namespace

bool embed(const LsaWeighting &weighting, std::uint64_t length, std::span<const LsaTerm> terms, std::span<float> out) noexcept
{
	std::fill(out.begin(), out.end(), 0.0F);
	for (const LsaTerm &term : terms)
		add_term(weighting, length, term, out);
	return normalise(out);
}

bool embed(const LsaModel &model, std::span<const TermCount> terms, std::span<float> out, std::uint64_t length) noexcept
{
	std::fill(out.begin(), out.end(), 0.0F);
	if (length == 0) {
		for (TermCount term : terms)
			length += term.count;
	}
	for (TermCount term : terms) {
		if (term.lexeme < model.idf.size())
			add_term(model.weighting, length, {term.count, model.idf[term.lexeme], model.vector(term.lexeme).data()}, out);
	}
	return normalise(out);
}

}  // namespace vectorizer::txt
