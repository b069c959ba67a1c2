/* Any bytes as a .safetensors file: entries whose data lie in the file, or a sentence. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "model/convert.h"
#include "model/safetensors.h"

static unsigned sum_of(const SafetensorsEntry *e)
{
    unsigned sum = 0;
    int64_t product = 1;
    for (int i = 0; i < e->ndim; i++)
        product *= e->shape[i];
    check(product == e->count);
    for (int64_t i = 0; e->dtype < DTYPE_I32 && i < e->count; i++) {
        float f;
        convert_floats(&f, DTYPE_F32, (const char *)e->data + (size_t)i * dtype_size(e->dtype), e->dtype, 1);
        sum += f > 0;
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[64];
    Safetensors *s = NULL;
    int fd = memfd_create("fuzz", 0);
    check(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    Status st = safetensors_open(&s, path);
    close(fd);
    check((st == ST_OK) == (s != NULL));
    if (st != ST_OK)
        check(*error_text());
    for (int64_t i = 0; s && i < safetensors_count(s); i++) {
        const SafetensorsEntry *e = safetensors_at(s, i);
        check(safetensors_find(s, e->name) == e && sum_of(e) <= (unsigned)n);
    }
    safetensors_close(s);
    return 0;
}
