/* What this processor can do and how many of them this process may use. */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool avx2;       /* AVX2, FMA and F16C                               */
    bool avx512;     /* AVX-512 F, BW, DQ, VL                            */
    bool avx512vnni; /* the above and VNNI's dot products of bytes       */
    bool avx512bf16; /* the above and AVX-512 BF16                       */
    bool bf16_dots;  /* ... and vdpbf16ps outruns f32's fma, as it does not on Intel's: docs/speed.md */
    bool amx;        /* AVX-512 BF16, AMX's tiles of BF16 and INT8, and leave to use them */
    char name[64];   /* as the processor calls itself; "" where unknown  */
} CpuFeatures;

CpuFeatures cpu_features(void);
/* From now on arithmetic of this thread, and of threads that it starts, takes subnormal numbers for 0.  Most
 * processors need a hundred cycles and more for each of them, and gradients are full of them: docs/speed.md.
 * False: this processor is not known to do it. */
bool cpu_flush_subnormals(void);
int cpu_count(void); /* processors this process may run on (affinity and cgroup quota) */
/* Part `part` of `parts` of those it may run on, all of like size; more parts than processors: one each. */
void cpu_share(cpu_set_t *out, int part, int parts);
int64_t cpu_cache_bytes(void);  /* of the last cache, as the C library tells; 0 unknown */
int64_t memory_available(void); /* bytes, within a container's limit; -1 unknown  */
int64_t memory_total(void);     /* that the machine has, or the container may use; -1 unknown */
int64_t memory_peak(void);      /* this process's peak resident bytes; -1 unknown */

#endif
