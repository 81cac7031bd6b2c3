// The triggers of dynamic collections: what follows from a row's content, and telling the watcher of it.
//
// A row is written by whoever may; the model's rows are read as the catalogue's owner. The statement holds the table in ROW EXCLUSIVE
// mode, and a generation that replaces another one comes into force under a lock that conflicts with it (tend.cpp): all rows of
// a statement, and of its transaction, get embeddings of the generation that will be in force when it commits.
#include "pg/collection/held.hpp"
#include "pg/collection/identity.hpp"
#include "pg/collection/model.hpp"
#include "pg/collection/spi.hpp"
#include "pg/collection/write_guard.hpp"
#include "pg/workspace/registry.hpp"

extern "C" {
#include "access/htup_details.h"
#include "commands/trigger.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(vectorizer_embed_row);
PG_FUNCTION_INFO_V1(vectorizer_note_write);
}

namespace vectorizer::pg {

namespace {

constexpr int kErrEmbeddingFollows = MAKE_SQLSTATE('V', 'Z', '0', '0', '2');

/// Lexemes that a statement keeps the rows of: beyond that the reader begins anew.
constexpr std::size_t kMostKept = 100000;

/// What a statement's trigger knows of its collection.
struct Writer {
	MemoryContext context;
	int64 collection;
	int32 generation;  // 0: there is no model that embeds in this process, and the row waits
	Oid text_config;
	bool embeds;       // no embeddings are given
	bool asks;         // an endpoint makes them, whatever the words are
	bool next;         // others are being made beside
	ModelReader *model;
};

/// The model that is in force, also in a transaction that goes on seeing an older one.
template <typename Function>
void with_latest_snapshot(Function &&f)
{
	PushActiveSnapshot(GetLatestSnapshot());
	f();
	PopActiveSnapshot();
}

struct TypedColumn {
	const char *name;
	Oid type;
};

/// The table is its owner's to change, and what follows takes its columns for these types.
void require_types(Relation table, std::initializer_list<TypedColumn> columns)
{
	for (const auto &[name, type] : columns) {
		const int number = SPI_fnumber(RelationGetDescr(table), name);
		if (number <= 0 || SPI_gettypeid(RelationGetDescr(table), number) != type)
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							errmsg("column \"%s\" of collection \"%s\" must be of type %s", name, RelationGetRelationName(table),
								   format_type_be(type))));
	}
}

Writer *writer_of(Relation table, MemoryContext context)
{
	require_types(table, {{"content", TEXTOID}, {"heading", TEXTOID}, {"content_hash", BYTEAOID}, {"tsv", TSVECTOROID},
						  {"n_lexemes", INT4OID}, {"model_generation", INT4OID}, {"embedding", vector_type()},
						  {"created_at", TIMESTAMPTZOID}, {"updated_at", TIMESTAMPTZOID}});
	auto *writer = static_cast<Writer *>(MemoryContextAllocZero(context, sizeof(Writer)));
	writer->context = context;
	as_catalogue_owner([&] {
		if (spi_run("SELECT c.id, CASE WHEN a.asks OR m.generation IS NULL THEN 0 ELSE m.generation END, c.text_config, c.model <> 'none', a.asks,"
					" c.next IS NOT NULL FROM vectorizer.collection c"
					" LEFT JOIN vectorizer.model m ON m.collection_id = c.id AND m.generation = c.model_generation,"
					" LATERAL (SELECT vectorizer.is_endpoint(c.model) AS asks) a WHERE c.name = $1",
					{param(RelationGetRelationName(table))}, Sees::kSnapshot) == 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
							errmsg("collection \"%s\" does not exist", RelationGetRelationName(table)),
							errhint("Drop the trigger \"~embed_row\" if the table is to be used without it.")));
		writer->collection = spi_int64(0, 1);
		writer->generation = spi_int32(0, 2);
		writer->text_config = text_config_oid(spi_text(0, 3));
		writer->embeds = spi_bool(0, 4);
		writer->asks = spi_bool(0, 5);
		writer->next = spi_bool(0, 6);
	});
	if (writer->next)
		require_types(table, {{"next_embedding", vector_type()}, {"next_generation", INT4OID}});
	return writer;
}

ModelReader &model_of(Writer &writer)
{
	if (writer.model == nullptr) {
		writer.model = &hold_in<ModelReader>(writer.context);
		writer.model->open(writer.context, writer.collection, writer.generation, Sees::kSnapshot);
	}
	writer.model->trim(kMostKept);
	return *writer.model;
}

/// A column of the trigger's table by its name. REQUIRES: require_types() has seen it.
int column(Relation table, const char *name)
{
	return SPI_fnumber(RelationGetDescr(table), name);
}

struct Value {
	Datum datum;
	bool null;
};

Value value_of(HeapTuple row, Relation table, const char *name)
{
	Value value{};
	value.datum = SPI_getbinval(row, RelationGetDescr(table), column(table, name), &value.null);
	return value;
}

/// As stored, or, where that differs, by what it says.
bool same(HeapTuple a, HeapTuple b, Relation table, const char *name)
{
	const Value x = value_of(a, table, name);
	const Value y = value_of(b, table, name);
	if (x.null || y.null)
		return x.null == y.null;
	const void *p = DatumGetPointer(x.datum);
	const void *q = DatumGetPointer(y.datum);
	return (VARSIZE_ANY(p) == VARSIZE_ANY(q) && memcmp(p, q, VARSIZE_ANY(p)) == 0) || datum_image_eq(x.datum, y.datum, false, -1);
}

bool same_text(HeapTuple a, HeapTuple b, Relation table)
{
	return same(a, b, table, "content") && same(a, b, table, "heading");
}

