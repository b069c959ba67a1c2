#include "cli/model_hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"

enum { WHOLE = 16 << 20, END = 1 << 20, SAMPLE = 64 << 10, SAMPLES = 256 };

static void add(XXH3_state_t *x, const void *at, size_t n)
{
    check(n == 0 || XXH3_64bits_update(x, at, n) == XXH_OK);
}

static Status add_file(XXH3_state_t *x, const char *path)
{
    FileMap m;
    TRY(file_map(&m, path));
    uint64_t size = m.n;
    add(x, &size, sizeof size);
    if (m.n <= WHOLE) {
        add(x, m.at, m.n);
    } else {
        add(x, m.at, END);
        add(x, m.at + m.n - END, END);
        for (size_t i = 0; i < SAMPLES; i++)
            add(x, m.at + (m.n - SAMPLE) / SAMPLES * i, SAMPLE);
    }
    file_unmap(&m);
    return ST_OK;
}

static bool is_model_file(const char *name)
{
    static const char *const ends[] = {".json", ".safetensors", ".model", ".jinja"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (span_ends(span(name), ends[i]))
            return true;
    return false;
}

static Status add_member(XXH3_state_t *x, const char *folder, const char *name)
{
    char *path = path_join(folder, name);
    Status st = ST_OK;
    if (!path_is_folder(path)) {
        add(x, name, strlen(name) + 1);
        st = add_file(x, path);
    }
    mem_free(path);
    return st;
}

static Status add_folder(XXH3_state_t *x, const char *path)
{
    FolderList list;
    Status st = ST_OK;
    TRY(folder_list(&list, path));
    for (size_t i = 0; st == ST_OK && i < list.n; i++)
        if (is_model_file(list.at[i]))
            st = add_member(x, path, list.at[i]);
    folder_list_drop(&list);
    return st;
}

Status model_hash(uint64_t *out, const char *path)
{
    XXH3_state_t *x = XXH3_createState();
    check(x && XXH3_64bits_reset(x) == XXH_OK);
    Status st = path_is_folder(path) ? add_folder(x, path) : add_file(x, path);
    *out = XXH3_64bits_digest(x);
    XXH3_freeState(x);
    return st;
}

Status model_hash_text(char out[17], const char *path)
{
    uint64_t hash;
    TRY(model_hash(&hash, path));
    snprintf(out, 17, "%016" PRIx64, hash);
    return ST_OK;
}
