#include "pg/hnsw/measure.hpp"

#include "pg/compat.hpp"
#include "pg/crash_point.hpp"
#include "pg/hnsw/choose.hpp"
#include "pg/hnsw/codebook.hpp"
#include "pg/hnsw/sample.hpp"

extern "C" {
#include "access/relation.h"
#include "access/table.h"
#include "catalog/index.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

PG_FUNCTION_INFO_V1(vectorizer_evaluate_quantization);
PG_FUNCTION_INFO_V1(vectorizer_quantization_health);
PG_FUNCTION_INFO_V1(vectorizer_retrain);
PGDLLEXPORT Datum vectorizer_evaluate_quantization(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum vectorizer_quantization_health(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum vectorizer_retrain(PG_FUNCTION_ARGS);
}

namespace vectorizer::hnsw {

namespace {

/// A way of coding, and what it found.
struct Measured {
	quantize::Shape shape;
	quantize::Evaluation evaluation;
};

/// The dimensions of a column of vectors. Raises 42804 for another type, 22023 where it declares none.
std::uint32_t dimensions_of(Relation heap, AttrNumber column)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(heap), column - 1);
	char *type = format_type_be(attribute->atttypid);
	if (std::string_view(type) != "vector")
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("column \"%s\" is of type %s, not vector",
																	NameStr(attribute->attname), type)));
	if (attribute->atttypmod < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("column does not have dimensions"),
						errhint("Declare the column as vector(n).")));
	return static_cast<std::uint32_t>(attribute->atttypmod);
}

/// Everything there is, from wide to narrow, product codes of a quarter, an eighth and a sixteenth of the dimensions.
std::span<Measured> every_method(Metric metric, std::uint32_t dimensions, std::span<Measured> room)
{
	using quantize::Kind;
	std::size_t n = 0;
	auto add = [&](Kind kind, std::uint8_t bits, std::uint32_t subspaces = 0) {
		room[n++].shape = {kind, bits, metric, dimensions, kRotationSeed, static_cast<std::uint16_t>(subspaces)};
	};
	add(Kind::kNone, 32);
	for (std::uint8_t bits : {8, 4, 2})
		add(Kind::kScalar, bits);
	add(Kind::kBinary, 1);
	for (std::uint32_t part : {4u, 8u, 16u})
		if (part == 4 || dimensions > part)
			add(Kind::kProduct, 8, (dimensions + part - 1) / part);
	return room.first(n);
}

Datum evaluate_quantization(FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, 0);
	auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	Metric metric = metric_named(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	int32 most = PG_GETARG_INT32(3);
	if (most < 2)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("sample must be at least 2")));

	Relation heap = relation_open(PG_GETARG_OID(0), AccessShareLock);
	if (heap->rd_rel->relkind != RELKIND_RELATION && heap->rd_rel->relkind != RELKIND_MATVIEW)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not a table or materialized view", RelationGetRelationName(heap)),
						heap->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? errhint("Name one partition.") : 0));
	if (RELATION_IS_OTHER_TEMP(heap))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("\"%s\" is another session's temporary table", RelationGetRelationName(heap))));
	const char *name = NameStr(*PG_GETARG_NAME(1));
	AttrNumber column = get_attnum(RelationGetRelid(heap), name);
	if (column <= 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("column \"%s\" of relation \"%s\" does not exist", name,
																  RelationGetRelationName(heap))));
	require_reading(heap, column);

	Sample sample = sample_rows(heap, column_info(column), metric, dimensions_of(heap, column), kEveryRow);
	quantize::Rows rows = sample.rows.first(static_cast<std::size_t>(most));
	Measured room[8];
	std::span<Measured> methods = every_method(metric, rows.dimensions, room);
	if (rows.count >= 2)
		run_leaf([&] {
			Stop stop = pg::interrupt_pending();
			quantize::Evaluator evaluator(metric, rows, stop);
			for (Measured &method : methods) {
				std::vector<float> parameters;
				if (quantize::trainable(method.shape))
					parameters = quantize::train(method.shape, evaluator.rows(), stop);
				method.evaluation = evaluator.evaluate(method.shape, parameters);
			}
		});
	for (const Measured &method : methods) {
		const quantize::Evaluation &found = method.evaluation;
		bool known = found.rows > 0;
		std::size_t bytes = quantize::code_bytes(method.shape);
		Datum values[] = {CStringGetTextDatum(kind_name(method.shape.kind)),
						  Int32GetDatum(method.shape.bits),
						  Int32GetDatum(method.shape.subspaces),
						  Int32GetDatum(static_cast<int32>(bytes)),
						  Float8GetDatum(1 - static_cast<double>(bytes) / (4.0 * rows.dimensions)),
						  Float8GetDatum(found.recall_at_10),
						  Float8GetDatum(found.recall_at_100),
						  Float8GetDatum(found.mean_rank_shift),
						  Float8GetDatum(found.time_ratio),
						  Int32GetDatum(static_cast<int32>(found.rows)),
						  BoolGetDatum(quantize::meets_gates(method.shape, found))};
		bool nulls[] = {false, false, method.shape.subspaces == 0, false, false, !known, !known, !known, !known, false, !known};
		static_assert(lengthof(values) == lengthof(nulls));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	release(sample);
	table_close(heap, AccessShareLock);
	return Datum{0};
}

