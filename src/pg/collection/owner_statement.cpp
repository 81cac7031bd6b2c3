// Statements that meet what a collection's owner may have hung on its table: constraints, rules, a view in its place. They run with the
// owner's rights, not with those of the definer function that has them run.
#include "pg/collection/collection.hpp"
#include "pg/collection/spi.hpp"
#include "pg/collection/write_guard.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(vectorizer_run_as_owner);
}

extern "C" PGDLLEXPORT Datum vectorizer_run_as_owner(PG_FUNCTION_ARGS)
{
	using namespace vectorizer::pg;
	const char *statement = text_to_cstring(PG_GETARG_TEXT_PP(1));
	SPI_connect();
	const std::span<const Collection> found = load_collection(PG_GETARG_INT64(0));
	if (found.empty())
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("the collection does not exist any more")));
	int64 answer = 0;
	const auto run = [&] {
		if (spi_run(statement) > 0 && SPI_tuptable != nullptr)
			answer = spi_int64(0, 1);
	};
	if (PG_GETARG_BOOL(2))
		with_write_access(found[0].table, run);
	else
		as_table_owner(found[0].table, run);
	SPI_finish();
	PG_RETURN_INT64(answer);
}
