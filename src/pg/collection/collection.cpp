#include "pg/collection/collection.hpp"

#include "pg/collection/lexemes.hpp"
#include "pg/collection/spi.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
}

namespace vectorizer::pg {

namespace {

/// Column `column` of a row, text[]: its elements, palloc'd.
std::span<const char *const> text_array(uint64 row, int column)
{
	bool null;
	Datum *elements;
	int count;
	deconstruct_array(DatumGetArrayTypePCopy(spi_datum(row, column, &null)), TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  nullptr, &count);
	auto **strings = static_cast<const char **>(palloc(sizeof(char *) * static_cast<std::size_t>(count + 1)));
	for (int i = 0; i < count; ++i)
		strings[i] = TextDatumGetCString(elements[i]);
	return {strings, static_cast<std::size_t>(count)};
}

/// Row i of what load() selects.
Collection collection_of(uint64 i, Oid schema)
{
	Collection each{};
	each.id = spi_int64(i, 1);
	each.name = spi_text(i, 2);
	each.table = get_relname_relid(each.name, schema);
	if (!OidIsValid(each.table))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("the table of collection \"%s\" is gone", each.name),
						errhint("Drop the collection with vectorizer.drop_collection().")));
	each.include = text_array(i, 3);
	each.exclude = text_array(i, 4);
	each.chunk_size = spi_int32(i, 5);
	each.chunk_overlap = spi_int32(i, 6);
	each.text_config = text_config_oid(spi_text(i, 7));
	each.revision = spi_int32(i, 8);
	each.dimension = spi_int32(i, 9);
	each.generation = spi_int32(i, 10);
	each.dynamic = spi_bool(i, 11);
	each.imported = spi_int64(i, 15);
	each.endpoint = spi_int64(i, 16);
	const std::string_view model = spi_text(i, 12);
	if (each.imported != 0)
		each.model = ModelKind::kStatic;
	else if (each.endpoint != 0)
		each.model = ModelKind::kHttp;
	else if (model == "none")
		each.model = ModelKind::kNone;
	else if (model != "lsa")
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model \"%s\" of collection \"%s\" does not exist", model.data(), each.name)));
	each.k1 = static_cast<float>(spi_float8(i, 13));
	each.b = static_cast<float>(spi_float8(i, 14));
	return each;
}

/// Those for which `condition` holds of row c. `source` has rows as of vectorizer.collection.
std::span<Collection> load(const char *source, const char *condition, int64 parameter)
{
	const uint64 count = spi_run(
		psprintf("SELECT c.id, c.name, include, exclude, chunk_size, chunk_overlap, c.text_config, revision, c.dimension, model_generation,"
				 " kind = 'dynamic', c.model, coalesce((model_options ->> 'k1')::float8, 1.2), coalesce((model_options ->> 'b')::float8, 0.75),"
				 " i.id, e.id, c.next IS NOT NULL FROM %s c LEFT JOIN vectorizer.imported_model i ON i.name = c.model"
				 " LEFT JOIN vectorizer.endpoint e ON e.name = c.model WHERE c.%s = $1 ORDER BY c.name",
				 source, condition),
		{param(parameter)});
	const Oid schema = get_namespace_oid("vectorizer_data", false);
	auto *collections = static_cast<Collection *>(palloc0(sizeof(Collection) * (count + 1)));
	for (uint64 i = 0; i < count; ++i)
		collections[i] = collection_of(i, schema);
	return {collections, count};
}

/// As they are, each with what it will be.
std::span<Collection> load(const char *condition, int64 parameter)
{
	const std::span<Collection> collections = load("vectorizer.collection", condition, parameter);
	bool any = false;
	for (uint64 i = 0; i < collections.size(); ++i)
		any = any || spi_bool(i, 17);
	if (!any)
		return collections;
	const std::span<Collection> wanted =
		load("(SELECT w.* FROM vectorizer.collection x, jsonb_populate_record(x, x.next || jsonb_build_object("
			 "'model_generation', coalesce((x.next ->> 'generation')::integer, 0))) w WHERE x.next IS NOT NULL)",
			 condition, parameter);
	for (Collection &each : wanted) {
		const auto of = std::ranges::find(collections, each.id, &Collection::id);
		if (of == collections.end())
			continue;
		each.beside = true;
		of->next = &each;
	}
	return collections;
}

}  // namespace

std::span<Collection> load_collections(int64 project)
{
	return load("project_id", project);
}

std::span<Collection> load_collection(int64 id)
{
	return load("id", id);
}

std::span<DynamicCollection> dynamic_collections()
{
	const uint64 count = spi_run("SELECT id, name FROM vectorizer.collection WHERE kind = 'dynamic' ORDER BY id");
	const Oid schema = get_namespace_oid("vectorizer_data", false);
	auto *collections = static_cast<DynamicCollection *>(palloc(sizeof(DynamicCollection) * (count + 1)));
	for (uint64 i = 0; i < count; ++i)
		collections[i] = {spi_int64(i, 1), get_relname_relid(spi_text(i, 2), schema)};
	return {collections, count};
}

}  // namespace vectorizer::pg
