#include "train/loss.h"

#include <math.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

double loss_per_token(const LossSum *s)
{
    return s->tokens > 0 ? s->nats / (double)s->tokens : (double)NAN;
}

double loss_bits_per_byte(const LossSum *s)
{
    return s->has_bytes && s->bytes > 0 ? s->nats / 0.69314718055994530942 / (double)s->bytes : (double)NAN;
}

void loss_report_init(LossReport *r, const Loader *held_out)
{
    *r = (LossReport){.sources_n = shards_sources_n(loader_set(held_out))};
    r->source = mem_array(LossSum, r->sources_n);
}

void loss_report_drop(LossReport *r)
{
    mem_free(r->source);
    *r = (LossReport){0};
}

/* In the order of positions, in f64: the same sum whatever the threads do. */
static double sum_of(const float *losses, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)losses[i];
    return sum;
}

Status loss_sum(Model *m, const LoaderBatch *b, float *buffer, double *nats)
{
    TRY(model_losses(m, buffer));
    *nats = sum_of(buffer, b->n * model_setup(m)->context);
    return ST_OK;
}

static void add_row(LossSum *s, double nats, int64_t tokens, int64_t bytes)
{
    s->nats += nats;
    s->tokens += tokens;
    if (bytes >= 0)
        s->bytes += bytes;
    else
        s->has_bytes = false;
}

static void add_batch(LossReport *r, const LoaderBatch *b, const ShardSource *sources, const float *losses,
                      int64_t T)
{
    for (int64_t i = 0; i < b->n; i++) {
        double nats = sum_of(losses + i * T, T);
        add_row(&r->all, nats, b->counted[i], b->bytes[i]);
        add_row(&r->kind[sources[b->sources[i]].kind], nats, b->counted[i], b->bytes[i]);
        add_row(&r->source[b->sources[i]], nats, b->counted[i], b->bytes[i]);
    }
}

static Status sum_over_ranks(Comm *comm, LossSum *s)
{
    double values[] = {s->nats, (double)s->tokens, (double)s->bytes, s->has_bytes ? 0 : 1};
    TRY(comm_sum_host(comm, values, 4));
    *s = (LossSum){values[0], (int64_t)values[1], (int64_t)values[2], values[3] == 0};
    return ST_OK;
}

static void forget(LossReport *r)
{
    LossSum none = {.has_bytes = true};
    r->all = r->kind[0] = r->kind[1] = none;
    for (int32_t i = 0; i < r->sources_n; i++)
        r->source[i] = none;
}

/* A rank that is to stop leaves its rows; all of them learn of it here, so that none waits for it later. */
static Status agree_to_stop(LossReport *r, Comm *comm, bool stopped)
{
    double any = stopped;
    TRY(comm_sum_host(comm, &any, 1));
    if (any > 0) {
        forget(r);
        return fail(ST_CANCELLED, "the evaluation was stopped");
    }
    return ST_OK;
}

Status loss_evaluate(LossReport *r, Model *m, Loader *held_out, Comm *comm, int64_t rows,
                     const volatile sig_atomic_t *stop, float *buffer)
{
    double start = clock_now();
    const ShardSet *set = loader_set(held_out);
    const ShardSource *sources = shards_sources(set);
    int64_t n = shards_rows(set), T = loader_context(held_out), batch = model_setup(m)->batch;
    bool stopped = false;
    if (rows <= 0 || rows > n)
        rows = n;
    forget(r);
    Progress p = progress_start("evaluating", (double)rows, "rows");
    for (int64_t first = comm_rank(comm) * batch; first < rows; first += comm_size(comm) * batch) {
        LoaderBatch b;
        stopped = stop && *stop;
        if (stopped)
            break;
        TRY(loader_spread(held_out, rows, first, &b));
        model_evaluate(m, &b.batch);
        TRY(model_losses(m, buffer));
        add_batch(r, &b, sources, buffer, T);
        if (comm_rank(comm) == 0)
            progress_at(&p, (double)(first + batch < rows ? first + batch : rows));
    }
    progress_end(&p);
    TRY(agree_to_stop(r, comm, stopped));
    TRY(sum_over_ranks(comm, &r->all));
    TRY(sum_over_ranks(comm, &r->kind[0]));
    TRY(sum_over_ranks(comm, &r->kind[1]));
    for (int32_t i = 0; i < r->sources_n; i++)
        TRY(sum_over_ranks(comm, &r->source[i]));
    r->seconds = clock_now() - start;
    return ST_OK;
}
