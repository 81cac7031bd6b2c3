// What the last search of an hnsw index in this session did: vectorizer.last_search() shows it.
#pragma once

#include "pg/hnsw/format.hpp"

namespace vectorizer::hnsw {

/// Why a search returned no further row.
enum class Ending : std::uint8_t {
	kNotAsked,   // whoever asked had enough rows
	kEveryRow,   // it has looked at every row of the index
	kOneRound,   // vectorizer.iterative_scan = off
	kTupleLimit  // vectorizer.max_scan_tuples
};

struct SearchReport {
	Oid index;                     // InvalidOid: there was none
	int ef_search;
	Ending ending;
	bool swept;                    // looked through all pages for rows that no link led to
	std::uint32_t rounds;
	std::uint64_t hops;            // nodes whose links were followed
	std::uint64_t evaluations;     // distances estimated from codes
	std::uint64_t pages_glanced;   // visits of pages without pin and lock,
	std::uint64_t pages_locked;    // and with them
	std::uint64_t heap_fetches;    // rows fetched for their exact distance
	std::uint64_t rows;            // returned
	std::uint64_t dropped;         // found too late for the order
};

/// Takes note of a search, in place of the one before.
void report_search(const SearchReport &report);

}  // namespace vectorizer::hnsw
