/* Reading one split of a folder of shards: the manifest says which shards there are, and each shard must
 * be the one it means: same sum, row length, vocabulary, sources. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/shard.h"
#include "corpus/shards_kind.h"

struct ShardSet {
    ShardReader **shards;
    int64_t *first; /* [shards_n + 1] rows before each shard */
    size_t shards_n;
    int32_t row_tokens, vocab_size, sources_n;
    uint64_t tokenizer_hash, hash;
    bool isolated, masked;
    ShardSource *sources;
    char *tokenizer_path;
};

static Status text_get(const char **out, const json_t *object, const char *key)
{
    *out = json_string_value(json_object_get(object, key));
    return *out ? ST_OK : fail(ST_FORMAT, "\"%s\" is missing or no text", key);
}

static Status count_get(int64_t *out, const json_t *object, const char *key, int64_t min, int64_t max)
{
    const json_t *v = json_object_get(object, key);
    *out = json_integer_value(v);
    if (!json_is_integer(v) || *out < min || *out > max)
        return fail(ST_FORMAT, "\"%s\" is missing or no whole number from %lld to %lld", key, (long long)min,
                    (long long)max);
    return ST_OK;
}

static Status hash_get(uint64_t *out, const json_t *object, const char *key)
{
    const char *text;
    char *end;
    TRY(text_get(&text, object, key));
    *out = strtoull(text, &end, 16);
    if (strlen(text) != 16 || *end)
        return fail(ST_FORMAT, "\"%s\" is not 16 hexadecimal digits", key);
    return ST_OK;
}

static Status sources_get(ShardSet *s, const json_t *manifest)
{
    const json_t *list = json_object_get(manifest, "sources");
    size_t n = json_array_size(list);
    if (n < 1 || n > SHARD_SOURCES_MAX)
        return fail(ST_FORMAT, "\"sources\" must list 1 to %d sources", SHARD_SOURCES_MAX);
    s->sources = mem_array(ShardSource, n);
    for (size_t i = 0; i < n; i++) {
        const char *name, *kind;
        TRY(text_get(&name, json_array_get(list, i), "name"));
        TRY(text_get(&kind, json_array_get(list, i), "kind"));
        if (strcmp(kind, "code") != 0 && strcmp(kind, "text") != 0)
            return fail(ST_FORMAT, "source \"%s\" is of kind \"%s\", neither code nor text", name, kind);
        s->sources[s->sources_n++] =
            (ShardSource){.name = mem_str(name), .kind = kind[0] == 'c' ? SHARD_CODE : SHARD_TEXT};
    }
    return ST_OK;
}

static Status settings_get(ShardSet *s, const json_t *manifest, const char *folder)
{
    const char *attention;
    int64_t row_tokens, vocab_size;
    TRY(count_get(&row_tokens, manifest, "row_tokens", 2, SHARD_ROW_TOKENS_MAX));
    TRY(count_get(&vocab_size, manifest, "vocab_size", 1, INT32_MAX));
    TRY(hash_get(&s->tokenizer_hash, manifest, "tokenizer_hash"));
    TRY(text_get(&attention, manifest, "attention"));
    s->isolated = strcmp(attention, "isolated") == 0;
    if (!s->isolated && strcmp(attention, "across") != 0)
        return fail(ST_FORMAT, "\"attention\" is \"%s\", neither \"across\" nor \"isolated\"", attention);
    s->masked = json_is_true(json_object_get(manifest, "masked"));
    s->row_tokens = (int32_t)row_tokens;
    s->vocab_size = (int32_t)vocab_size;
    const char *tokenizer = json_string_value(json_object_get(manifest, "tokenizer"));
    if (tokenizer)
        s->tokenizer_path = path_join(folder, tokenizer);
    return sources_get(s, manifest);
}

static Status shard_belongs(const ShardSet *s, const ShardReader *r, uint64_t sum)
{
    const ShardHeader *h = shard_header(r);
    if (h->header_xxh3 != sum)
        return fail(ST_FORMAT, "it is not the shard that the manifest means: their sums differ");
    bool same = (int32_t)h->row_tokens == s->row_tokens && (int32_t)h->vocab_size == s->vocab_size &&
                h->tokenizer_hash == s->tokenizer_hash && !!(h->flags & SHARD_ISOLATED) == s->isolated &&
                !!(h->flags & SHARD_HAS_MASK) == s->masked &&
                (int32_t)h->sources_n == s->sources_n;
    for (int32_t i = 0; same && i < s->sources_n; i++)
        same = strcmp(shard_sources(r)[i].name, s->sources[i].name) == 0 &&
               shard_sources(r)[i].kind == s->sources[i].kind;
    return same ? ST_OK
                : fail(ST_FORMAT,
                       "its row length, vocabulary, attention, mask or sources are not the manifest's");
}

