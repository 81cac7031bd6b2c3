// Rows that an endpoint would not embed, in vectorizer.refused_row: left out until they are due, or say something else.
//
// All functions need a transaction with an SPI connection and an active snapshot.
#pragma once

#include "pg/collection/spi.hpp"

namespace vectorizer::pg {

struct RefusedRow {
	int64 id;
	std::string_view hash;  // of its content
};

/// Notes that the endpoint would not embed a row, and when it will be asked again: after a minute, twice as long each time, at most
/// a day.
void note_refusal(int64 collection, int64 endpoint, const RefusedRow &row, const char *reason);

/// All of a collection, as parameters bigint[] and bytea[] of equal length.
struct RefusedRows {
	Param ids;
	Param hashes;
};
RefusedRows refused_rows(int64 collection, int64 endpoint);

/// When one is due next; 0: there is none.
TimestampTz next_refused(int64 collection, int64 endpoint);

/// Has all rows that an endpoint has refused asked for anew.
void forgive(int64 endpoint);

}  // namespace vectorizer::pg
