// What encoding a vector, making a query ready and one distance cost, for each instruction set of this machine.
// Build and run: make build/bench_core && build/bench_core
#include "core/quantize/heap.hpp"
#include "core/quantize/quantizer.hpp"
#include "core/simd/distance.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace vectorizer;
using namespace vectorizer::quantize;

constexpr std::size_t kDimensions[] = {300, 384, 768};
// Few enough to stay in the first cache: what is measured is arithmetic.
constexpr std::size_t kCodes = 32;

std::vector<float> gaussian(std::size_t d)
{
	static std::mt19937_64 random(1);
	std::normal_distribution<float> normal;
	std::vector<float> vector(d);
	for (float &x : vector)
		x = normal(random);
	return vector;
}

Shape shape_of(unsigned bits, std::size_t d)
{
	return {Kind::kScalar, static_cast<std::uint8_t>(bits), Metric::kL2, static_cast<std::uint32_t>(d), 1};
}

void encode(benchmark::State &state, unsigned bits, std::size_t d)
{
	Heap heap;
	const Quantizer quantizer(shape_of(bits, d), heap.arena());
	const std::vector<float> vector = gaussian(d);
	std::vector<std::uint8_t> code(quantizer.code_bytes());
	for (auto _ : state)
		benchmark::DoNotOptimize(quantizer.encode(vector.data(), code.data()));
}

void query(benchmark::State &state, unsigned bits, std::size_t d)
{
	Heap heap;
	const Quantizer quantizer(shape_of(bits, d), heap.arena());
	const std::vector<float> vector = gaussian(d);
	for (auto _ : state) {
		Heap scratch;
		benchmark::DoNotOptimize(quantizer.query(vector.data(), scratch.arena()));
	}
}

void distance(benchmark::State &state, unsigned bits, std::size_t d)
{
	Heap heap;
	const Quantizer quantizer(shape_of(bits, d), heap.arena());
	std::vector<std::uint8_t> codes(kCodes * quantizer.code_bytes());
	std::vector<Factors> factors;
	for (std::size_t i = 0; i < kCodes; i++)
		factors.push_back(quantizer.encode(gaussian(d).data(), codes.data() + i * quantizer.code_bytes()));
	const Computer computer = quantizer.query(gaussian(d).data(), heap.arena());
	std::size_t i = 0;
	for (auto _ : state) {
		benchmark::DoNotOptimize(computer.distance(codes.data() + i * quantizer.code_bytes(), factors[i]));
		i = (i + 1) % kCodes;
	}
}

void kernel_dot(benchmark::State &state, const simd::Kernels &kernels, unsigned bits, std::size_t d)
{
	std::vector<std::int8_t> bytes(d, 3);
	std::vector<std::uint8_t> code(d, 5);
	const auto dot = bits == 8 ? kernels.dot_s8_u8 : kernels.dot_s8_u4;
	for (auto _ : state)
		benchmark::DoNotOptimize(dot(bytes.data(), code.data(), d));
}

void kernel_l2(benchmark::State &state, const simd::Kernels &kernels, std::size_t d)
{
	const std::vector<float> a = gaussian(d), b = gaussian(d);
	for (auto _ : state)
		benchmark::DoNotOptimize(kernels.l2_squared(a.data(), b.data(), d));
}

}  // namespace

int main(int argc, char **argv)
{
	for (std::size_t d : kDimensions) {
		const std::string length = "/d=" + std::to_string(d);
		for (unsigned bits : {8U, 4U}) {
			const std::string suffix = "/bits=" + std::to_string(bits) + length;
			benchmark::RegisterBenchmark(("encode" + suffix).c_str(), encode, bits, d);
			benchmark::RegisterBenchmark(("query" + suffix).c_str(), query, bits, d);
			benchmark::RegisterBenchmark(("distance" + suffix).c_str(), distance, bits, d);
		}
		for (const char *isa : {"baseline", "avx2", "avx512"}) {
			const simd::Kernels *kernels = simd::kernels_for(isa);
			if (kernels == nullptr)
				continue;
			for (unsigned bits : {8U, 4U}) {
				const std::string name = std::string("dot/") + isa + "/bits=" + std::to_string(bits) + length;
				benchmark::RegisterBenchmark(name.c_str(), kernel_dot, *kernels, bits, d);
			}
			benchmark::RegisterBenchmark((std::string("l2_squared/") + isa + length).c_str(), kernel_l2, *kernels, d);
		}
	}
	benchmark::Initialize(&argc, argv);
	benchmark::RunSpecifiedBenchmarks();
}
