// Statements that a backend keeps planned from one call to the next, by their text.
//
// The server plans one of them anew when what it refers to changes, or when another role's policies apply; here, too, when settings differ
// that choose between plans, or the size that the caller names.
#pragma once

#include "pg/collection/spi.hpp"

namespace vectorizer::pg {

/// How a statement is planned: once for all values of its parameters, or for each.
enum class Planned { kOnce, kEachTime };

/// Runs the statement, which sees what the query around it sees, and may not write. Its rows are in SPI_tuptable; returns their number.
/// `size` is a measure of the table: where it differs from that of the time of planning, the plan is another one. REQUIRES: an SPI connection; of one text `planned` is
/// always the same.
uint64 run_kept(const char *sql, std::initializer_list<Param> params, Planned planned, uint64 size = 0);

}  // namespace vectorizer::pg
