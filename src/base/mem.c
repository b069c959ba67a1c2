#include "base/mem.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static _Atomic int64_t allocations;

static _Noreturn void out_of_memory(size_t count, size_t size)
{
    fprintf(stderr, "lemur: out of memory: cannot allocate %zu x %zu bytes\n", count, size);
    abort();
}

static void count_one(void)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
}

void *mem_zeroed(size_t count, size_t size)
{
    count_one();
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        out_of_memory(count, size);
    return p;
}

void *mem_resize(void *old, size_t count, size_t size)
{
    size_t bytes;
    count_one();
    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory(count, size);
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p)
        out_of_memory(count, size);
    return p;
}

void *mem_copy(const void *from, size_t bytes)
{
    void *p = mem_zeroed(1, bytes);
    if (bytes)
        memcpy(p, from, bytes);
    return p;
}

char *mem_str(const char *s)
{
    return mem_strn(s, strlen(s));
}

char *mem_strn(const char *s, size_t n)
{
    char *copy = mem_zeroed(n + 1, 1);
    if (n)
        memcpy(copy, s, n);
    return copy;
}

char *mem_format(const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = mem_zeroed((size_t)(n < 0 ? 0 : n) + 1, 1);
    vsnprintf(s, (size_t)(n < 0 ? 0 : n) + 1, fmt, again);
    va_end(again);
    return s;
}

void mem_free(void *p)
{
    free(p);
}

enum { CACHE_LINE = 64, HUGE_PAGE = 2 << 20, HUGE_FROM = 4 << 20 };

void *mem_aligned(size_t bytes)
{
    size_t rounded, align = bytes >= HUGE_FROM ? HUGE_PAGE : CACHE_LINE;
    count_one();
    if (__builtin_add_overflow(bytes ? bytes : 1, align - 1, &rounded))
        return NULL;
    void *p = aligned_alloc(align, rounded & ~(align - 1));
    if (p && align == HUGE_PAGE)
        madvise(p, bytes, MADV_HUGEPAGE); /* a hint: all works without it */
    return p;
}

int64_t mem_allocations(void)
{
    return atomic_load_explicit(&allocations, memory_order_relaxed);
}
