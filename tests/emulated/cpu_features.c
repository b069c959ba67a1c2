/* In the place of base/cpu.h's function (the linker's --wrap): what is emulated is there, if the rest is. */
#include "base/cpu.h"

CpuFeatures __real_cpu_features(void);
CpuFeatures __wrap_cpu_features(void);

CpuFeatures __wrap_cpu_features(void)
{
    CpuFeatures f = __real_cpu_features();
    f.avx512bf16 = f.amx = f.avx512vnni;
    return f;
}
