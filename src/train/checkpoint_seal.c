#include "train/checkpoint_seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"

static const char state_name[] = "state.json";

/* Read piece by piece: pages of a map would count as memory of the run, and AdamW's file is as large as its
 * moments; and a disk that fails gives an error, where a map kills the process. */
static Status sum_file(uint64_t *sum, size_t *bytes, const char *path)
{
    enum { PIECE = 1 << 20 };
    FILE *f = fopen(path, "rb");
    if (!f)
        return fail_errno(ST_IO, "cannot open %s", path);
    char *piece = mem_array(char, PIECE);
    XXH3_state_t *state = XXH3_createState();
    check(state && XXH3_64bits_reset(state) == XXH_OK);
    *bytes = 0;
    for (size_t n; (n = fread(piece, 1, PIECE, f)) > 0; *bytes += n)
        XXH3_64bits_update(state, piece, n);
    *sum = XXH3_64bits_digest(state);
    Status st = ferror(f) ? fail_errno(ST_IO, "cannot read %s", path) : ST_OK;
    XXH3_freeState(state);
    mem_free(piece);
    fclose(f);
    return st;
}

/* {"name": {"bytes": n, "xxh3": "..."}} of every file in the folder. */
static Status sum_folder(json_t **out, const char *folder)
{
    FolderList names;
    TRY(folder_list(&names, folder));
    Status st = ST_OK;
    json_t *files = json_object();
    for (size_t i = 0; i < names.n && st == ST_OK; i++) {
        uint64_t sum = 0;
        size_t bytes = 0;
        char *path = path_join(folder, names.at[i]);
        st = sum_file(&sum, &bytes, path);
        if (st == ST_OK)
            json_object_set_new(files, names.at[i],
                                json_pack("{s:I, s:o}", "bytes", (json_int_t)bytes, "xxh3", json_hex(sum)));
        mem_free(path);
    }
    folder_list_drop(&names);
    *out = files;
    return st;
}

/* Of the state without its seal, in one agreed spelling. */
static json_t *seal_of(const json_t *state)
{
    json_t *bare = json_copy((json_t *)(uintptr_t)state);
    json_object_del(bare, "seal");
    char *text = json_dumps(bare, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_t *seal = json_hex(XXH3_64bits(text, text ? strlen(text) : 0));
    free(text);
    json_decref(bare);
    return seal;
}

Status checkpoint_seal(const char *folder, json_t *state)
{
    json_t *files = NULL;
    Status st = sum_folder(&files, folder);
    json_object_set_new(state, "files", files);
    json_object_set_new(state, "seal", seal_of(state));
    if (st != ST_OK)
        return st;
    char *path = path_join(folder, state_name);
    st = json_file_write(path, state);
    mem_free(path);
    return st;
}

static Status read_state(json_t **out, const char *folder)
{
    char *path = path_join(folder, state_name);
    json_t *state = NULL;
    Status st = json_file_read(&state, path);
    json_t *seal = json_is_object(state) ? seal_of(state) : NULL;
    if (st == ST_OK && (!seal || !json_equal(seal, json_object_get(state, "seal"))))
        st = fail(ST_FORMAT, "%s does not match its own seal", path);
    if (st == ST_OK)
        *out = state;
    else
        json_decref(state);
    json_decref(seal);
    mem_free(path);
    return st;
}

static Status verify_file(const char *folder, const char *name, const json_t *said)
{
    uint64_t sum;
    size_t bytes;
    if (strchr(name, '/'))
        return fail(ST_FORMAT, "a file '%s' outside the folder is listed", name);
    char *path = path_join(folder, name);
    Status st = sum_file(&sum, &bytes, path);
    json_t *now = st == ST_OK ? json_hex(sum) : NULL;
    json_int_t want = json_integer_value(json_object_get(said, "bytes"));
    if (st == ST_OK && (json_int_t)bytes != want)
        st = fail(ST_FORMAT, "%s has %zu bytes and should have %lld", path, bytes, (long long)want);
    else if (st == ST_OK && !json_equal(now, json_object_get(said, "xxh3")))
        st = fail(ST_FORMAT, "%s does not match its checksum", path);
    json_decref(now);
    mem_free(path);
    return st;
}

Status checkpoint_seal_verify(json_t **out, const char *folder, const char *const *needed)
{
    json_t *state, *said;
    const char *name;
    Status st = ST_OK;
    TRY(read_state(&state, folder));
    json_t *files = json_object_get(state, "files");
    for (; *needed && st == ST_OK; needed++)
        if (!json_object_get(files, *needed))
            st = fail(ST_FORMAT, "%s/%s does not list %s", folder, state_name, *needed);
    json_object_foreach(files, name, said)
    {
        if (st == ST_OK)
            st = verify_file(folder, name, said);
    }
    if (st == ST_OK)
        *out = state;
    else
        json_decref(state);
    return st;
}
