/* This processor as a device: memory is the host's, work is done when the call returns. */
#include <omp.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/thread.h"
#include "tensor/device.h"

static void *cpu_alloc(Device *dev, size_t bytes)
{
    (void)dev;
    return mem_aligned(bytes);
}

static void cpu_free(Device *dev, void *p)
{
    (void)dev;
    mem_free(p);
}

/* Bytes a thread copies or clears at a time: one thread alone is far from the memory's speed. */
enum { PIECE = 1 << 20 };

static void cpu_copy(Device *dev, void *to, const void *from, size_t bytes)
{
    int64_t pieces = (int64_t)(bytes / PIECE) + 1;
#pragma omp parallel for schedule(static) num_threads(dev->threads) if (pieces > 2)
    for (int64_t i = 0; i < pieces; i++) {
        size_t at = (size_t)i * PIECE;
        memcpy((char *)to + at, (const char *)from + at, bytes - at < PIECE ? bytes - at : PIECE);
    }
}

static void cpu_zero(Device *dev, void *p, size_t bytes)
{
    int64_t pieces = (int64_t)(bytes / PIECE) + 1;
#pragma omp parallel for schedule(static) num_threads(dev->threads) if (pieces > 2)
    for (int64_t i = 0; i < pieces; i++) {
        size_t at = (size_t)i * PIECE;
        memset((char *)p + at, 0, bytes - at < PIECE ? bytes - at : PIECE);
    }
}

static void cpu_sync(Device *dev)
{
    (void)dev;
}

static void cpu_leave(Device *dev)
{
    (void)dev;
    omp_pause_resource_all(omp_pause_soft);
}

static void cpu_close(Device *dev)
{
    mem_free(dev);
}

static const DeviceKind cpu_kind = {
    .name = "cpu",
    .host_memory = true,
    .alloc = cpu_alloc,
    .free = cpu_free,
    .upload = cpu_copy,
    .download = cpu_copy,
    .copy = cpu_copy,
    .zero = cpu_zero,
    .sync = cpu_sync,
    .leave = cpu_leave,
    .close = cpu_close,
};

Status device_open_cpu(Device **out, int threads)
{
    Device *dev = mem_new(Device);
    dev->kind = &cpu_kind;
    dev->threads = threads > 0 ? threads : cpu_count();
    omp_set_dynamic(0);
    omp_set_num_threads(dev->threads);
#pragma omp parallel num_threads(dev->threads)
    {
        cpu_flush_subnormals();
        if (omp_get_thread_num() > 0) /* signals are the caller's: onednn/product.c holds them in this thread alone */
            thread_hold_signals();
    }
    *out = dev;
    return ST_OK;
}
