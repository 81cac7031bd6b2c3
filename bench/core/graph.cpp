// Building a graph in memory, and the recall of searching it: the work of CREATE INDEX without a server.
// Build and run: make build/bench_graph && build/bench_graph base.fvecs query.fvecs groundtruth.ivecs [name=value ...]
//   bits=4           8, or 32 for no code            metric=cosine    l2 or ip
//   seeds=42         of the rotations: a graph each, and the mean of them all
//   ef_construction=64
//   own_links=28     that a new node makes (1.75m)   runners_up=128   that it chooses among (2 x ef_construction)
//   efs=40,80,160    of the searches                 reach=1          0: searches evaluate links of any length
//   pages=0          nodes a page: distinct pages a query touches, laid out as an index is
//   batch=16         rows wait for others until they take a 16th of the graph's memory; a large number: they don't
#include "core/graph/batch.hpp"
#include "core/graph/breadth_first.hpp"
#include "core/graph/page_order.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
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

class Options {
public:
	Options(char **first, char **last)
	{
		for (; first != last; ++first) {
			const std::string option = *first;
			const std::size_t at = option.find('=');
			auto known = values_.find(option.substr(0, at));
			if (at == std::string::npos || known == values_.end()) {
				std::fprintf(stderr, "no option %s\n", *first);
				std::exit(2);
			}
			known->second = option.substr(at + 1);
		}
	}

	const std::string &text(const char *name) const { return values_.at(name); }
	std::vector<std::uint64_t> numbers(const char *name) const
	{
		std::vector<std::uint64_t> result;
		std::istringstream list(text(name));
		for (std::string number; std::getline(list, number, ',');)
			result.push_back(std::strtoull(number.c_str(), nullptr, 0));
		return result;
	}
	std::uint64_t number(const char *name) const { return numbers(name).at(0); }
	unsigned small(const char *name) const { return static_cast<unsigned>(number(name)); }

private:
	std::map<std::string, std::string> values_{{"bits", "4"},		{"metric", "cosine"}, {"seeds", "42"},
											   {"own_links", "28"}, {"runners_up", "128"}, {"efs", "40,80,160"},
											   {"reach", "1"},		{"pages", "0"},	  {"batch", "16"}, {"ef_construction", "64"}};
};

/// A finished graph as a search sees it, watched.
class Watched {
public:
	Watched(graph::MemoryGraph &graph, bool reach, std::vector<std::uint32_t> page)
		: graph_(graph), reach_(reach), page_(std::move(page)), touched_(page_.empty() ? 0 : page_.size()) {}

	const graph::SlotLayout &layout() const { return graph_.layout(); }
	unsigned max_links() const { return graph_.max_links(); }
	Metric metric() const { return graph_.metric(); }
	unsigned links(graph::NodeId id, unsigned level, graph::NodeId *out, double reach)
	{
		touch(id);
		return graph_.links(id, level, out, reach_ ? reach : graph::kAnyDistance);
	}
	template <typename Read, typename Take, typename Beside = graph::NothingBeside>
	void visit(std::span<const graph::NodeId> ids, Read &&read, Take &&take, Beside && = {})
	{
		for (graph::NodeId id : ids)
			touch(id);
		graph_.visit(ids, read, take);
	}
	void prefetch_links(graph::NodeId id) { graph_.prefetch_links(id); }
	void codes(std::span<const graph::NodeId> ids, graph::StoredCode *out, const Arena &arena)
	{
		graph_.codes(ids, out, arena);
	}

	/// Distinct pages since the last call.
	std::size_t pages()
	{
		++query_;
		return std::exchange(pages_, 0);
	}

private:
	void touch(graph::NodeId id)
	{
		if (!page_.empty() && std::exchange(touched_[page_[id]], query_) != query_)
			++pages_;
	}

	graph::MemoryGraph &graph_;
	bool reach_;
	std::vector<std::uint32_t> page_;  // of each node; empty: nobody asked
	std::vector<std::uint32_t> touched_;
	std::uint32_t query_ = 1;
	std::size_t pages_ = 0;
};

std::vector<std::uint32_t> pages_of(graph::MemoryGraph &graph, unsigned per_page, const Arena &arena)
{
	if (per_page == 0)
		return {};
	std::vector<std::uint32_t> page(graph.size());
	std::uint32_t place = 0;
	for (graph::NodeId id : page_order(graph, breadth_first(graph, arena, {}), per_page, arena, {}))
		page[id] = place++ / per_page;
	return page;
}

/// What searches at one ef came to: of one graph, or the sum over several.
struct Outcome {
	double recall = 0, milliseconds = 0, evaluations = 0, hops = 0, pages = 0;

	void add(const Outcome &other, double weight)
	{
		recall += other.recall * weight;
		milliseconds += other.milliseconds * weight;
		evaluations += other.evaluations * weight;
		hops += other.hops * weight;
		pages += other.pages * weight;
	}
	void print(std::size_t ef) const
	{
		std::printf("ef %3zu: recall@10 %.4f, %.3f ms, %.0f evaluations, %.0f hops", ef, recall, milliseconds, evaluations, hops);
		if (pages > 0)
			std::printf(", %.0f pages", pages);
		std::printf(" a query\n");
	}
};

