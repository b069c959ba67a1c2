/* Writing a folder of shards, in a stage that takes the old set's place when it is whole (manifest.h). */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "corpus/manifest.h"
#include "corpus/shard.h"
#include "corpus/shards_kind.h"

typedef struct {
    const char *name;
    ShardWriter *shard; /* NULL between shards */
    int64_t shard_filled, rows;
    int number;
    json_t *list;
} Split;

enum { SPLITS = 2 };

struct ShardSetWriter {
    ManifestStage stage;
    ShardSpec spec;
    int64_t shard_rows;
    Split splits[SPLITS];
};

/* "train-00000.tok" */
static bool is_shard(const char *name, const char *split)
{
    size_t n = strlen(split),
           digits = strncmp(name, split, n) == 0 && name[n] == '-' ? strspn(name + n + 1, "0123456789") : 0;
    return digits >= 5 && strcmp(name + n + 1 + digits, ".tok") == 0;
}

static bool owns(const char *name)
{
    return is_shard(name, "train") || is_shard(name, "held_out") || strcmp(name, "tokenizer") == 0 ||
           strcmp(name, "rejected.jsonl") == 0;
}

const ManifestKind shards_kind = {.format = "lemur-shards",
                                  .version = SHARD_VERSION,
                                  .holds = "packed shards",
                                  .made = "pack the corpus with `lemur pack`",
                                  .owns = owns};

Status shards_create(ShardSetWriter **out, const char *folder, const ShardSpec *spec, int64_t shard_rows)
{
    ManifestStage stage;
    check(shard_rows > 0);
    TRY(manifest_begin(&stage, &shards_kind, folder));
    ShardSetWriter *w = mem_new(ShardSetWriter);
    w->stage = stage;
    w->spec = *spec;
    w->shard_rows = shard_rows;
    w->splits[0] = (Split){.name = "train", .list = json_array()};
    w->splits[1] = (Split){.name = "held_out", .list = json_array()};
    *out = w;
    return ST_OK;
}

const char *shards_stage(const ShardSetWriter *w)
{
    return w->stage.folder;
}

static Status shard_begin(ShardSetWriter *w, Split *p)
{
    ShardSpec spec = w->spec;
    spec.has_bytes = strcmp(p->name, "held_out") == 0;
    char *path = mem_format("%s/%s-%05d.tok", w->stage.folder, p->name, p->number);
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
    char file[64];
    snprintf(file, sizeof file, "%s-%05d.tok", p->name, p->number++);
    json_array_append_new(p->list, json_pack("{s:s, s:I, s:o}", "file", file, "rows",
                                             (json_int_t)p->shard_filled, "sum", json_hex(sum)));
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
    json_t *m = json_pack("{s:s, s:i, s:i, s:i, s:o, s:s?, s:s}", "format", "lemur-shards", "version",
                          SHARD_VERSION, "row_tokens", (int)w->spec.row_tokens, "vocab_size",
                          (int)w->spec.vocab_size, "tokenizer_hash", json_hex(w->spec.tokenizer_hash),
                          "tokenizer", tokenizer_path, "attention", w->spec.isolated ? "isolated" : "across");
    json_t *sources = json_array(), *splits = json_object();
    for (int32_t i = 0; i < w->spec.sources_n; i++)
        json_array_append_new(sources, json_pack("{s:s, s:s}", "name", w->spec.sources[i].name, "kind",
                                                 w->spec.sources[i].kind == SHARD_CODE ? "code" : "text"));
    for (int i = 0; i < SPLITS; i++)
        json_object_set_new(
            splits, w->splits[i].name,
            json_pack("{s:I, s:O}", "rows", (json_int_t)w->splits[i].rows, "shards", w->splits[i].list));
    if (w->spec.has_mask)
        json_object_set_new(m, "masked", json_true());
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
    if (st == ST_OK) {
        json_t *manifest = manifest_make(w, tokenizer_path);
        json_object_update_missing(manifest, more);
        st = manifest_commit(&w->stage, manifest);
        json_decref(manifest);
    }
    shards_abandon(w);
    return st;
}

Status shards_move(const char *from, const char *to)
{
    ManifestStage stage;
    json_t *manifest;
    TRY(manifest_read(&manifest, &shards_kind, from));
    Status st = json_object_get(manifest, "folder")
                    ? fail(ST_IO, "the files of %s could not be put into place", from)
                    : manifest_begin(&stage, &shards_kind, to);
    if (st == ST_OK) {
        if (rename(from, stage.folder) != 0) /* which is empty */
            st = fail_errno(ST_IO, "cannot rename %s to %s", from, stage.folder);
        if (st == ST_OK)
            st = manifest_commit(&stage, manifest);
        manifest_end(&stage);
    }
    json_decref(manifest);
    return st;
}

void shards_abandon(ShardSetWriter *w)
{
    if (!w)
        return;
    for (int i = 0; i < SPLITS; i++) {
        shard_abandon(w->splits[i].shard);
        json_decref(w->splits[i].list);
    }
    manifest_end(&w->stage);
    mem_free(w);
}
