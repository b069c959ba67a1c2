#include "ops/avx512/vec.h"

#include "base/cpu.h"

static const bool keeps_subnormals = true;

static bool runs_here(const CpuFeatures *cpu)
{
    return cpu->avx512;
}

#include "ops/simd/check_vec.h" /* the tests */
