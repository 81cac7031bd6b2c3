// The index's options (WITH (...)) and the settings of a session.
#pragma once

#include "core/quantize/quantizer.hpp"
#include "pg/pg.hpp"

namespace vectorizer::hnsw {

enum class Quantization : int { kAuto, kNone, kScalar, kProduct, kBinary };

/// What WITH (...) said. Read when an index is built; afterwards the metapage rules.
struct Options {
	int32 vl_len_;
	int m;
	int ef_construction;
	Quantization quantization;
	int bits;          // these three: 0, not given
	int subspaces;
	int target_bytes;
};

inline constexpr int kDefaultM = 16, kMinM = 2, kMaxM = 100;
inline constexpr int kDefaultEfConstruction = 64, kMinEfConstruction = 4, kMaxEfConstruction = 1000;
inline constexpr int kDefaultEfSearch = 40, kMinEfSearch = 1, kMaxEfSearch = 1000;

enum class IterativeScan : int { kOff, kStrictOrder, kRelaxedOrder };

/// The settings as this query sees them: vectorizer.*, or what a client has SET under hnsw.*.
struct ScanSettings {
	int ef_search;
	IterativeScan iterative_scan;
	int max_scan_tuples;  // 0: no limit
};

/// Registers the options and settings; called once from _PG_init.
void define_options();

/// amoptions.
bytea *parse_options(Datum reloptions, bool validate);

/// The index's options, defaults where it has none. Raises 22023 on a contradiction between them.
Options options_of(Relation index);

ScanSettings scan_settings();

}  // namespace vectorizer::hnsw
