#include "corpus/instruct_inspect.h"

#include "base/mem.h"
#include "corpus/shard.h"
#include "tokenizer/tokenizer.h"

enum { ROWS_MOST = 1000 * 1000 };

typedef struct {
    ShardSet *set;
    Tokenizer *tok;
    int64_t each;
    int64_t *shown; /* of each source */
    bool (*see)(void *context, const InstructSeen *example);
    void *context;
    InstructSeen seen;
    bool over;
} Look;

/* Ids [from, to) of a row. */
static Status example_read(Look *l, const int32_t *ids, const uint8_t *mask, int64_t from, int64_t to)
{
    Detok d = {0};
    Status st = ST_OK;
    InstructStretch s = {0};
    InstructSeen *seen = &l->seen;
    str_clear(&seen->text);
    array_clear(&seen->stretches);
    seen->learned = 0;
    seen->tokens = to - from;
    detok_start(&d, l->tok, true);
    for (int64_t t = from; st == ST_OK && t < to; t++) {
        bool learned = shard_mask_has(mask, t);
        seen->learned += learned;
        if (learned != s.learned) {
            detok_flush(&d, &seen->text);
            s.n = seen->text.n - s.at;
            array_push(&seen->stretches, s);
            s = (InstructStretch){.at = seen->text.n, .learned = learned};
        }
        st = detok_push(&d, &seen->text, ids[t]);
    }
    detok_flush(&d, &seen->text);
    s.n = seen->text.n - s.at;
    array_push(&seen->stretches, s);
    detok_drop(&d);
    return st;
}

static Status row_look(Look *l, const int32_t *ids, const ShardRow *row)
{
    const ShardSource *source = &shards_sources(l->set)[row->source];
    int64_t end = shards_row_tokens(l->set) - row->padding, *shown = &l->shown[row->source];
    l->seen.source = source->name;
    l->seen.code = source->kind == SHARD_CODE;
    for (int32_t i = 0; i < row->starts_n && !l->over; i++) {
        l->seen.number++;
        if (l->each && *shown >= l->each)
            continue;
        ++*shown;
        TRY(example_read(l, ids, row->mask, row->starts[i],
                         i + 1 < row->starts_n ? row->starts[i + 1] : end));
        l->over = !l->see(l->context, &l->seen);
    }
    return ST_OK;
}

/* Each source has what is asked of it. */
static bool is_done(const Look *l)
{
    bool all = l->each > 0;
    for (int32_t i = 0; i < shards_sources_n(l->set) && all; i++)
        all = l->shown[i] >= l->each;
    return all || l->over;
}

static Status rows_look(Look *l)
{
    int32_t *ids = mem_array(int32_t, shards_row_tokens(l->set));
    Status st = ST_OK;
    l->shown = mem_array(int64_t, shards_sources_n(l->set) + 1);
    for (int64_t r = 0; st == ST_OK && r < shards_rows(l->set) && !is_done(l); r++) {
        ShardRow row;
        if (l->each && r >= ROWS_MOST)
            break;
        st = shards_row(l->set, r, ids, &row);
        if (st == ST_OK)
            st = row_look(l, ids, &row);
    }
    mem_free(ids);
    mem_free(l->shown);
    return st;
}

Status instruct_look(const char *folder, int64_t each,
                     bool (*see)(void *context, const InstructSeen *example), void *context)
{
    Look l = {.each = each, .see = see, .context = context};
    TRY(shards_open(&l.set, folder, "train"));
    const char *vocabulary = shards_tokenizer_path(l.set);
    Status st = shards_masked(l.set) && vocabulary
                    ? tokenizer_open(&l.tok, vocabulary)
                    : fail(ST_FORMAT, "%s is no tuning set of `lemur tune`", folder);
    if (st == ST_OK)
        st = rows_look(&l);
    str_drop(&l.seen.text);
    array_drop(&l.seen.stretches);
    tokenizer_close(l.tok);
    shards_close(l.set);
    return st;
}
