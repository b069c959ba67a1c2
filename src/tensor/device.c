#include "tensor/device.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"

void device_close(Device *dev)
{
    if (!dev)
        return;
    if (dev->ops_close)
        dev->ops_close(dev);
    if (dev->scratch)
        device_free(dev, dev->scratch, dev->scratch_bytes);
    mem_free((void *)(uintptr_t)dev->ops);
    dev->kind->close(dev);
}

static void count(Device *dev, size_t bytes)
{
    dev->bytes += bytes;
    dev->allocations++;
    if (dev->bytes > dev->peak_bytes)
        dev->peak_bytes = dev->bytes;
}

Status device_alloc(Device *dev, void **out, size_t bytes, const char *what_for)
{
    char size[32];
    *out = dev->kind->alloc(dev, bytes);
    if (!*out)
        return fail(ST_NOMEM, "no %s of memory for %s on the %s; choose a smaller batch, context or model",
                    human_bytes(size, (double)bytes), what_for, dev->kind->name);
    count(dev, bytes);
    return ST_OK;
}

void device_free(Device *dev, void *p, size_t bytes)
{
    if (!p)
        return;
    check(dev->bytes >= bytes);
    dev->bytes -= bytes;
    dev->kind->free(dev, p);
}

void *device_scratch(Device *dev, size_t bytes)
{
    if (bytes <= dev->scratch_bytes)
        return dev->scratch;
    device_free(dev, dev->scratch, dev->scratch_bytes);
    dev->scratch_bytes = 0;
    dev->scratch = dev->kind->alloc(dev, bytes);
    if (!dev->scratch) {
        device_fail(dev, "no %zu bytes of working memory on the %s", bytes, dev->kind->name);
        return NULL;
    }
    dev->scratch_bytes = bytes;
    count(dev, bytes);
    return dev->scratch;
}

void device_upload(Device *dev, void *to, const void *from_host, size_t bytes)
{
    if (!device_failed(dev) && bytes)
        dev->kind->upload(dev, to, from_host, bytes);
}

void device_download(Device *dev, void *to_host, const void *from, size_t bytes)
{
    if (!device_failed(dev) && bytes)
        dev->kind->download(dev, to_host, from, bytes);
}

Status device_host_view(Device *dev, const void **out, const void *p, size_t bytes)
{
    TRY(device_sync(dev));
    *out = p;
    if (!p || dev->kind->host_memory)
        return ST_OK;
    void *copy = mem_aligned(bytes);
    if (!copy)
        return fail(ST_NOMEM, "no %zu bytes of memory for a copy of what is on the %s", bytes,
                    dev->kind->name);
    device_download(dev, copy, p, bytes);
    Status st = device_sync(dev);
    if (st != ST_OK)
        mem_free(copy);
    *out = st == ST_OK ? copy : NULL;
    return st;
}

void device_host_drop(Device *dev, const void *view, const void *p)
{
    (void)dev;
    if (view != p)
        mem_free((void *)(uintptr_t)view);
}

void device_copy(Device *dev, void *to, const void *from, size_t bytes)
{
    if (!device_failed(dev) && bytes)
        dev->kind->copy(dev, to, from, bytes);
}

void device_zero(Device *dev, void *p, size_t bytes)
{
    if (!device_failed(dev) && bytes)
        dev->kind->zero(dev, p, bytes);
}

void device_leave(Device *dev)
{
    dev->kind->leave(dev);
}

void device_fail(Device *dev, const char *fmt, ...)
{
    if (device_failed(dev))
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(dev->error.text, sizeof dev->error.text, fmt, ap);
    va_end(ap);
    dev->error.status = ST_DEVICE;
}

bool device_failed(const Device *dev)
{
    return dev->error.status != ST_OK;
}

Status device_sync(Device *dev)
{
    if (!device_failed(dev))
        dev->kind->sync(dev);
    return device_failed(dev) ? error_put(&dev->error) : ST_OK;
}
