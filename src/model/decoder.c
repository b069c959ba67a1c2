/* One pass of a decoder, as a recipe: one line an operation. */
#include "base/check.h"
#include "model/decoder_state.h"

/* What is asked for -------------------------------------------------------------------------------------- */

typedef struct {
    int64_t rows, logits; /* of all runs */
} PassSize;

static Status check_ids(const Decoder *d, const DecoderRun *r)
{
    for (int64_t i = 0; i < r->n; i++)
        if (r->ids[i] < 0 || r->ids[i] >= d->h.vocab_size)
            return fail(ST_ARG,
                        "id %d is not in the model's vocabulary of %lld: the ids are of another tokenizer",
                        r->ids[i], (long long)d->h.vocab_size);
    return ST_OK;
}

static Status check_run(const Decoder *d, const DecoderRun *r)
{
    check(r->n > 0 && r->past >= 0 && r->logits >= 0 && r->logits <= r->n);
    check(d->setup.pages > 0 ? r->pages != NULL : !r->pages && r->past == 0);
    if (r->n > d->setup.context - r->past)
        return fail(ST_LIMIT, "a sequence of %lld positions and %lld more does not fit the context of %lld",
                    (long long)r->past, (long long)r->n, (long long)d->setup.context);
    return check_ids(d, r);
}

static Status check_runs(const Decoder *d, const DecoderRun *runs, int64_t count, PassSize *size)
{
    const DecoderSetup *s = &d->setup;
    int64_t pages = 0;
    *size = (PassSize){0};
    for (int64_t i = 0; i < count; i++) {
        TRY(check_run(d, &runs[i]));
        size->rows += runs[i].n;
        size->logits += runs[i].logits;
        pages += kv_pages_for(runs[i].n);
        if (size->rows > s->max_rows || size->logits > s->max_logits)
            return fail(
                ST_LIMIT,
                "a pass of more than %lld tokens, or of more than %lld rows of logits, is too large: give "
                "them in several",
                (long long)s->max_rows, (long long)s->max_logits);
    }
    if (s->pages == 0 && pages > d->own_pages_n)
        return fail(ST_LIMIT,
                    "%lld short sequences are too many for a pass without a cache: give them in several",
                    (long long)count);
    return ST_OK;
}

/* Rows --------------------------------------------------------------------------------------------------- */

/* The rows of all runs, one behind the other: d->rows, and ids and positions on the device. */
static void place_rows(Decoder *d, const DecoderRun *runs, int64_t count)
{
    int64_t row = 0, own = 0;
    for (int64_t i = 0; i < count; i++) {
        const DecoderRun *r = &runs[i];
        d->rows[i] = (PagedRows){.pages = r->pages, .past = r->past, .first = row, .n = r->n};
        if (!r->pages) {
            d->rows[i].pages = d->own_pages + own;
            own += kv_pages_for(r->n);
        }
        for (int64_t k = 0; k < r->n; k++, row++) {
            d->ids[row] = r->ids[k];
            d->positions[row] = (int32_t)(r->past + k);
        }
    }
    device_upload(d->dev, d->a.ids.data, d->ids, (size_t)row * sizeof *d->ids);
    device_upload(d->dev, d->a.positions.data, d->positions, (size_t)row * sizeof *d->positions);
}

/* Rows that go on together: their residual stream, their queries, and what they see. */
typedef struct {
    Tensor x, q;
    const PagedRows *rows;
    int64_t count; /* of sequences */
} Going;

static Tensor query_columns(const Decoder *d, int64_t rows)
{
    Tensor qkv = tensor_rows(&d->a.qkv, 0, rows);
    return tensor_cols(&qkv, 0, d->h.num_attention_heads * d->h.head_dim);
}

static void copy_rows(Device *dev, const Tensor *to, int64_t at, const Tensor *from, int64_t first, int64_t n)
{
    Tensor out = tensor_rows(to, at, n), in = tensor_rows(from, first, n);
    cast(dev, &out, &in);
}

/* The first row whose logits are wanted, where those rows lie side by side; -1 where they do not, or there is
 * none. */
static int64_t wanted_from(const DecoderRun *runs, int64_t count)
{
    int64_t start = -1, n = 0, row = 0;
    for (int64_t i = 0; i < count; row += runs[i++].n) {
        int64_t k = runs[i].logits, first = row + runs[i].n - k;
        if (k > 0 && start < 0)
            start = first;
        if (k > 0 && first != start + n)
            return -1;
        n += k;
    }
    return start;
}

/* Of all rows those whose logits are wanted, n of them.  Behind the last layer's keys and values nothing else
 * depends on a row, so the others stop there.  Rows that lie side by side are not moved. */