struct Data {
	Rows<float> base, queries;
	Rows<std::int32_t> truth;
	Metric metric;
};

Outcome search(const Data &data, graph::MemoryGraph &graph, Watched &watched, const quantize::Quantizer &quantizer, std::size_t ef)
{
	BlockArena scratch;
	std::size_t hits = 0, evaluations = 0, hops = 0, pages = 0;
	const auto start = std::chrono::steady_clock::now();
	for (std::size_t q = 0; q < data.queries.size(); ++q, scratch.clear()) {
		const quantize::Computer computer = quantizer.query(data.queries[q], scratch.arena());
		graph::NodeId entry = graph::descend(watched, computer, graph.entry(), graph.entry_level(), 1, scratch.arena());
		using Search = graph::Search<Watched>;
		Search search(watched, computer, 0, Search::Use::kOnce, ef * 16, scratch.arena());
		search.start({&entry, 1});
		search.round(ef, {});
		evaluations += search.evaluations();
		hops += search.hops();
		pages += watched.pages();
		std::vector<std::pair<double, std::int32_t>> best;
		auto rank = [&](graph::RowPointer row) {
			const std::int32_t i = row.block_high << 16 | row.block_low;
			best.emplace_back(quantize::exact_distance(data.metric, data.queries[q], data.base[static_cast<std::size_t>(i)],
													   data.base.dimensions), i);
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
			hits += static_cast<std::size_t>(std::count(data.truth[q], data.truth[q] + 10, id));
	}
	const auto n = static_cast<double>(data.queries.size());
	auto mean = [n](std::size_t sum) { return static_cast<double>(sum) / n; };
	return {mean(hits) / 10, seconds_since(start) * 1000 / n, mean(evaluations), mean(hops), mean(pages)};
}

/// Builds a graph, and adds what its searches came to.
void run(const Data &data, const Options &options, std::uint64_t seed, double weight, std::vector<Outcome> *sum)
{
	const unsigned bits = options.small("bits");
	const quantize::Shape shape{bits == 32 ? quantize::Kind::kNone : quantize::Kind::kScalar, static_cast<std::uint8_t>(bits),
								data.metric, static_cast<std::uint32_t>(data.base.dimensions), seed};
	BlockArena memory, scratch;
	const quantize::Quantizer quantizer(shape, memory.arena());
	graph::ArenaChunks chunks(memory.arena(), SIZE_MAX);
	graph::MemoryGraph graph(graph::BuildCode(quantizer), {16, options.small("ef_construction"), options.small("own_links"), options.small("runners_up")},
							 chunks.state, chunks.source(), memory.arena());
	BlockArena batch_memory;
	graph::Batch batch(graph, batch_memory.arena(), options.number("batch"));
	auto insert_batch = [&] {
		for (const graph::MemoryGraph::Newcomer *newcomer : batch.arranged()) {
			graph.insert(*newcomer, scratch.arena(), {});
			scratch.clear();
		}
		batch.clear();
		batch_memory.clear();
	};
	std::mt19937_64 random(1);
	const auto start = std::chrono::steady_clock::now();
	for (std::size_t i = 0; i < data.base.size(); ++i) {
		unsigned level = 0;
		while (level < graph::kMaxLevel && random() % 16 == 0)
			++level;
		const graph::RowPointer row{static_cast<std::uint16_t>(i >> 16), static_cast<std::uint16_t>(i), 1};
		batch.add(data.base[i], row, level, scratch.arena());
		scratch.clear();
		if (batch.enough())
			insert_batch();
	}
	insert_batch();
	std::printf("seed %llu: %zu rows, %zu nodes, %.1f MB, built in %.2f s\n", static_cast<unsigned long long>(seed),
				data.base.size(), graph.size(), static_cast<double>(graph.bytes()) / 1e6, seconds_since(start));

	Watched watched(graph, options.number("reach") != 0, pages_of(graph, options.small("pages"), memory.arena()));
	const std::vector<std::uint64_t> efs = options.numbers("efs");
	for (std::size_t i = 0; i < efs.size(); ++i) {
		const Outcome outcome = search(data, graph, watched, quantizer, efs[i]);
		outcome.print(efs[i]);
		(*sum)[i].add(outcome, weight);
	}
}

}  // namespace

int main(int argc, char **argv)
{
	if (argc < 4) {
		std::fprintf(stderr, "usage: %s base.fvecs query.fvecs groundtruth.ivecs [name=value ...]\n", argv[0]);
		return 2;
	}
	const Options options(argv + 4, argv + argc);
	const std::string &metric = options.text("metric");
	const Data data{read_rows<float>(argv[1]), read_rows<float>(argv[2]), read_rows<std::int32_t>(argv[3]),
					metric == "l2" ? Metric::kL2 : metric == "ip" ? Metric::kInnerProduct : Metric::kCosine};
	const std::vector<std::uint64_t> seeds = options.numbers("seeds"), efs = options.numbers("efs");
	std::vector<Outcome> mean(efs.size());
	for (std::uint64_t seed : seeds)
		run(data, options, seed, 1 / static_cast<double>(seeds.size()), &mean);
	if (seeds.size() > 1) {
		std::printf("mean of %zu graphs\n", seeds.size());
		for (std::size_t i = 0; i < efs.size(); ++i)
			mean[i].print(efs[i]);
	}
}
