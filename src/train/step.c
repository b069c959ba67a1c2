#include "train/step.h"

#include "base/clock.h"
#include "base/rng.h"
#include "train/loss.h"
#include "train/ranks.h"

/* Another number for every micro-batch of a run and its ranks, and the same when it is run again. */
static uint64_t noise_of(const LoaderOrder *o, int64_t step, int64_t micro_step)
{
    Rng r;
    rng_seed_pair(&r, o->seed, (uint64_t)((step * o->micro_steps + micro_step) * o->ranks + o->rank));
    return rng_next(&r);
}

Status step_gradients(Step *s, int64_t step, StepGradients *out)
{
    const ModelSetup *setup = model_setup(s->model);
    double all = (double)(setup->batch * setup->context * s->order.micro_steps * s->order.ranks);
    RankSums sums = {0};
    for (int64_t k = 0; k < s->order.micro_steps; k++) {
        LoaderBatch b;
        double nats;
        TRY(loader_step(s->loader, &s->order, step, k, &b));
        b.batch.noise = noise_of(&s->order, step, k);
        model_step(s->model, &b.batch, (float)(1 / all), k > 0);
        TRY(loss_sum(s->model, &b, s->losses, &nats));
        sums.nats += nats;
        sums.tokens += (double)b.targets;
    }
    ranks_sum_gradients(s->comm, s->model);
    TRY(ranks_sum(s->comm, &sums));
    *out = (StepGradients){
        .loss_nats = sums.nats / sums.tokens, .scale = all / sums.tokens, .tokens = (int64_t)sums.tokens};
    Tensor g = model_gradients(s->model);
    return clip_norm(s->clip, &g, out->scale, &out->grad_norm);
}

void step_update(Step *s, const StepGradients *g, double lr)
{
    optimizer_step(s->optimizer, lr, g->scale * clip_factor(g->grad_norm, s->grad_clip));
}

Status step_measure(Step *s, double seconds, double *step_seconds, double *evaluation_seconds)
{
    enum { ENOUGH = 8 };
    OptimizerSettings set = s->optimizer->set;
    double start = 0;
    int64_t n = 0;
    s->optimizer->set.weight_decay = 0; /* with a rate of 0 too, weights do not move by a bit */
    for (; n <= ENOUGH; n++) {
        StepGradients g;
        if (n == 1)
            start = clock_now(); /* the first one warms up */
        if (n > 1 && clock_now() - start > seconds)
            break;
        TRY(step_gradients(s, 0, &g));
        g.grad_norm = 0; /* of no interest, and maybe infinite */
        step_update(s, &g, 0);
        TRY(device_sync(s->dev));
    }
    *step_seconds = (clock_now() - start) / (double)(n - 1);
    s->optimizer->set = set;
    optimizer_reset(s->optimizer);

    LoaderBatch b;
    TRY(loader_step(s->loader, &s->order, 0, 0, &b));
    for (int i = 0; i < 2; i++) { /* the first one warms up, too */
        start = clock_now();
        model_evaluate(s->model, &b.batch);
        TRY(model_losses(s->model, s->losses));
        *evaluation_seconds = clock_now() - start;
    }
    return ST_OK;
}
