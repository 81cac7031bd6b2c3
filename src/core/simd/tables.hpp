// The tables that the per-ISA files define and the dispatcher chooses from.
//
// Per-ISA files include this and distance.hpp, nothing else of ours: an inline function that one of them emitted could be
// the copy that the linker keeps for everyone.
#pragma once

#include "core/simd/distance.hpp"

namespace vectorizer::simd {

extern const Kernels kBaselineKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

}  // namespace vectorizer::simd
