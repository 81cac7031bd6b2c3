#include "pg/collection/spi.hpp"

namespace vectorizer::pg {

uint64 checked(int status, const char *sql)
{
	if (status < 0)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
						errmsg("statement failed: %s", SPI_result_code_string(status)), errdetail("%s", sql)));
	return SPI_processed;
}

uint64 spi_run(const char *sql, std::initializer_list<Param> params, Sees sees)
{
	Arguments arguments(params);
	MemoryContext caller = CurrentMemoryContext;
	const int status =
		SPI_execute_with_args(sql, arguments.count, arguments.types, arguments.values, arguments.nulls,
							  sees == Sees::kSnapshot, 0);
	MemoryContextSwitchTo(caller);
	return checked(status, sql);
}

uint64 Statement::run(std::initializer_list<Param> params)
{
	Arguments arguments(params);
	MemoryContext caller = CurrentMemoryContext;
	if (plan_ == nullptr) {
		plan_ = SPI_prepare(sql_, arguments.count, arguments.types);
		if (plan_ == nullptr)
			checked(SPI_result, sql_);
	}
	const int status = SPI_execute_plan(plan_, arguments.values, arguments.nulls, false, 0);
	MemoryContextSwitchTo(caller);
	return checked(status, sql_);
}

Datum spi_datum(uint64 row, int column, bool *null)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, null);
}

int64 spi_int64(uint64 row, int column)
{
	bool null;
	const Datum value = spi_datum(row, column, &null);
	return null ? 0 : DatumGetInt64(value);
}

int32 spi_int32(uint64 row, int column)
{
	bool null;
	const Datum value = spi_datum(row, column, &null);
	return null ? 0 : DatumGetInt32(value);
}

double spi_float8(uint64 row, int column)
{
	bool null;
	const Datum value = spi_datum(row, column, &null);
	return null ? 0 : DatumGetFloat8(value);
}

TimestampTz spi_timestamp(uint64 row, int column)
{
	bool null;
	const Datum value = spi_datum(row, column, &null);
	return null ? 0 : DatumGetTimestampTz(value);
}

bool spi_bool(uint64 row, int column)
{
	bool null;
	const Datum value = spi_datum(row, column, &null);
	return !null && DatumGetBool(value);
}

char *spi_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

}  // namespace vectorizer::pg
