// hnswlib inside the process: what a search costs without a server.
//
// limit base=FVECS metric=l2|cosine index=FILE build=1 threads=N [m=16] [ef_construction=64]
// limit base=FVECS metric=l2|cosine index=FILE queries=FVECS truth=IVECS k=N values=N,N,...
// The first builds, saves, and prints "build", seconds, bytes of the file, and bytes of memory: the peak of the process less
// what it held before (the file of vectors is mapped, and hnswlib keeps a copy of its own). The second loads and prints a line
// a value of ef (latencies.hpp), searching in one thread. Cosine is the inner product of normalized vectors, as hnswlib's own
// bindings have it.

#include <hnswlib/hnswlib.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <thread>

#include "latencies.hpp"
#include "vecs.hpp"

using namespace compare;

namespace {

std::unique_ptr<hnswlib::SpaceInterface<float>> space_of(const std::string &metric, std::size_t dimensions)
{
	if (metric == "l2")
		return std::make_unique<hnswlib::L2Space>(dimensions);
	if (metric == "cosine")
		return std::make_unique<hnswlib::InnerProductSpace>(dimensions);
	die("unknown metric: " + metric);
}

/// The vector as the space wants it.
std::vector<float> prepared(const float *vector, std::size_t dimensions, bool normalize)
{
	std::vector<float> out(vector, vector + dimensions);
	double square = 0;
	for (float value : out)
		square += static_cast<double>(value) * value;
	if (normalize && square > 0)
		for (float &value : out)
			value = static_cast<float>(value / std::sqrt(square));
	return out;
}

long status_kilobytes(const char *field)
{
	std::FILE *status = std::fopen("/proc/self/status", "r");
	char line[256];
	long value = 0;
	std::size_t length = std::strlen(field);
	while (status != nullptr && std::fgets(line, sizeof line, status) != nullptr)
		if (std::strncmp(line, field, length) == 0)
			value = std::strtol(line + length + 1, nullptr, 10);
	std::fclose(status);
	return value;
}

void build(const Arguments &arguments, const Vecs<float> &base, hnswlib::SpaceInterface<float> &space, bool normalize)
{
	Clock::time_point start = Clock::now();
	long before = status_kilobytes("RssAnon");
	hnswlib::HierarchicalNSW<float> index(&space, base.rows(), static_cast<std::size_t>(arguments.number("m", 16)),
		static_cast<std::size_t>(arguments.number("ef_construction", 64)));
	std::atomic<std::size_t> next{0};
	std::vector<std::thread> threads;
	for (long i = 0; i < arguments.number("threads"); ++i)
		threads.emplace_back([&] {
			for (std::size_t row; (row = next++) < base.rows();)
				index.addPoint(prepared(base[row], base.length(), normalize).data(), row);
		});
	for (std::thread &thread : threads)
		thread.join();
	double seconds = seconds_since(start);
	long held = status_kilobytes("RssAnon") - before;
	index.saveIndex(arguments.text("index"));
	struct stat status;
	if (stat(arguments.text("index").c_str(), &status) != 0)
		die("cannot write the index");
	std::printf("build\t%.3f\t%lld\t%ld\n", seconds, static_cast<long long>(status.st_size), held * 1024);
}

void search(const Arguments &arguments, hnswlib::SpaceInterface<float> &space, bool normalize)
{
	Vecs<float> queries(arguments.text("queries"));
	Vecs<std::int32_t> truth(arguments.text("truth"));
	auto k = static_cast<std::size_t>(arguments.number("k"));
	if (truth.rows() < queries.rows() || truth.length() < k)
		die("the ground truth is too small");
	hnswlib::HierarchicalNSW<float> index(&space, arguments.text("index"));
	std::vector<std::vector<float>> asked;
	for (std::size_t i = 0; i < queries.rows(); ++i)
		asked.push_back(prepared(queries[i], queries.length(), normalize));
	for (long ef : arguments.numbers("values")) {
		index.setEf(static_cast<std::size_t>(ef));
		for (std::size_t i = 0; i < std::min<std::size_t>(50, asked.size()); ++i)
			index.searchKnn(asked[i].data(), k);
		std::vector<double> micros;
		double recall = 0;
		for (std::size_t i = 0; i < asked.size(); ++i) {
			Clock::time_point from = Clock::now();
			auto nearest = index.searchKnn(asked[i].data(), k);
			micros.push_back(1e6 * seconds_since(from));
			std::vector<std::int32_t> found;
			for (; !nearest.empty(); nearest.pop())
				found.push_back(static_cast<std::int32_t>(nearest.top().second));
			recall += recall_of(found, truth[i], k) / static_cast<double>(asked.size());
		}
		double wall = std::accumulate(micros.begin(), micros.end(), 0.0) / 1e6;
		print_latencies(std::to_string(ef).c_str(), recall, std::move(micros), wall);
	}
}

}  // namespace

int main(int argc, char **argv)
{
	Arguments arguments(argc, argv);
	Vecs<float> base(arguments.text("base"));
	std::string metric = arguments.text("metric");
	auto space = space_of(metric, base.length());
	if (arguments.number("build", 0) != 0)
		build(arguments, base, *space, metric == "cosine");
	else
		search(arguments, *space, metric == "cosine");
}
