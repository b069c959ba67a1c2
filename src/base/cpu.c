/* One of the few files that meet the machine: see tools/ifdefs.sh. */
#include "base/cpu.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <xmmintrin.h>

/* CPUID 7's EDX: AMX's products of bf16, its tiles, its products of bytes. */
enum { AMX_BITS = 1 << 22 | 1 << 24 | 1 << 25 };
/* States of the registers that the operating system saves; AMX's take 8 kB a thread, so that a process asks
 * for them (Linux 5.16, Documentation/arch/x86/xstate.rst). */
enum { ASK_FOR_STATE = 0x1023 /* ARCH_REQ_XCOMP_PERM */, TILE_DATA = 18 };

/* Asks for leave, which is this process's and its threads' from then on; asking again changes nothing. */
static bool amx_allowed(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & AMX_BITS) != AMX_BITS)
        return false;
    return syscall(SYS_arch_prctl, ASK_FOR_STATE, TILE_DATA) == 0;
}

CpuFeatures cpu_features(void)
{
    CpuFeatures f = {0};
    __builtin_cpu_init(); /* its answers include whether the operating system saves the registers */
    f.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    f.avx512 = f.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    f.avx512vnni = f.avx512 && __builtin_cpu_supports("avx512vnni");
    f.avx512bf16 = f.avx512vnni && __builtin_cpu_supports("avx512bf16");
    f.bf16_dots = f.avx512bf16 && !__builtin_cpu_is("intel");
    f.amx = f.avx512bf16 && amx_allowed();
    unsigned words[12] = {0};
    for (unsigned i = 0; i < 3; i++)
        __get_cpuid(0x80000002u + i, words + 4 * i, words + 4 * i + 1, words + 4 * i + 2, words + 4 * i + 3);
    memcpy(f.name, words, sizeof words);
    return f;
}

bool cpu_flush_subnormals(void)
{
    enum { DENORMALS_ARE_ZERO = 1 << 6, FLUSH_TO_ZERO = 1 << 15 }; /* of MXCSR */
    _mm_setcsr(_mm_getcsr() | DENORMALS_ARE_ZERO | FLUSH_TO_ZERO);
    return true;
}
#else
CpuFeatures cpu_features(void)
{
    return (CpuFeatures){0};
}

bool cpu_flush_subnormals(void)
{
#if defined(__aarch64__)
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("msr fpcr, %0" : : "r"(control | 1u << 24));
    return true;
#else
    return false;
#endif
}
#endif

/* cgroup v2's cpu.max is "quota period" or "max period". */
static int quota_of(const char *path)
{
    long long quota = 0, period = 0;
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    int got = fscanf(f, "%lld %lld", &quota, &period);
    fclose(f);
    return got == 2 && quota > 0 && period > 0 ? (int)((quota + period - 1) / period) : 0;
}

int cpu_count(void)
{
    cpu_set_t set;
    int n = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
    int quota = quota_of("/sys/fs/cgroup/cpu.max");
    return quota > 0 && quota < n ? quota : n;
}

void cpu_share(cpu_set_t *out, int part, int parts)
{
    cpu_set_t set;
    CPU_ZERO(out);
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        CPU_SET(0, &set);
    int n = CPU_COUNT(&set), first = part * n / parts, end = (part + 1) * n / parts, at = 0;
    int most = (cpu_count() + parts - 1) / parts; /* a quota is shared as well */
    if (first == end || end - first > most)
        end = first + (first == end ? 1 : most);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set)) {
            if (at >= first && at < end)
                CPU_SET(i, out);
            at++;
        }
}

/* The number behind a key at the beginning of a line; -1: there is none. */
static int64_t number_in(const char *path, const char *key)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return -1;
    char line[256];
    long long number = -1;
    size_t n = strlen(key);
    while (number < 0 && fgets(line, sizeof line, f))
        if (strncmp(line, key, n) == 0 && sscanf(line + n, " %lld", &number) != 1)
            number = -1;
    fclose(f);
    return number;
}

static int64_t kilobytes_in(const char *path, const char *key)
{
    int64_t kb = number_in(path, key);
    return kb < 0 ? -1 : kb * 1024;
}

int64_t cpu_cache_bytes(void)
{
    long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return bytes > 0 ? bytes : 0;
}

/* A number of cgroup v2, as a container sees its own; -1: no such file, or "max". */
static int64_t cgroup_bytes(const char *path)
{
    return number_in(path, "");
}

static int64_t least_known(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Of what it has used the kernel gives back what it keeps of files before it refuses anything. */
int64_t memory_available(void)
{
    int64_t machine = kilobytes_in("/proc/meminfo", "MemAvailable:"),
            limit = cgroup_bytes("/sys/fs/cgroup/memory.max"),
            used = cgroup_bytes("/sys/fs/cgroup/memory.current"),
            files = number_in("/sys/fs/cgroup/memory.stat", "inactive_file ");
    if (limit < 0 || used < 0)
        return machine;
    int64_t left = limit - used + (files > 0 ? files : 0);
    return least_known(machine, left > 0 ? left : 0);
}

int64_t memory_total(void)
{
    return least_known(kilobytes_in("/proc/meminfo", "MemTotal:"), cgroup_bytes("/sys/fs/cgroup/memory.max"));
}

int64_t memory_peak(void)
{
    return kilobytes_in("/proc/self/status", "VmHWM:");
}
