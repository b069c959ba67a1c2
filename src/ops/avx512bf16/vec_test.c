#include "ops/avx512bf16/vec.h"

#include "base/cpu.h"

static const bool keeps_subnormals = false;

static bool runs_here(const CpuFeatures *cpu)
{
    return cpu->avx512bf16;
}

#include "ops/simd/check_vec.h" /* the tests */
