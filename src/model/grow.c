#include "model/grow.h"

#include "base/check.h"
#include "base/mem.h"
#include "model/state.h"
#include "model/weights.h"

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

Status grow_load(Model *m, const char *folder)
{
    HParams h;
    Params from;
    check(m->setup.training);
    TRY(hparams_read(&h, folder));
    if (h.vocab_size > m->h.vocab_size)
        return fail(ST_ARG, "%s has %lld ids and the model %lld: it cannot grow to fewer", folder,
                    (long long)h.vocab_size, (long long)m->h.vocab_size);
    Growing g = {.m = m, .sum = {mem_array(double, h.hidden_size), mem_array(double, h.hidden_size)}};
    params_init(&from, &h);
    Status st = weights_read(&from, folder, put, &g);
    if (st == ST_OK) {
        model_remember_base(m, folder);
        fill(&g, PARAM_EMBED, h.vocab_size);
        if (!h.tie_word_embeddings)
            fill(&g, PARAM_HEAD, h.vocab_size);
        st = device_sync(m->dev);
    }
    params_drop(&from);
    mem_free(g.sum[0]);
    mem_free(g.sum[1]);
    return st;
}
