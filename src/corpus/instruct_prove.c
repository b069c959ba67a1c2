/* The second proof of the masks, over the rows as the trainer will read them. */
#include "base/mem.h"
#include "corpus/instruct_set.h"

typedef struct {
    int64_t tokens, learned, examples;
} Sums;

static bool is_end(const Ids *ends, int32_t id)
{
    for (size_t i = 0; i < ends->n; i++)
        if (ends->at[i] == id)
            return true;
    return ends->n == 0;
}

/* One example: ids and mask of a row from `from` to `to`. */
static Status example_prove(const int32_t *ids, const uint8_t *mask, int64_t from, int64_t to,
                            const Ids *ends, Sums *sums)
{
    int64_t learned = 0;
    if (shard_mask_has(mask, from))
        return fail(ST_FORMAT, "its first token is to be learned, and nothing foretells it");
    for (int64_t t = from; t < to; t++) {
        learned += shard_mask_has(mask, t);
        bool ended = shard_mask_has(mask, t) && (t + 1 == to || !shard_mask_has(mask, t + 1));
        if (ended && !is_end(ends, ids[t]))
            return fail(ST_FORMAT, "what is learned up to token %lld ends without its end marker",
                        (long long)(t - from));
    }
    if (learned == 0)
        return fail(ST_FORMAT, "nothing of it is learned");
    sums->examples++;
    sums->learned += learned;
    sums->tokens += to - from;
    return ST_OK;
}

static Status row_prove(const int32_t *ids, const ShardRow *row, int64_t room, const Ids *ends, Sums *sums)
{
    int64_t end = room - row->padding;
    for (int64_t t = end; t < room; t++)
        if (shard_mask_has(row->mask, t))
            return fail(ST_FORMAT, "padding is to be learned");
    for (int32_t i = 0; i < row->starts_n; i++) {
        int64_t to = i + 1 < row->starts_n ? row->starts[i + 1] : end;
        Status st = example_prove(ids, row->mask, row->starts[i], to, ends, sums);
        if (st != ST_OK)
            return fail_in(st, "example %d", (int)i + 1);
    }
    return ST_OK;
}

static Status split_prove(const char *folder, const char *split, const Ids *ends, Sums *sums)
{
    ShardSet *set;
    TRY(shards_open(&set, folder, split));
    int64_t room = shards_row_tokens(set);
    int32_t *ids = mem_array(int32_t, room);
    Status st = shards_masked(set) ? ST_OK : fail(ST_FORMAT, "its rows have no masks");
    for (int64_t i = 0; st == ST_OK && i < shards_rows(set); i++) {
        ShardRow row;
        st = shards_row(set, i, ids, &row);
        if (st == ST_OK)
            st = row_prove(ids, &row, room, ends, sums);
        if (st != ST_OK)
            st = fail_in(st, "%s, row %lld", split, (long long)i);
    }
    mem_free(ids);
    shards_close(set);
    return st;
}

static Status sums_agree(const Sums *sums, const json_t *manifest, const char *side)
{
    Sums said = {0};
    json_t *s;
    size_t i;
    json_array_foreach(json_object_get(json_object_get(manifest, "tune"), "ledger"), i, s)
    {
        const json_t *t = json_object_get(s, side);
        said.tokens += json_integer_value(json_object_get(t, "tokens"));
        said.learned += json_integer_value(json_object_get(t, "learned"));
        said.examples += json_integer_value(json_object_get(t, "examples"));
    }
    if (said.tokens == sums->tokens && said.learned == sums->learned && said.examples == sums->examples)
        return ST_OK;
    return fail(
        ST_FORMAT,
        "%s: the rows hold %lld examples, %lld tokens, %lld of them learned, and the ledger says %lld, %lld, "
        "%lld",
        side, (long long)sums->examples, (long long)sums->tokens, (long long)sums->learned,
        (long long)said.examples, (long long)said.tokens, (long long)said.learned);
}

Status instruct_prove(const char *folder, const Ids *ends, const json_t *manifest)
{
    Sums train = {0}, held_out = {0};
    Status st = split_prove(folder, "train", ends, &train);
    if (st == ST_OK)
        st = split_prove(folder, "held_out", ends, &held_out);
    if (st == ST_OK)
        st = sums_agree(&train, manifest, "used");
    if (st == ST_OK)
        st = sums_agree(&held_out, manifest, "held_out");
    return st == ST_OK
               ? ST_OK
               : fail_in(st, "the masks of %s are not proved, and nothing is trained on them", folder);
}
