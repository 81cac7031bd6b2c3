// Short forms for the server programming interface. A connection is the caller's business (SPI_connect). Unlike SPI's own
// calls, these leave the current memory context as it was.
#pragma once

#include "pg/pg.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/timestamp.h"
}

namespace vectorizer::pg {

struct Param {
	Oid type;
	Datum value;
	bool null = false;
};

inline Param param(int64 value) { return {INT8OID, Int64GetDatum(value)}; }
inline Param param(int32 value) { return {INT4OID, Int32GetDatum(value)}; }
inline Param param(double value) { return {FLOAT8OID, Float8GetDatum(value)}; }
inline Param param(bool value) { return {BOOLOID, BoolGetDatum(value)}; }
inline Param param(std::string_view value)
{
	return {TEXTOID, text_datum(value)};
}
inline Param param(const char *value) { return param(std::string_view(value)); }
inline Param bytea_param(std::string_view value)
{
	return {BYTEAOID, text_datum(value)};  // of one layout
}
inline Param null_param(Oid type) { return {type, Datum{0}, true}; }
inline Param param_or_null(const char *value) { return value == nullptr ? null_param(TEXTOID) : param(value); }

/// Parameters as SPI's own calls take them.
struct Arguments {
	static constexpr int kMost = 24;

	int count = 0;
	Oid types[kMost];
	Datum values[kMost];
	char nulls[kMost];

	explicit Arguments(std::initializer_list<Param> params)
	{
		Assert(params.size() <= kMost);
		for (const Param &each : params) {
			types[count] = each.type;
			values[count] = each.value;
			nulls[count] = each.null ? 'n' : ' ';
			++count;
		}
	}
};

/// The number of rows of the statement that ended with this status. Raises XX000 if it is one of SPI's errors.
uint64 checked(int status, const char *sql);

/// What a statement sees: all that is committed, or written here, by now; or what the query around it sees, which may then
/// not write.
enum class Sees { kNow, kSnapshot };

/// Runs one statement; the rows are in SPI_tuptable, their number is returned. Raises what the statement raises.
uint64 spi_run(const char *sql, std::initializer_list<Param> params = {}, Sees sees = Sees::kNow);

/// A statement run many times: planned at its first run, for as long as the SPI connection.
class Statement {
public:
	explicit Statement(const char *sql) : sql_(sql) {}
	uint64 run(std::initializer_list<Param> params);

private:
	const char *sql_;
	SPIPlanPtr plan_ = nullptr;
};

/// Column `column` (from 1) of a row of the last result. Null gives 0, false, nullptr.
Datum spi_datum(uint64 row, int column, bool *null);
int64 spi_int64(uint64 row, int column);
int32 spi_int32(uint64 row, int column);
double spi_float8(uint64 row, int column);
TimestampTz spi_timestamp(uint64 row, int column);
bool spi_bool(uint64 row, int column);
char *spi_text(uint64 row, int column);  // of any type, by its output function; palloc'd

}  // namespace vectorizer::pg
