#include "pg/hnsw/choose.hpp"

#include "pg/boundary.hpp"
#include "pg/hnsw/opclass.hpp"
#include "pg/hnsw/sample.hpp"

extern "C" {
#include "catalog/pg_type.h"
}

namespace vectorizer::hnsw {

namespace {

/// Vectors of this many bytes stay inside the heap tuple with a few columns beside them; larger ones are TOASTed.
constexpr std::size_t kInlineBytes = 1900;

/// A product code's subspaces where the user names none: eight dimensions each.
std::uint16_t default_subspaces(std::uint32_t dimensions, std::size_t most)
{
	return static_cast<std::uint16_t>(std::min<std::size_t>((dimensions + 7) / 8, most));
}

quantize::Situation situation_of(Relation relation, const Options &options)
{
	const Opclass &opclass = opclass_of(relation);
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), 0);
	if (column->atttypmod < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("column does not have dimensions"),
						errhint("Declare the column as %s(n), or index an expression cast to it.", opclass.type_name)));
	auto dimensions = static_cast<std::uint32_t>(column->atttypmod);
	return {opclass.metric,
			dimensions,
			kRotationSeed,
			is_out_of_line(dimensions, column->attstorage),
			most_code_bytes(static_cast<unsigned>(options.m)),
			static_cast<std::size_t>(options.target_bytes)};
}

/// The code that the options name, as far as they name one.
quantize::Shape shape_of(const quantize::Situation &situation, const Options &options)
{
	using quantize::Kind;
	quantize::Shape shape{Kind::kScalar, 8, situation.metric, situation.dimensions, situation.seed};
	switch (options.quantization) {
		case Quantization::kAuto: return pg::guard([&] { return quantize::default_shape(situation); });
		case Quantization::kNone:
			shape.kind = Kind::kNone;
			shape.bits = 32;
			break;
		case Quantization::kScalar:
			if (options.bits != 0)
				shape.bits = static_cast<std::uint8_t>(options.bits);
			else
				for (shape.bits = situation.out_of_line ? 8 : 4;
					 shape.bits > 2 && quantize::code_bytes(shape) > situation.most_code_bytes;)
					shape.bits /= 2;
			break;
		case Quantization::kProduct:
			shape.kind = Kind::kProduct;
			shape.subspaces = options.subspaces != 0 ? static_cast<std::uint16_t>(options.subspaces)
													 : default_subspaces(shape.dimensions, situation.most_code_bytes);
			if (shape.subspaces > shape.dimensions)
				ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
								errmsg("subspaces must not be more than dimensions"),
								errdetail("subspaces is %d, dimensions is %u.", shape.subspaces, shape.dimensions)));
			break;
		case Quantization::kBinary:
			shape.kind = Kind::kBinary;
			shape.bits = 1;
			break;
	}
	return shape;
}

/// What leaf code finds on the sample. May throw, and calls nothing of the server.
quantize::Chosen choose_on(const quantize::Situation &situation, const quantize::Shape &shape, bool automatic,
						   quantize::Rows rows, Stop stop)
{
	if (automatic)
		return quantize::choose(situation, rows, stop);
	quantize::Chosen chosen{shape, {}, {}};
	if (rows.count >= quantize::kFewestRows) {
		quantize::Evaluator evaluator(situation.metric, rows, stop);
		chosen.parameters = quantize::train(shape, evaluator.rows(), stop);
		chosen.evaluation = evaluator.evaluate(shape, chosen.parameters);
		chosen.meets_gates = quantize::meets_gates(shape, chosen.evaluation);
	}
	return chosen;
}

}  // namespace

bool is_out_of_line(std::uint32_t dimensions, char storage)
{
	return sizeof(float) * dimensions >= kInlineBytes && storage != TYPSTORAGE_MAIN && storage != TYPSTORAGE_PLAIN;
}

Evidence evidence_of(const quantize::Evaluation &evaluation)
{
	return {static_cast<float>(evaluation.recall_at_10),	static_cast<float>(evaluation.recall_at_100),
			static_cast<float>(evaluation.mean_rank_shift), static_cast<float>(evaluation.bytes_saved),
			static_cast<std::uint32_t>(evaluation.rows),	static_cast<float>(evaluation.time_ratio),
			static_cast<std::uint32_t>(evaluation.queries), 0};
}

Choice choose(Relation relation)
{
	Options options = options_of(relation);
	Choice choice{};
	choice.parameters = {static_cast<unsigned>(options.m), static_cast<unsigned>(options.ef_construction)};
	choice.shape = shape_of(situation_of(relation, options), options);
	choice.flags = kUntrained;
	if (options.quantization == Quantization::kAuto)
		choice.flags |= kAutomatic;
	return choice;
}

Choice choose_on_rows(Relation heap, Relation relation, IndexInfo *info)
{
	Choice choice = choose(relation);
	make_index(choice.shape, choice.parameters);  // raises what would be raised after the measurement
	bool automatic = (choice.flags & kAutomatic) != 0;
	if (!automatic && !quantize::trainable(choice.shape))
		return choice;

	quantize::Situation situation = situation_of(relation, options_of(relation));
	Sample sample = sample_rows(heap, info, situation.metric, situation.dimensions, kBuildShare);
	std::span<float> codebook;
	MemoryContext caller = CurrentMemoryContext;
	run_leaf([&] {
		quantize::Chosen chosen = choose_on(situation, choice.shape, automatic, sample.rows, pg::interrupt_pending());
		choice.shape = chosen.shape;
		choice.evidence = evidence_of(chosen.evaluation);
		if (chosen.evaluation.rows > 0)
			choice.flags &= static_cast<std::uint16_t>(~kUntrained);
		if (!chosen.parameters.empty()) {
			std::size_t bytes = chosen.parameters.size() * sizeof(float);
			void *memory = MemoryContextAllocExtended(caller, bytes, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
			if (memory == nullptr)
				throw std::bad_alloc();
			codebook = {static_cast<float *>(memory), chosen.parameters.size()};
			std::copy(chosen.parameters.begin(), chosen.parameters.end(), codebook.begin());
		}
	});
	choice.codebook = codebook;
	release(sample);
	return choice;
}

}  // namespace vectorizer::hnsw
