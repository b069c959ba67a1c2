#include "corpus/instruct_inspect.h"

#include "base/mem.h"
#include "corpus/shard.h"
#include "tokenizer/tokenizer.h"

typedef struct {
    Str *out;
    Tokenizer *tok;
    bool colour;
} Inspection;

static void mark(const Inspection *x, bool begins)
{
    str_adds(x->out, x->colour ? (begins ? "\033[32m" : "\033[0m")
                     : begins  ? "\xE2\x9F\xA6"
                               : "\xE2\x9F\xA7");
}

/* Ids [from, to) of a row. */
static Status example_show(const Inspection *x, const int32_t *ids, const uint8_t *mask, int64_t from,
                           int64_t to)
{
    Detok d = {0};
    Status st = ST_OK;
    bool learned = false;
    detok_start(&d, x->tok, true);
    for (int64_t t = from; st == ST_OK && t < to; t++) {
        if (shard_mask_has(mask, t) != learned) {
            detok_flush(&d, x->out);
            mark(x, !learned);
            learned = !learned;
        }
        st = detok_push(&d, x->out, ids[t]);
    }
    detok_flush(&d, x->out);
    if (learned)
        mark(x, false);
    detok_drop(&d);
    str_addc(x->out, '\n');
    return st;
}

static void heading(const Inspection *x, const ShardSource *source, int64_t number, const uint8_t *mask,
                    int64_t from, int64_t to)
{
    int64_t learned = 0;
    for (int64_t t = from; t < to; t++)
        learned += shard_mask_has(mask, t);
    str_addf(x->out, "--- example %lld, of %s (%s): %lld tokens, %lld learned\n", (long long)number,
             source->name, source->kind == SHARD_CODE ? "code" : "text", (long long)(to - from),
             (long long)learned);
}

static Status rows_show(const Inspection *x, ShardSet *set, int64_t n)
{
    int64_t room = shards_row_tokens(set), shown = 0;
    int32_t *ids = mem_array(int32_t, room);
    Status st = ST_OK;
    for (int64_t r = 0; st == ST_OK && r < shards_rows(set) && shown < n; r++) {
        ShardRow row;
        st = shards_row(set, r, ids, &row);
        for (int32_t i = 0; st == ST_OK && i < row.starts_n && shown < n; i++) {
            int64_t from = row.starts[i], to = i + 1 < row.starts_n ? row.starts[i + 1] : room - row.padding;
            heading(x, &shards_sources(set)[row.source], ++shown, row.mask, from, to);
            st = example_show(x, ids, row.mask, from, to);
        }
    }
    mem_free(ids);
    return st;
}

Status instruct_inspect(Str *out, const char *folder, int64_t n, bool colour)
{
    ShardSet *set;
    Inspection x = {.out = out, .colour = colour};
    TRY(shards_open(&set, folder, "train"));
    const char *vocabulary = shards_tokenizer_path(set);
    Status st = shards_masked(set) && vocabulary
                    ? tokenizer_open(&x.tok, vocabulary)
                    : fail(ST_FORMAT, "%s is no tuning set of `lemur tune`", folder);
    if (st == ST_OK)
        st = rows_show(&x, set, n);
    tokenizer_close(x.tok);
    shards_close(set);
    return st;
}
