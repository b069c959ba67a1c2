#include "model/grow.h"

#include "base/check.h"
#include "base/mem.h"
#include "model/state.h"

typedef struct {
    Model *m;
    double *sum[2]; /* [C] over the rows of the embedding and of the head */
} Growing;

static bool has_rows(ParamKind kind)
{
    return kind == PARAM_EMBED || kind == PARAM_HEAD;
}

static void put(void *context, const Param *p, int64_t first, const float *values, int64_t n)
{
    Growing *g = context;
    const Param *to = params_find(&g->m->params, p->kind, p->layer);
    model_put(g->m, to, first, values, n);
    if (!has_rows(p->kind))
        return;
    double *sum = g->sum[p->kind == PARAM_HEAD];
    for (int64_t i = 0; i < n; i++)
        sum[(first + i) % p->cols] += (double)values[i];
}

/* Rows [had, V) of one of the two matrices. */
static void fill(const Growing *g, ParamKind kind, int64_t had)
{
    const Param *p = params_find(&g->m->params, kind, -1);
    const double *sum = g->sum[kind == PARAM_HEAD];
    float *mean = mem_array(float, p->cols);
    for (int64_t c = 0; c < p->cols; c++)
        mean[c] = (float)(sum[c] / (double)had);
    for (int64_t row = had; row < p->rows; row++)
        model_put(g->m, p, row * p->cols, mean, p->cols);
    mem_free(mean);
}

static Status grow_from(Growing *g, const HParams *had, const char *path)
{
    check(g->m->setup.training);
    if (had->vocab_size > g->m->h.vocab_size)
        return fail(ST_ARG, "%s has %lld ids and the model %lld: it cannot grow to fewer", path,
                    (long long)had->vocab_size, (long long)g->m->h.vocab_size);
    for (int i = 0; i < 2; i++)
        g->sum[i] = mem_array(double, had->hidden_size);
    return ST_OK;
}

/* Ends the reading, of which `st` came. */
static Status grown(Growing *g, const HParams *had, Status st)
{
    if (st == ST_OK) {
        fill(g, PARAM_EMBED, had->vocab_size);
        if (!had->tie_word_embeddings)
            fill(g, PARAM_HEAD, had->vocab_size);
        st = device_sync(g->m->dev);
    }
    mem_free(g->sum[0]);
    mem_free(g->sum[1]);
    return st;
}

Status grow_load(Model *m, const char *folder)
{
    HParams h;
    Params from;
    Growing g = {.m = m};
    TRY(hparams_read(&h, folder));
    TRY(grow_from(&g, &h, folder));
    params_init(&from, &h);
    Status st = weights_read(&from, folder, put, &g);
    if (st == ST_OK)
        model_remember_base(m, folder);
    params_drop(&from);
    return grown(&g, &h, st);
}

Status grow_load_file(Model *m, const ModelFile *f)
{
    const HParams *h = model_file_hparams(f);
    Growing g = {.m = m};
    TRY(grow_from(&g, h, model_file_path(f)));
    return grown(&g, h, model_take_file(m, f, put, &g));
}
