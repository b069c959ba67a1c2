/* A place where tensors live and operations run: this processor now, a GPU behind the same functions later.
 *
 * A device remembers its first error; work given to it afterwards does nothing; device_sync says what
 * happened.  That is how CUDA behaves anyway, and it lets operations return nothing and a forward pass read
 * as a recipe.  One thread at a time may use a device. */
#ifndef TENSOR_DEVICE_H
#define TENSOR_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct Device Device;
struct Ops; /* ops/ops.h */

/* What a kind of device must be able to do.  Memory is 64-byte aligned at least. */
typedef struct {
    const char *name;
    bool host_memory;                          /* what alloc gives, the processor can read */
    void *(*alloc)(Device *dev, size_t bytes); /* NULL when it cannot be had; not zeroed */
    void (*free)(Device *dev, void *p);
    void (*upload)(Device *dev, void *to, const void *from_host, size_t bytes);
    void (*download)(Device *dev, void *to_host, const void *from, size_t bytes);
    void (*copy)(Device *dev, void *to, const void *from, size_t bytes);
    void (*zero)(Device *dev, void *p, size_t bytes);
    void (*sync)(Device *dev);
    void (*leave)(Device *dev);
    void (*close)(Device *dev);
} DeviceKind;

struct Device {
    const DeviceKind *kind;
    const struct Ops *ops;          /* made by ops_attach, freed by device_close */
    void *ops_state;                /* what a back end keeps between calls (primitives); owned by it */
    void (*ops_close)(Device *dev); /* frees ops_state; NULL when there is nothing to free */
    int threads;                    /* OpenMP threads an operation may use */
    Error error;                    /* the first one */
    size_t bytes, peak_bytes;       /* held now, and at most so far, through device_alloc and scratch */
    int64_t allocations;            /* how many there have been: a step after the first adds none */
    void *scratch;                  /* one buffer, for the operation that runs now */
    size_t scratch_bytes;
};

/* threads 0: as many as this process may use.  Subnormal numbers are 0 from then on, for this thread and
 * those that it starts.  It has no operations until ops_attach gives it a table. */
MUST_CHECK Status device_open_cpu(Device **out, int threads);
void device_close(Device *dev); /* what was allocated on it has been freed */

/* *out is 64-byte aligned and not zeroed.  ST_NOMEM names the size and `what_for`, as in "the KV cache". */
MUST_CHECK Status device_alloc(Device *dev, void **out, size_t bytes, const char *what_for);
void device_free(Device *dev, void *p, size_t bytes); /* as it was allocated; NULL: nothing */

/* At least `bytes` of working memory, kept for the next caller, grown where needed; its contents last until
 * the next operation on the device.  NULL, and the device has failed, when it cannot be had. */
void *device_scratch(Device *dev, size_t bytes);

/* Copies.  from_host may be reused when upload returns; to_host holds the bytes when download returns. */
void device_upload(Device *dev, void *to, const void *from_host, size_t bytes);
void device_download(Device *dev, void *to_host, const void *from, size_t bytes);
/* Bytes on the device as host memory: themselves where that is one and the same, else a copy.  Waits.
 * device_host_drop with the same arguments gives the copy back.  ST_NOMEM, ST_DEVICE. */
MUST_CHECK Status device_host_view(Device *dev, const void **out, const void *p, size_t bytes);
void device_host_drop(Device *dev, const void *view, const void *p);
void device_copy(Device *dev, void *to, const void *from, size_t bytes);
void device_zero(Device *dev, void *p, size_t bytes);

/* Before another thread takes the device over: the threads that helped this one end.  A pool for each would be more
 * threads than processors, and OpenMP then has them sleep in every gap between two operations, which made small models
 * half as fast.  This thread may come back: it gets new ones. */
void device_leave(Device *dev);

void device_fail(Device *dev, const char *fmt, ...) PRINTF_LIKE(2, 3); /* keeps the first */
bool device_failed(const Device *dev);
MUST_CHECK Status device_sync(Device *dev); /* waits; ST_DEVICE with the first error, which stays */

#endif
