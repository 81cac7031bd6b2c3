// What a workspace file comes to: every project and collection with every setting, nothing inherited any more.
//
// Plain values that compare by member. Whatever form a file has, and however much of it is templates and defaults, two files that
// mean the same have equal plans.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vectorizer::config {

struct Workspace {
	std::string name;
	std::string version;
	std::string description;

	bool operator==(const Workspace &) const = default;
};

/// How vectors are coded. One value: a number means nothing beside another type.
struct Quantization {
	std::string type = "auto";  // auto, none, scalar, product, binary
	int bits = 0;               // of scalar: 8, 4, 2; 0, as of the others: the index decides
	int subspaces = 0;          // of product: bytes of a code
	int target_bytes = 0;       // of auto: bytes that a code keeps to

	bool operator==(const Quantization &) const = default;
};

/// The numbers that a type of code may have.
struct CodeNumber {
	const char *key;
	const char *type;
	int Quantization::*member;
	int most;
};
inline constexpr CodeNumber kCodeNumbers[] = {{"bits", "scalar", &Quantization::bits, 64},
											  {"subspaces", "product", &Quantization::subspaces, 8000},
											  {"target_bytes", "auto", &Quantization::target_bytes, 64000}};

struct CollectionPlan {
	std::string name;  // vectorizer.check_name's rule
	std::string description;
	std::string type = "custom";             // of types.hpp
	std::vector<std::string> include{"**"};  // as workspace::Glob takes them; none: every file
	std::vector<std::string> exclude;
	int chunk_size = 1200;    // characters
	int chunk_overlap = 150;  // characters, at most half of chunk_size
	std::string text_config = "english";
	int dimension = 200;
	std::string metric = "cosine";  // cosine, l2, ip
	std::string model = "lsa";
	double k1 = 1.2;
	double b = 0.75;
	int m = 16;
	int ef_construction = 64;  // at least 2 m
	int ef_search = 0;         // 0: the server's
	Quantization quantization;
	std::vector<std::string> tags;
	std::string category;  // code, documentation, configuration, data, mixed; empty: what most files are

	bool operator==(const CollectionPlan &) const = default;
};

struct ProjectPlan {
	std::string name;  // vectorizer.check_name's rule
	std::string path;  // absolute, without "." and "..", "//" or a "/" at the end
	std::string description;
	bool enabled = true;
	int scan_interval_seconds = 300;
	int debounce_ms = 1000;
	std::int64_t max_file_bytes = 16 << 20;
	std::vector<CollectionPlan> collections;

	bool operator==(const ProjectPlan &) const = default;
};

struct Plan {
	Workspace workspace;
	std::vector<ProjectPlan> projects;

	bool operator==(const Plan &) const = default;
};

/// The numbers that a plan may hold, both ends included. The server has the same limits (vectorizer.check_chunking and the like).
template <typename T>
struct Range {
	T low;
	T high;
};
inline constexpr Range<int> kDimension{8, 2000};
inline constexpr Range<int> kChunkSize{64, 100000};
inline constexpr Range<int> kChunkOverlap{0, 50000};
inline constexpr Range<int> kM{2, 100};
inline constexpr Range<int> kEfConstruction{4, 1000};
inline constexpr Range<int> kEfSearch{0, 1000};
inline constexpr Range<double> kK1{0, 10};
inline constexpr Range<double> kB{0, 1};
inline constexpr Range<int> kScanIntervalSeconds{1, 86400};
inline constexpr Range<int> kDebounceMs{0, 60000};
inline constexpr Range<std::int64_t> kMaxFileBytes{1, 256 << 20};

}  // namespace vectorizer::config
