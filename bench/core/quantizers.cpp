// What each way of coding is worth on the vectors of an fvecs file: the table of vectorizer.evaluate_quantization(), outside
// a server. Build and run:
//   make build/bench_quantizers && build/bench_quantizers vectors.fvecs l2|ip|cosine|l1 [as-given|centre] [rows]
// `centre` takes the mean off all vectors first, to see what a centroid would bring under l2.
#include "core/quantize/evaluate.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

using namespace vectorizer;
using namespace vectorizer::quantize;

namespace {

double now()
{
	return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A random sample of so many rows, each with its length before it.
std::vector<float> sample_of(const char *path, std::size_t most, std::uint32_t &dimensions)
{
	std::ifstream file(path, std::ios::binary | std::ios::ate);
	const auto size = static_cast<std::size_t>(file.tellg());
	file.seekg(0);
	file.read(reinterpret_cast<char *>(&dimensions), sizeof dimensions);
	const std::size_t row_bytes = (dimensions + 1) * sizeof(float), count = size / row_bytes;
	std::vector<std::size_t> order(count);
	for (std::size_t i = 0; i < count; i++)
		order[i] = i;
	std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
	order.resize(std::min(count, most));
	std::vector<float> values(order.size() * dimensions);
	for (std::size_t i = 0; i < order.size(); i++) {
		file.seekg(static_cast<std::streamoff>(order[i] * row_bytes + sizeof dimensions));
		file.read(reinterpret_cast<char *>(values.data() + i * dimensions), dimensions * sizeof(float));
	}
	return values;
}

}  // namespace

int main(int argc, char **argv)
{
	if (argc < 3)
		return 1;
	const std::string name = argv[2];
	const Metric metric = name == "l2"       ? Metric::kL2
	                      : name == "ip"     ? Metric::kInnerProduct
	                      : name == "cosine" ? Metric::kCosine
	                                         : Metric::kL1;
	std::uint32_t d = 0;
	std::vector<float> values = sample_of(argv[1], argc > 4 ? std::stoul(argv[4]) : 20200, d);
	const std::size_t n = values.size() / d;
	if (argc > 3 && std::strcmp(argv[3], "centre") == 0) {
		std::vector<double> mean(d);
		for (std::size_t i = 0; i < values.size(); i++)
			mean[i % d] += values[i] / static_cast<double>(n);
		for (std::size_t i = 0; i < values.size(); i++)
			values[i] -= static_cast<float>(mean[i % d]);
	}
	double start = now();
	const Evaluator evaluator(metric, {values.data(), n, d}, {});
	std::printf("%zu rows of %u dimensions, truth in %.2f s\n", n, d, now() - start);
	std::printf("%-16s %6s %10s %11s %11s %10s %8s %7s\n", "method", "bytes", "recall@10", "recall@100", "rank shift", "time ratio", "saved", "seconds");
	const auto show = [&](const char *method, Kind kind, unsigned bits, unsigned subspaces) {
		const Shape shape{kind, static_cast<std::uint8_t>(bits), metric, d, 42, static_cast<std::uint16_t>(subspaces)};
		start = now();
		std::vector<float> parameters;
		if (kind == Kind::kProduct && std::strstr(method, "untrained") == nullptr)
			parameters = train(shape, evaluator.rows(), {});
		const double trained = now() - start;
		const Evaluation e = evaluator.evaluate(shape, parameters);
		std::printf("%-16s %6zu %10.4f %11.4f %11.2f %10.3f %8.3f %4.2f/%4.2f\n", method, e.code_bytes, e.recall_at_10, e.recall_at_100,
		            e.mean_rank_shift, e.time_ratio, e.bytes_saved, trained, now() - start);
	};
	show("none", Kind::kNone, 32, 0);
	show("scalar 8", Kind::kScalar, 8, 0);
	show("scalar 4", Kind::kScalar, 4, 0);
	show("scalar 2", Kind::kScalar, 2, 0);
	show("binary", Kind::kBinary, 1, 0);
	show("product d/4", Kind::kProduct, 8, d / 4);
	show("product d/8", Kind::kProduct, 8, d / 8);
	show("product 16", Kind::kProduct, 8, 16);
	show("untrained 16", Kind::kProduct, 8, 16);
}