static Status one_open(ShardSet *s, const char *folder, const json_t *entry)
{
    const char *file;
    uint64_t sum;
    TRY(text_get(&file, entry, "file"));
    TRY(hash_get(&sum, entry, "sum"));
    if (strchr(file, '/') || file[0] == '.')
        return fail(ST_FORMAT, "shard \"%s\" is not a plain file name", file);
    char *path = path_join(folder, file);
    Status st = shard_open(&s->shards[s->shards_n], path);
    if (st == ST_OK) {
        ShardReader *r = s->shards[s->shards_n++];
        s->first[s->shards_n] = s->first[s->shards_n - 1] + shard_rows(r);
        s->hash = XXH3_64bits_withSeed(&sum, sizeof sum, s->hash);
        st = shard_belongs(s, r, sum);
        if (st != ST_OK)
            st = fail_in(st, "%s", path);
    }
    mem_free(path);
    return st;
}

static Status split_open(ShardSet *s, const json_t *manifest, const char *folder, const char *split)
{
    const json_t *part = json_object_get(json_object_get(manifest, "splits"), split);
    const json_t *list = json_object_get(part, "shards");
    if (!json_is_array(list))
        return fail(ST_FORMAT, "it has no split \"%s\"", split);
    s->shards = mem_array(ShardReader *, json_array_size(list));
    s->first = mem_array(int64_t, json_array_size(list) + 1);
    for (size_t i = 0; i < json_array_size(list); i++)
        TRY(one_open(s, folder, json_array_get(list, i)));
    int64_t rows;
    TRY(count_get(&rows, part, "rows", 0, INT64_MAX));
    if (rows != shards_rows(s))
        return fail(ST_FORMAT, "it promises %lld rows of \"%s\", its shards hold %lld", (long long)rows,
                    split, (long long)shards_rows(s));
    return ST_OK;
}

Status shards_open(ShardSet **out, const char *folder, const char *split)
{
    json_t *manifest = NULL;
    char *place = NULL;
    TRY(manifest_read(&manifest, &shards_kind, folder));
    ShardSet *s = mem_new(ShardSet);
    Status st = manifest_place(&place, manifest, folder);
    if (st == ST_OK)
        st = settings_get(s, manifest, place);
    if (st == ST_OK)
        st = split_open(s, manifest, place, split);
    if (st == ST_OK) {
        *out = s;
        s = NULL;
    } else {
        st = fail_in(st, "%s/manifest.json", folder);
    }
    json_decref(manifest);
    mem_free(place);
    shards_close(s);
    return st;
}

void shards_close(ShardSet *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->shards_n; i++)
        shard_close(s->shards[i]);
    for (int32_t i = 0; i < s->sources_n; i++)
        mem_free((void *)(uintptr_t)s->sources[i].name);
    mem_free(s->sources);
    mem_free(s->shards);
    mem_free(s->first);
    mem_free(s->tokenizer_path);
    mem_free(s);
}

int64_t shards_rows(const ShardSet *s)
{
    return s->first[s->shards_n];
}

double shards_learned(const ShardSet *s)
{
    double n = 0, all = (double)shards_rows(s) * (s->row_tokens - 1);
    for (size_t i = 0; i < s->shards_n; i++)
        n += (double)shard_learned(s->shards[i]);
    return all > 0 ? n / all : 1;
}

int32_t shards_row_tokens(const ShardSet *s)
{
    return s->row_tokens;
}

int32_t shards_vocab_size(const ShardSet *s)
{
    return s->vocab_size;
}

uint64_t shards_tokenizer_hash(const ShardSet *s)
{
    return s->tokenizer_hash;
}

bool shards_isolated(const ShardSet *s)
{
    return s->isolated;
}

bool shards_masked(const ShardSet *s)
{
    return s->masked;
}

int32_t shards_sources_n(const ShardSet *s)
{
    return s->sources_n;
}

const ShardSource *shards_sources(const ShardSet *s)
{
    return s->sources;
}

uint64_t shards_hash(const ShardSet *s)
{
    return s->hash;
}

const char *shards_tokenizer_path(const ShardSet *s)
{
    return s->tokenizer_path;
}

Status shards_row(ShardSet *s, int64_t i, int32_t *ids, ShardRow *row)
{
    check(i >= 0 && i < shards_rows(s));
    size_t low = 0, high = s->shards_n; /* first[low] <= i < first[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (s->first[middle] <= i)
            low = middle;
        else
            high = middle;
    }
    return shard_row(s->shards[low], i - s->first[low], ids, row);
}
