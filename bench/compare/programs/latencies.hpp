#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <vector>

namespace compare {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start)
{
	return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The share of the true k nearest among what was found.
inline double recall_of(const std::vector<std::int32_t> &found, const std::int32_t *truth, std::size_t k)
{
	std::size_t hits = 0;
	for (std::size_t i = 0; i < k; ++i)
		hits += std::find(found.begin(), found.end(), truth[i]) != found.end();
	return static_cast<double>(hits) / static_cast<double>(k);
}

/// Prints one line of tab-separated figures: label, recall, mean, p50, p95, p99 in microseconds, operations a second.
inline void print_latencies(const char *label, double recall, std::vector<double> micros, double wall_seconds)
{
	std::sort(micros.begin(), micros.end());
	auto quantile = [&](double share) {
		auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(micros.size())));
		return micros[std::max<std::size_t>(rank, 1) - 1];
	};
	double mean = std::accumulate(micros.begin(), micros.end(), 0.0) / static_cast<double>(micros.size());
	std::printf("%s\t%.5f\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\n", label, recall, mean, quantile(.50), quantile(.95),
		quantile(.99), static_cast<double>(micros.size()) / wall_seconds);
	std::fflush(stdout);
}

}  // namespace compare