/// The columns that the row gets beside what was written.
class Derived {
public:
	explicit Derived(Relation table) : table_(table) {}

	void set(const char *name, Value value)
	{
		columns_[count_] = column(table_, name);
		values_[count_] = value.datum;
		nulls_[count_] = value.null;
		++count_;
	}
	void keep(HeapTuple old, const char *name) { set(name, value_of(old, table_, name)); }

	HeapTuple apply(HeapTuple row)
	{
		return heap_modify_tuple_by_cols(row, RelationGetDescr(table_), count_, columns_, values_, nulls_);
	}

private:
	Relation table_;
	int count_ = 0;
	static constexpr int kMost = 10;
	int columns_[kMost];
	Datum values_[kMost];
	bool nulls_[kMost];
};

void refuse_embedding(Relation table)
{
	ereport(ERROR, (errcode(kErrEmbeddingFollows),
					errmsg("the embeddings of collection \"%s\" are made by its model", RelationGetRelationName(table)),
					errhint("Write content alone; or create a collection with model => 'none' for embeddings of your own.")));
}

HeapTuple with_what_follows(Relation table, HeapTuple old, HeapTuple row, Writer &writer)
{
	const Value content = value_of(row, table, "content");
	const Value heading = value_of(row, table, "heading");
	const Value embedding = value_of(row, table, "embedding");
	if (writer.embeds && !embedding.null && (old == nullptr || !same(old, row, table, "embedding")))
		refuse_embedding(table);
	Derived derived(table);
	if (old != nullptr) {
		derived.keep(old, "created_at");
		derived.set("updated_at", {TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false});
	}
	if (content.null)  // NOT NULL will say so
		return derived.apply(row);
	const bool as_before = old != nullptr && same_text(old, row, table);
	const bool same_words = as_before && !value_of(row, table, "tsv").null;  // null: they are wanted anew
	if (writer.next) {
		if (same_words) {
			derived.keep(old, "next_generation");
			derived.keep(old, "next_embedding");
		}
		else {
			derived.set("next_generation", {Int32GetDatum(0), false});
			derived.set("next_embedding", {0, true});
		}
	}
	if (same_words) {
		for (const char *name : {"tsv", "n_lexemes", "content_hash", "model_generation"})
			derived.keep(old, name);
		if (writer.embeds)
			derived.keep(old, "embedding");
		return derived.apply(row);
	}

	const std::string_view title = heading.null ? std::string_view() : text_view(DatumGetTextPP(heading.datum));
	TSVector tsv = to_tsvector(writer.text_config, under_heading(title, text_view(DatumGetTextPP(content.datum))));
	derived.set("tsv", {TSVectorGetDatum(tsv), false});
	derived.set("n_lexemes", {Int32GetDatum(static_cast<int32>(total_lexemes(tsv))), false});
	derived.set("content_hash", {DirectFunctionCall1(sha256_bytea, content.datum), false});
	if (as_before && writer.asks) {
		derived.keep(old, "model_generation");
		derived.keep(old, "embedding");
		return derived.apply(row);
	}
	derived.set("model_generation", {Int32GetDatum(writer.embeds ? writer.generation : 0), false});
	if (writer.embeds) {
		const Vector *vector = nullptr;
		if (writer.generation > 0) {
			ModelReader &model = model_of(writer);
			model.fetch({&tsv, 1});
			vector = model.embed(tsv);
		}
		derived.set("embedding", {PointerGetDatum(vector), vector == nullptr});
	}
	return derived.apply(row);
}

/// What we write are embeddings of the text that the row has: if a trigger of the owner's gives it another one with that, it is undone.
/// Embedded again instead, it might be given yet another one, and so on.
HeapTuple with_its_text(Relation table, HeapTuple old, HeapTuple row)
{
	require_types(table, {{"content", TEXTOID}, {"heading", TEXTOID}});
	if (same_text(old, row, table))
		return row;
	Derived derived(table);
	derived.keep(old, "content");
	derived.keep(old, "heading");
	return derived.apply(row);
}

}  // namespace

}  // namespace vectorizer::pg

extern "C" PGDLLEXPORT Datum vectorizer_embed_row(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("embed_row is a trigger function")));
	const auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("embed_row is for rows, before they are inserted or updated")));
	const bool update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple row = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	if (RelationGetRelid(trigger->tg_relation) == writable_collection)
		return PointerGetDatum(update ? with_its_text(trigger->tg_relation, trigger->tg_trigtuple, row) : row);

	MemoryContext result_context = CurrentMemoryContext;
	SPI_connect();
	HeapTuple result = nullptr;
	with_latest_snapshot([&] {
		if (fcinfo->flinfo->fn_extra == nullptr)
			fcinfo->flinfo->fn_extra = writer_of(trigger->tg_relation, fcinfo->flinfo->fn_mcxt);
		HeapTuple made = with_what_follows(trigger->tg_relation, update ? trigger->tg_trigtuple : nullptr, row,
										   *static_cast<Writer *>(fcinfo->flinfo->fn_extra));
		MemoryContext spi_context = MemoryContextSwitchTo(result_context);
		result = heap_copytuple(made);
		MemoryContextSwitchTo(spi_context);
	});
	SPI_finish();
	return PointerGetDatum(result);
}

extern "C" PGDLLEXPORT Datum vectorizer_note_write(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("note_write is a trigger function")));
	const Oid table = RelationGetRelid(reinterpret_cast<TriggerData *>(fcinfo->context)->tg_relation);
	if (table != writable_collection)
		note_write(table);
	PG_RETURN_POINTER(nullptr);
}
