/* Writing a folder of shards.  The manifest goes first when the folder is begun and comes last when it is
 * finished, so that what lies there is either whole or not readable. */
#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/shard.h"

typedef struct {
    const char *name;
    ShardWriter *shard; /* NULL between shards */
    int64_t shard_filled, rows;
    int number;
    json_t *list;
} Split;

enum { SPLITS = 2 };

struct ShardSetWriter {
    char *folder;
    ShardSpec spec;
    int64_t shard_rows;
    Split splits[SPLITS];
};

static bool is_shard_name(const char *name)
{
    return (strncmp(name, "train-", 6) == 0 || strncmp(name, "held_out-", 9) == 0) && strstr(name, ".tok");
}

/* Removes the manifest, then the shards and what unfinished writers left of them. */
static Status folder_clear(const char *folder)
{
    char *manifest = path_join(folder, "manifest.json");
    Status st = path_exists(manifest) && unlink(manifest) != 0
                    ? fail_errno(ST_IO, "cannot remove %s", manifest)
                    : ST_OK;
    mem_free(manifest);
    TRY(st);
    DIR *d = opendir(folder);
    if (!d)
        return fail_errno(ST_IO, "cannot open folder %s", folder);
    for (struct dirent *e; st == ST_OK && (e = readdir(d));) {
        if (!is_shard_name(e->d_name))
            continue;
        char *path = path_join(folder, e->d_name);
        if (unlink(path) != 0)
            st = fail_errno(ST_IO, "cannot remove %s", path);
        mem_free(path);
    }
    closedir(d);
    return st;
}

static void writer_free(ShardSetWriter *w)
{
    for (int i = 0; i < SPLITS; i++) {
        shard_abandon(w->splits[i].shard);
        json_decref(w->splits[i].list);
    }
    mem_free(w->folder);
    mem_free(w);
}

Status shards_create(ShardSetWriter **out, const char *folder, const ShardSpec *spec, int64_t shard_rows)
{
    check(shard_rows > 0);
    TRY(folder_make(folder));
    TRY(folder_clear(folder));
    ShardSetWriter *w = mem_new(ShardSetWriter);
    w->folder = mem_str(folder);
    w->spec = *spec;
    w->shard_rows = shard_rows;
    w->splits[0] = (Split){.name = "train", .list = json_array()};
    w->splits[1] = (Split){.name = "held_out", .list = json_array()};
    *out = w;
    return ST_OK;
}

static Status shard_begin(ShardSetWriter *w, Split *p)
{
    ShardSpec spec = w->spec;
    spec.has_bytes = strcmp(p->name, "held_out") == 0;
    char *path = mem_format("%s/%s-%05d.tok", w->folder, p->name, p->number);
    Status st = shard_create(&p->shard, path, &spec);
    mem_free(path);
    return st;
}

static Status shard_end(Split *p)
{
    uint64_t sum;
    ShardWriter *shard = p->shard;
    p->shard = NULL;
    TRY(shard_finish(shard, &sum));
    char file[64], hex[17];
    snprintf(file, sizeof file, "%s-%05d.tok", p->name, p->number++);
    snprintf(hex, sizeof hex, "%016" PRIx64, sum);
    json_array_append_new(
        p->list, json_pack("{s:s, s:I, s:s}", "file", file, "rows", (json_int_t)p->shard_filled, "sum", hex));
    p->shard_filled = 0;
    return ST_OK;
}

Status shards_add(ShardSetWriter *w, const char *split, const int32_t *ids, const ShardRow *row)
{
    Split *p = &w->splits[strcmp(split, w->splits[0].name) == 0 ? 0 : 1];
    check(strcmp(split, p->name) == 0);
    if (!p->shard)
        TRY(shard_begin(w, p));
    TRY(shard_add(p->shard, ids, row));
    p->rows++;
    return ++p->shard_filled == w->shard_rows ? shard_end(p) : ST_OK;
}

static json_t *manifest_make(const ShardSetWriter *w, const char *tokenizer_path)
{
    char hex[17];
    snprintf(hex, sizeof hex, "%016" PRIx64, w->spec.tokenizer_hash);
    json_t *m = json_pack("{s:s, s:i, s:i, s:i, s:s, s:s?, s:s}", "format", "lemur-shards", "version",
                          SHARD_VERSION, "row_tokens", (int)w->spec.row_tokens, "vocab_size",
                          (int)w->spec.vocab_size, "tokenizer_hash", hex, "tokenizer", tokenizer_path,
                          "attention", w->spec.isolated ? "isolated" : "across");
    json_t *sources = json_array(), *splits = json_object();
    for (int32_t i = 0; i < w->spec.sources_n; i++)
        json_array_append_new(sources, json_pack("{s:s, s:s}", "name", w->spec.sources[i].name, "kind",
                                                 w->spec.sources[i].kind == SHARD_CODE ? "code" : "text"));
    for (int i = 0; i < SPLITS; i++)
        json_object_set_new(
            splits, w->splits[i].name,
            json_pack("{s:I, s:O}", "rows", (json_int_t)w->splits[i].rows, "shards", w->splits[i].list));
    json_object_set_new(m, "sources", sources);
    json_object_set_new(m, "splits", splits);
    return m;
}

Status shards_finish(ShardSetWriter *w, const char *tokenizer_path, json_t *more)
{
    Status st = ST_OK;
    for (int i = 0; st == ST_OK && i < SPLITS; i++)
        if (w->splits[i].shard)
            st = shard_end(&w->splits[i]);
    if (st != ST_OK) {
        shards_abandon(w);
        return st;
    }
    json_t *manifest = manifest_make(w, tokenizer_path);
    json_object_update_missing(manifest, more);
    char *text = json_dumps(manifest, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    char *path = path_join(w->folder, "manifest.json");
    check(text);
    st = file_replace(path, text, strlen(text));
    free(text);
    json_decref(manifest);
    mem_free(path);
    writer_free(w);
    return st;
}

void shards_abandon(ShardSetWriter *w)
{
    if (!w)
        return;
    char *folder = mem_str(w->folder);
    writer_free(w);
    Error why = error_take(); /* the failure that led here is the one to report */
    if (folder_clear(folder) != ST_OK)
        (void)error_take();
    if (why.status != ST_OK)
        (void)error_put(&why);
    mem_free(folder);
}
