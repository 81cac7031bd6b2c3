#include "core/simd/distance.hpp"
#include "core/simd/tables.hpp"

#include <atomic>
#include <cstring>

namespace vectorizer::simd {
namespace {

#if defined(__x86_64__)
bool has_avx2()
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool has_avx512()
{
	return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vnni");
}
#endif

const Kernels &best_kernels()
{
#if defined(__x86_64__)
	if (has_avx512())
		return kAvx512Kernels;
	if (has_avx2())
		return kAvx2Kernels;
#endif
	return kBaselineKernels;
}

// Two threads may both choose: they choose the same.
constinit std::atomic<const Kernels *> chosen{nullptr};

}  // namespace

const Kernels &kernels()
{
	const Kernels *table = chosen.load(std::memory_order_relaxed);
	if (table == nullptr) {
		table = &best_kernels();
		chosen.store(table, std::memory_order_relaxed);
	}
	return *table;
}

const Kernels *kernels_for(const char *isa)
{
	if (std::strcmp(isa, kBaselineKernels.isa) == 0)
		return &kBaselineKernels;
#if defined(__x86_64__)
	if (std::strcmp(isa, kAvx2Kernels.isa) == 0)
		return has_avx2() ? &kAvx2Kernels : nullptr;
	if (std::strcmp(isa, kAvx512Kernels.isa) == 0)
		return has_avx512() ? &kAvx512Kernels : nullptr;
#endif
	return nullptr;
}

}  // namespace vectorizer::simd