/// What the user may do about what was found, null if nothing needs doing.
const char *advice_on(const OpenedIndex &opened, const Index &index, const quantize::Evaluation &found)
{
	if (found.rows == 0)
		return psprintf("Fewer than %zu rows tell too little.", quantize::kFewestRows);
	if (quantize::finds_rows(index.shape, found))
		return nullptr;
	if (quantize::trainable(index.shape) && read_meta(opened.index).codebook_block == InvalidBlockNumber)
		return "Its codes have not been trained: call vectorizer.retrain().";
	if ((choose(opened.index).flags & kAutomatic) != 0)
		return "REINDEX chooses anew among the codes that fit.";
	return "Raise vectorizer.ef_search, or choose a wider code; vectorizer.evaluate_quantization() shows what each would find.";
}

/// The row that health and retraining return.
Datum row_of(FunctionCallInfo fcinfo, const OpenedIndex &opened, const quantize::Evaluation &found)
{
	TupleDesc columns = row_columns(fcinfo);
	Index index = open_index(opened.index);
	const char *advice = advice_on(opened, index, found);
	bool known = found.rows > 0;
	Datum values[] = {Float8GetDatum(found.recall_at_10),
					  Float8GetDatum(found.recall_at_100),
					  Float8GetDatum(found.mean_rank_shift),
					  Float8GetDatum(found.time_ratio),
					  Int32GetDatum(static_cast<int32>(found.rows)),
					  BoolGetDatum(quantize::finds_rows(index.shape, found)),
					  advice == nullptr ? Datum{0} : CStringGetTextDatum(advice)};
	bool nulls[] = {!known, !known, !known, !known, false, !known, advice == nullptr};
	static_assert(lengthof(values) == lengthof(nulls));
	return HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
}

Datum quantization_health(FunctionCallInfo fcinfo)
{
	OpenedIndex opened = open_named_index(PG_GETARG_OID(0), AccessShareLock);
	require_reading(opened.heap, InvalidAttrNumber);
	Datum row = row_of(fcinfo, opened, measure_index(opened));
	close(opened);
	return row;
}

/// The index's own rows are what it is built on: so its codes are written anew with all that hangs on them.
void reindex(Oid oid)
{
	char *name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(oid)), get_rel_name(oid));
	if (SPI_connect() != SPI_OK_CONNECT || SPI_execute(psprintf("REINDEX INDEX %s", name), false, 0) != SPI_OK_UTILITY)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("index %s was not rebuilt", name)));
	SPI_finish();
}

Datum retrain(FunctionCallInfo fcinfo)
{
	Oid oid = PG_GETARG_OID(0);
	OpenedIndex opened = open_named_index(oid, ShareUpdateExclusiveLock);
	if (!compat::owns_relation(RelationGetRelid(opened.heap)))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(opened.heap));
	if (quantize::trainable(open_index(opened.index).shape)) {
		close(opened);
		reindex(oid);
		CommandCounterIncrement();
		opened = open_named_index(oid, ShareUpdateExclusiveLock);
	}
	quantize::Evaluation found = measure_index(opened);
	pg::crash_point("train.measured");
	if (found.rows > 0)
		keep_evidence(opened.index, found);
	Datum row = row_of(fcinfo, opened, found);
	close(opened);
	return row;
}

}  // namespace

void require_reading(Relation heap, AttrNumber column)
{
	Oid table = RelationGetRelid(heap);
	bool may = pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
			   (column != InvalidAttrNumber && pg_attribute_aclcheck(table, column, GetUserId(), ACL_SELECT) == ACLCHECK_OK);
	if (!may)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(heap));
	if (check_enable_rls(table, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("row-level security of table \"%s\" hides rows from you", RelationGetRelationName(heap))));
}

quantize::Evaluation measure_index(const OpenedIndex &opened)
{
	Index index = open_index(opened.index);
	IndexInfo *info = BuildIndexInfo(opened.index);
	Sample sample = sample_rows(opened.heap, info, index.shape.metric, index.shape.dimensions, kEveryRow);
	quantize::Evaluation found;
	if (sample.rows.count >= quantize::kFewestRows) {
		MetaPage meta = read_meta(opened.index);
		quantize::Parameters parameters;
		if (meta.codebook_block != InvalidBlockNumber)
			parameters = read_codebook(opened.index, index, meta.codebook_block, meta.codebook_generation,
									   pg::context_arena(sample.context));
		run_leaf([&] {
			found = quantize::Evaluator(index.shape.metric, sample.rows, pg::interrupt_pending()).evaluate(index.shape, parameters);
		});
	}
	release(sample);
	return found;
}

void keep_evidence(Relation index, const quantize::Evaluation &found)
{
	const bool trainable = quantize::trainable(open_index(index).shape);
	pg::PageChange change(index, true);
	MetaPage *meta = meta_of(change.lock(kMetaBlock));
	meta->evidence = evidence_of(found);
	if (!trainable || meta->codebook_block != InvalidBlockNumber)
		meta->flags &= static_cast<std::uint16_t>(~kUntrained);
	change.commit();
	pg::crash_point("train.evidence");
}

}  // namespace vectorizer::hnsw

extern "C" {

Datum vectorizer_evaluate_quantization(PG_FUNCTION_ARGS)
{
	return vectorizer::hnsw::evaluate_quantization(fcinfo);
}

Datum vectorizer_quantization_health(PG_FUNCTION_ARGS)
{
	return vectorizer::hnsw::quantization_health(fcinfo);
}

Datum vectorizer_retrain(PG_FUNCTION_ARGS)
{
	return vectorizer::hnsw::retrain(fcinfo);
}
}
