#include "core/quantize/auto.hpp"

#include <algorithm>

namespace vectorizer::quantize {
namespace {

Shape shape_of(const Situation &situation, Kind kind, unsigned bits, std::size_t subspaces = 0)
{
	return {kind, static_cast<std::uint8_t>(bits), situation.metric, situation.dimensions, situation.seed,
	        static_cast<std::uint16_t>(subspaces)};
}

std::size_t most_bytes(const Situation &situation)
{
	return situation.target_bytes == 0 ? situation.most_code_bytes
	                                   : std::min(situation.target_bytes, situation.most_code_bytes);
}

/// All that are narrow enough, those preferred first. Beside a scalar code of 2 bits or 1, a product code of its size.
std::vector<Shape> candidates(const Situation &situation)
{
	const std::size_t most = most_bytes(situation);
	std::vector<Shape> all;
	const auto add = [&](Kind kind, unsigned bits, std::size_t subspaces = 0) {
		const Shape shape = shape_of(situation, kind, bits, subspaces);
		if (code_bytes(shape) <= most)
			all.push_back(shape);
	};
	add(Kind::kScalar, situation.out_of_line ? 8 : 4);
	add(Kind::kScalar, situation.out_of_line ? 4 : 8);
	if (situation.target_bytes == 0)
		add(Kind::kNone, 32);
	// Narrow codes are for those who asked for them, or where nothing else fits into a slot; a narrow code never finds more
	// than a wider one, so that one of each sort is enough.
	if (all.empty()) {
		add(Kind::kScalar, 2);
		if (all.empty())
			add(Kind::kBinary, 1);
		add(Kind::kProduct, 8, std::min<std::size_t>(most, situation.dimensions));
	}
	return all;
}

}  // namespace

bool finds_rows(const Shape &shape, const Evaluation &evaluation)
{
	const bool wide = shape.kind == Kind::kScalar && shape.bits >= 4;
	return evaluation.rows > 0 && evaluation.recall_at_10 >= kLeastRecallAt10 &&
	       evaluation.recall_at_100 >= kLeastRecallAt100 && (!wide || evaluation.mean_rank_shift <= kMostRankShift);
}

bool meets_gates(const Shape &shape, const Evaluation &evaluation)
{
	return finds_rows(shape, evaluation) && evaluation.bytes_saved >= kLeastBytesSaved;
}

Shape default_shape(const Situation &situation)
{
	const std::vector<Shape> all = candidates(situation);
	return all.front();
}

Chosen choose(const Situation &situation, Rows sample, Stop stop)
{
	Chosen best{default_shape(situation), {}, {}};
	if (sample.count < kFewestRows)
		return best;
	const Evaluator evaluator(situation.metric, sample, stop);
	bool first = true;
	for (const Shape &shape : candidates(situation)) {
		Chosen next{shape, {}, {}};
		if (trainable(shape))
			next.parameters = train(shape, evaluator.rows(), stop);
		next.evaluation = evaluator.evaluate(shape, next.parameters);
		next.meets_gates = meets_gates(shape, next.evaluation);
		if (first || next.meets_gates || next.evaluation.recall_at_10 > best.evaluation.recall_at_10 ||
		    (next.evaluation.recall_at_10 == best.evaluation.recall_at_10 &&
		     next.evaluation.recall_at_100 > best.evaluation.recall_at_100))
			best = std::move(next);
		first = false;
		if (best.meets_gates)
			break;
	}
	return best;
}

}  // namespace vectorizer::quantize
