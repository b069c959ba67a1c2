#include "train/loader.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "train/order.h"

struct Loader {
    ShardSet *set;
    int64_t batch, context;
    bool isolated;
    int32_t *row_ids;                            /* [T + 1] */
    int32_t *ids, *targets, *positions, *starts; /* [batch * T]; the last two where documents are isolated */
    int64_t *rows, *bytes;                       /* [batch] */
    int32_t *sources, *counted;
};

Status loader_open(Loader **out, const char *folder, const char *split, int64_t batch)
{
    check(batch > 0);
    ShardSet *set;
    TRY(shards_open(&set, folder, split));
    Loader *l = mem_new(Loader);
    *l = (Loader){
        .set = set, .batch = batch, .context = shards_row_tokens(set) - 1, .isolated = shards_isolated(set)};
    int64_t N = batch * l->context;
    l->row_ids = mem_array(int32_t, l->context + 1);
    l->ids = mem_array(int32_t, N);
    l->targets = mem_array(int32_t, N);
    if (l->isolated) {
        l->positions = mem_array(int32_t, N);
        l->starts = mem_array(int32_t, N);
    }
    l->rows = mem_array(int64_t, batch);
    l->bytes = mem_array(int64_t, batch);
    l->sources = mem_array(int32_t, batch);
    l->counted = mem_array(int32_t, batch);
    *out = l;
    return ST_OK;
}

void loader_close(Loader *l)
{
    if (!l)
        return;
    shards_close(l->set);
    mem_free(l->row_ids);
    mem_free(l->ids);
    mem_free(l->targets);
    mem_free(l->positions);
    mem_free(l->starts);
    mem_free(l->rows);
    mem_free(l->bytes);
    mem_free(l->sources);
    mem_free(l->counted);
    mem_free(l);
}

const ShardSet *loader_set(const Loader *l)
{
    return l->set;
}

int64_t loader_context(const Loader *l)
{
    return l->context;
}

/* Where each position's document begins, and the position counted from there. */
static void isolate(Loader *l, int64_t at, const ShardRow *row)
{
    int32_t next = 0, start = 0;
    for (int64_t t = 0; t < l->context; t++) {
        if (next < row->starts_n && row->starts[next] == (uint32_t)t)
            start = (int32_t)row->starts[next++];
        l->starts[at + t] = start;
        l->positions[at + t] = (int32_t)t - start;
    }
}

/* Leaves the targets that the row's mask marks. */
static void mask_targets(int32_t *targets, const ShardRow *row, int64_t T)
{
    for (int64_t t = 0; t < T; t++)
        if (!shard_mask_has(row->mask, t + 1))
            targets[t] = -1;
}

static Status put_row(Loader *l, int64_t b, int64_t number)
{
    ShardRow row;
    int64_t T = l->context, at = b * T;
    TRY(shards_row(l->set, number, l->row_ids, &row));
    memcpy(l->ids + at, l->row_ids, (size_t)T * sizeof *l->ids);
    memcpy(l->targets + at, l->row_ids + 1, (size_t)T * sizeof *l->targets);
    if (l->isolated)
        isolate(l, at, &row);
    for (int64_t t = T - row.padding; t < T; t++)
        l->targets[at + t] = -1;
    if (row.mask)
        mask_targets(l->targets + at, &row, T);
    l->counted[b] = (int32_t)shard_row_learned(&row, T + 1);
    l->rows[b] = number;
    l->sources[b] = row.source;
    l->bytes[b] = row.bytes;
    return ST_OK;
}

static void pad(Loader *l, int64_t b)
{
    int64_t T = l->context, at = b * T;
    for (int64_t t = 0; t < T; t++) {
        l->ids[at + t] = 0;
        l->targets[at + t] = -1;
        if (l->isolated) {
            l->starts[at + t] = 0;
            l->positions[at + t] = (int32_t)t;
        }
    }
}

static void hand_out(Loader *l, int64_t n, LoaderBatch *out)
{
    for (int64_t b = n; b < l->batch; b++)
        pad(l, b);
    int64_t targets = 0;
    for (int64_t b = 0; b < n; b++)
        targets += l->counted[b];
    *out = (LoaderBatch){
        .batch = {.ids = l->ids, .targets = l->targets, .positions = l->positions, .starts = l->starts},
        .n = n,
        .targets = targets,
        .rows = l->rows,
        .sources = l->sources,
        .counted = l->counted,
        .bytes = l->bytes,
    };
}

int64_t loader_row_at(const Loader *l, const LoaderOrder *order, int64_t step, int64_t micro_step, int64_t b)
{
    int64_t n = shards_rows(l->set);
    check(n > 0);
    __int128 number =
        (((__int128)step * order->micro_steps + micro_step) * order->ranks + order->rank) * l->batch + b;
    number += order->shift;
    check(number >= 0);
    int64_t epoch = (int64_t)(number / n), i = (int64_t)(number % n);
    return order->packed && epoch == 0 ? i : order_at(order->seed, epoch, n, i);
}

Status loader_step(Loader *l, const LoaderOrder *order, int64_t step, int64_t micro_step, LoaderBatch *out)
{
    for (int64_t b = 0; b < l->batch; b++)
        TRY(put_row(l, b, loader_row_at(l, order, step, micro_step, b)));
    hand_out(l, l->batch, out);
    return ST_OK;
}

Status loader_spread(Loader *l, int64_t count, int64_t first, LoaderBatch *out)
{
    int64_t n = shards_rows(l->set), take = count - first < l->batch ? count - first : l->batch;
    check(count <= n && take >= 0);
    for (int64_t b = 0; b < take;
         b++) /* i * n / count in 128 bits: no product of a count and a size overflows */
        TRY(put_row(l, b, (int64_t)((__int128)(first + b) * n / count)));
    hand_out(l, take, out);
    return ST_OK;
}
