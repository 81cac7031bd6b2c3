// Statements that a backend keeps planned from one call to the next, by their text.
//
// The server plans one of them anew when what it refers to changes, or when another role's policies apply.
#pragma once

#include "pg/collection/spi.hpp"

namespace vectorizer::pg {

/// How a statement is planned: once for all values of its parameters, or for each.
enum class Planned { kOnce, kEachTime };

/// Runs the statement, which sees what the query around it sees, and may not write. Its rows are in SPI_tuptable; returns their number.
/// REQUIRES: an SPI connection; of one text the types of parameters and `planned` are always the same.
uint64 run_kept(const char *sql, std::initializer_list<Param> params, Planned planned);

}  // namespace vectorizer::pg