static Going last_rows(Decoder *d, const DecoderRun *runs, int64_t count, const Going *all, int64_t n)
{
    Going g = {.rows = d->last_rows};
    int64_t start = wanted_from(runs, count), row = 0, at = 0;
    g.x = start < 0 ? tensor_rows(&d->a.last_x, 0, n) : tensor_rows(&all->x, start, n);
    g.q = start < 0 ? tensor_rows(&d->a.last_q, 0, n) : tensor_rows(&all->q, start, n);
    for (int64_t i = 0; i < count; row += runs[i++].n) {
        int64_t k = runs[i].logits, before = runs[i].n - k;
        if (k == 0)
            continue;
        d->last_rows[g.count++] =
            (PagedRows){.pages = d->rows[i].pages, .past = d->rows[i].past + before, .first = at, .n = k};
        if (start < 0) {
            copy_rows(d->dev, &d->a.last_x, at, &all->x, row + before, k);
            copy_rows(d->dev, &d->a.last_q, at, &all->q, row + before, k);
        }
        at += k;
    }
    return g;
}

/* The layers --------------------------------------------------------------------------------------------- */

static void normalise(Decoder *d, Tensor *out, const Tensor *x, const Tensor *w)
{
    rmsnorm(d->dev, out, NULL, x, w, (float)d->h.rms_norm_eps);
}

/* Queries into d->a.qkv; keys and values into the cache. */
static void write_keys(Decoder *d, DecoderLayer *w, const Going *g)
{
    int64_t n = g->x.rows, D = d->h.head_dim, q_cols = g->q.cols, kv_cols = d->h.num_key_value_heads * D;
    Tensor norm = tensor_rows(&d->a.norm, 0, n), qkv = tensor_rows(&d->a.qkv, 0, n);
    Tensor positions = tensor_cols(&d->a.positions, 0, n), turned = tensor_cols(&qkv, 0, q_cols + kv_cols);
    Tensor k = tensor_cols(&qkv, q_cols, kv_cols), v = tensor_cols(&qkv, q_cols + kv_cols, kv_cols);
    normalise(d, &norm, &g->x, &w->input_norm);
    matmul_packed(d->dev, &qkv, &norm, w->qkv, 3, false);
    rope(d->dev, &turned, &d->rotations, &positions, D);
    kv_write(d->dev, &w->kv, &k, &v, g->rows, g->count);
}

/* The rest of a layer: attention and feed-forward, added to the residual stream. */
static void attend_and_feed(Decoder *d, DecoderLayer *w, Going *g)
{
    const HParams *h = &d->h;
    int64_t n = g->x.rows;
    AttentionShape s = {
        .B = 1, .T = n, .H = h->num_attention_heads, .Hk = h->num_key_value_heads, .D = h->head_dim};
    Tensor att = tensor_rows(&d->a.att, 0, n), norm = tensor_rows(&d->a.norm, 0, n);
    Tensor gate_up = tensor_rows(&d->a.gate_up, 0, n), ff = tensor_rows(&d->a.ff, 0, n);
    attention_paged(d->dev, &att, &g->q, &w->kv, g->rows, g->count, &s);
    matmul_packed(d->dev, &g->x, &att, &w->o, 1, true);
    normalise(d, &norm, &g->x, &w->post_norm);
    matmul_packed(d->dev, &gate_up, &norm, w->gate_up, 2, false);
    swiglu(d->dev, &ff, &gate_up);
    matmul_packed(d->dev, &g->x, &ff, &w->down, 1, true);
}

Status decoder_pass(Decoder *d, const DecoderRun *runs, int64_t count, float *logits)
{
    PassSize size;
    TRY(check_runs(d, runs, count, &size));
    if (size.rows == 0)
        return ST_OK;
    int64_t L = d->h.num_hidden_layers;
    place_rows(d, runs, count);
    Tensor ids = tensor_cols(&d->a.ids, 0, size.rows);
    Going g = {.x = tensor_rows(&d->a.x, 0, size.rows),
               .q = query_columns(d, size.rows),
               .rows = d->rows,
               .count = count};
    embed_packed(d->dev, &g.x, &d->embed, &ids);
    for (int64_t l = 0; l < L; l++) {
        write_keys(d, &d->layers[l], &g);
        if (l == L - 1)
            g = last_rows(d, runs, count, &g, size.logits);
        if (g.x.rows > 0)
            attend_and_feed(d, &d->layers[l], &g);
    }
    if (size.logits > 0) {
        Tensor norm = tensor_rows(&d->a.norm, 0, size.logits),
               out = tensor_rows(&d->a.logits, 0, size.logits);
        normalise(d, &norm, &g.x, &d->final_norm);
        matmul_packed(d->dev, &out, &norm, &d->head, 1, false);
        device_download(d->dev, logits, out.data, tensor_bytes(&out));
    }
    return device_sync(d->dev);
}

void decoder_copy_page(Decoder *d, int32_t to, int32_t from)
{
    check(to >= 0 && to < d->setup.pages && from >= 0 && from < d->setup.pages && to != from);
    for (int64_t l = 0; l < d->h.num_hidden_layers; l++) {
        const KvPages *kv = &d->layers[l].kv;
        size_t bytes = kv_page_bytes(kv->dtype, kv->Hk, kv->D);
        char *data = kv->data;
        device_copy(d->dev, data + (size_t)to * bytes, data + (size_t)from * bytes, bytes);
    }
}
