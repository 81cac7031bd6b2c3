// Building a graph in memory, and the recall of searching it: the work of CREATE INDEX without a server.
// Build and run: make build/bench_graph && build/bench_graph base.fvecs query.fvecs groundtruth.ivecs [bits [metric]]
//   bits    4 (default), 8, or 32 for no code; metric: cosine (default), l2 or ip
#include "core/graph/memory_graph.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace vectorizer;

/// Blocks that are handed out bit by bit; clear() keeps the first.
class BlockArena {
public:
	Arena arena()
	{
		return {[](void *self, std::size_t bytes) { return static_cast<BlockArena *>(self)->allocate(bytes); }, this};
	}
	void clear()
	{
		blocks_.resize(std::min<std::size_t>(blocks_.size(), 1));
		used_ = 0;
	}

private:
	static constexpr std::size_t kBlock = 1 << 20;

	void *allocate(std::size_t bytes)
	{
		bytes = (bytes + 7) & ~std::size_t{7};
		if (blocks_.empty() || used_ + bytes > kBlock) {
			blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(std::max(bytes, kBlock)));
			used_ = 0;
		}
		void *result = blocks_.back().get() + used_;
		used_ += bytes;
		return result;
	}

	std::vector<std::unique_ptr<std::byte[]>> blocks_;
	std::size_t used_ = 0;
};

template <typename T>
struct Rows {
	std::size_t dimensions = 0;
	std::vector<T> values;

	std::size_t size() const { return values.size() / dimensions; }
	const T *operator[](std::size_t i) const { return values.data() + i * dimensions; }
};

template <typename T>
Rows<T> read_rows(const char *path)
{
	Rows<T> rows;
	std::FILE *file = std::fopen(path, "rb");
	if (file == nullptr) {
		std::perror(path);
		std::exit(1);
	}
	for (std::int32_t d; std::fread(&d, sizeof d, 1, file) == 1;) {
		rows.dimensions = static_cast<std::size_t>(d);
		rows.values.resize(rows.values.size() + rows.dimensions);
		if (std::fread(&*(rows.values.end() - d), sizeof(T), rows.dimensions, file) != rows.dimensions)
			break;
	}
	std::fclose(file);
	return rows;
}

double seconds_since(std::chrono::steady_clock::time_point start)
{
	return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char **argv)
{
	if (argc < 4) {
		std::fprintf(stderr, "usage: %s base.fvecs query.fvecs groundtruth.ivecs [bits [metric]]\n", argv[0]);
		return 2;
	}
	const auto base = read_rows<float>(argv[1]), queries = read_rows<float>(argv[2]);
	const auto truth = read_rows<std::int32_t>(argv[3]);
	const int bits = argc > 4 ? std::atoi(argv[4]) : 4;
	const std::string name = argc > 5 ? argv[5] : "cosine";
	const Metric metric = name == "l2" ? Metric::kL2 : name == "ip" ? Metric::kInnerProduct : Metric::kCosine;
	const quantize::Shape shape{bits == 32 ? quantize::Kind::kNone : quantize::Kind::kScalar,
								static_cast<std::uint8_t>(bits), metric, static_cast<std::uint32_t>(base.dimensions), 42};

	BlockArena memory, scratch;
	const quantize::Quantizer quantizer(shape, memory.arena());
	graph::ArenaChunks chunks(memory.arena(), SIZE_MAX);
	graph::MemoryGraph graph(graph::BuildCode(quantizer), {16, 64}, chunks.state, chunks.source(), memory.arena());
	std::mt19937_64 random(1);
	auto start = std::chrono::steady_clock::now();
	for (std::size_t i = 0; i < base.size(); ++i) {
		unsigned level = 0;
		while (level < graph::kMaxLevel && random() % 16 == 0)
			++level;
		const graph::RowPointer row{static_cast<std::uint16_t>(i >> 16), static_cast<std::uint16_t>(i), 1};
		graph.insert(base[i], row, level, scratch.arena(), {});
		scratch.clear();
	}
	std::printf("%zu rows, %zu nodes, %.1f MB, built in %.2f s\n", base.size(), graph.size(),
				static_cast<double>(graph.bytes()) / 1e6, seconds_since(start));

	for (std::size_t ef : {40, 80, 160}) {
		std::size_t hits = 0, evaluations = 0, hops = 0;
		start = std::chrono::steady_clock::now();
		for (std::size_t q = 0; q < queries.size(); ++q, scratch.clear()) {
			const quantize::Computer computer = quantizer.query(queries[q], scratch.arena());
			graph::NodeId entry = descend(graph, computer, graph.entry(), graph.entry_level(), 1, scratch.arena());
			using Search = graph::Search<graph::MemoryGraph>;
			Search search(graph, computer, 0, Search::Use::kOnce, ef * 16, scratch.arena());
			search.start({&entry, 1});
			search.round(ef, {});
			evaluations += search.evaluations();
			hops += search.hops();
			std::vector<std::pair<double, std::int32_t>> best;
			auto rank = [&](graph::RowPointer row) {
				const std::int32_t i = row.block_high << 16 | row.block_low;
				best.emplace_back(quantize::exact_distance(metric, queries[q], base[static_cast<std::size_t>(i)],
														   base.dimensions), i);
			};
			for (std::size_t i = 0; i < search.found(); ++i) {
				const graph::SlotHeader &header = graph::SlotLayout::header(graph.slot(search.found(i).id));
				rank(header.row);
				for (std::uint32_t at = header.duplicates; at != graph::kNoChunk; at = graph.more_rows(at).next)
					rank(graph.more_rows(at).row);
			}
			std::sort(best.begin(), best.end());
			best.resize(std::min<std::size_t>(best.size(), 10));
			for (const auto &[distance, id] : best)
				hits += static_cast<std::size_t>(std::count(truth[q], truth[q] + 10, id));
		}
		const double n = static_cast<double>(queries.size());
		std::printf("ef %3zu: recall@10 %.4f, %.3f ms, %.0f evaluations, %.0f hops a query\n", ef,
					static_cast<double>(hits) / (10 * n), seconds_since(start) * 1000 / n,
					static_cast<double>(evaluations) / n, static_cast<double>(hops) / n);
	}
}
