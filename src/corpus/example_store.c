#include "corpus/example_store.h"

#include <stdio.h>

#include "base/array.h"
#include "base/check.h"
#include "base/file.h"

static const uint32_t LEARNED = UINT32_C(1) << 31;

struct ExampleStore {
    char *path;
    FILE *f;
    FileMap map;
    uint64_t tokens;
    Array(StoredExample) examples;
    Array(uint32_t) buffer;
};

Status example_store_create(ExampleStore **out, const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return fail_errno(ST_IO, "cannot write %s", path);
    ExampleStore *s = mem_new(ExampleStore);
    s->path = mem_str(path);
    s->f = f;
    *out = s;
    return ST_OK;
}

void example_store_close(ExampleStore *s)
{
    if (!s)
        return;
    if (s->f)
        fclose(s->f);
    file_unmap(&s->map);
    array_drop(&s->examples);
    array_drop(&s->buffer);
    mem_free(s->path);
    mem_free(s);
}

Status example_store_add(ExampleStore *s, const int32_t *ids, const uint8_t *mask, uint32_t n,
                         const StoredExample *about)
{
    check(s->f && n > 0);
    array_clear(&s->buffer);
    array_reserve(&s->buffer, n);
    for (uint32_t i = 0; i < n; i++)
        s->buffer.at[i] = (uint32_t)ids[i] | (mask[i] ? LEARNED : 0);
    if (fwrite(s->buffer.at, sizeof *s->buffer.at, n, s->f) != n)
        return fail_errno(ST_IO, "cannot write %s", s->path);
    StoredExample e = *about;
    e.at = s->tokens;
    e.n = n;
    s->tokens += n;
    array_push(&s->examples, e);
    return ST_OK;
}

Status example_store_end(ExampleStore *s)
{
    FILE *f = s->f;
    s->f = NULL;
    if (fclose(f) != 0)
        return fail_errno(ST_IO, "cannot write %s", s->path);
    TRY(file_map(&s->map, s->path));
    if (s->map.n != s->tokens * sizeof(uint32_t))
        return fail(ST_IO, "%s has %zu bytes, not the %llu that were written", s->path, s->map.n,
                    (unsigned long long)(s->tokens * sizeof(uint32_t)));
    return ST_OK;
}

int64_t example_store_count(const ExampleStore *s)
{
    return (int64_t)s->examples.n;
}

StoredExample *example_store_at(ExampleStore *s, int64_t i)
{
    check(i >= 0 && (size_t)i < s->examples.n);
    return &s->examples.at[i];
}

void example_store_read(const ExampleStore *s, int64_t i, int32_t *ids, uint8_t *mask)
{
    check(!s->f && i >= 0 && (size_t)i < s->examples.n);
    const StoredExample *e = &s->examples.at[i];
    const uint32_t *at = (const uint32_t *)(const void *)s->map.at + e->at;
    for (uint32_t k = 0; k < e->n; k++) {
        ids[k] = (int32_t)(at[k] & ~LEARNED);
        mask[k] = (at[k] & LEARNED) != 0;
    }
}
