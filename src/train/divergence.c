#include "train/divergence.h"

#include <math.h>

static const double weight = 0.1; /* of a new loss in the moving mean */
static const double nats = 1, share = 0.25;

static double limit_of(const Divergence *d, int64_t vocab)
{
    double above_best = d->best + fmax(nats, share * (d->start - d->best));
    return fmin(above_best, log((double)vocab) + nats);
}

void divergence_add(Divergence *d, int64_t step, double loss, int64_t vocab)
{
    d->seen++;
    d->mean += (loss - d->mean) * fmax(weight, 1 / (double)d->seen); /* at first the plain mean */
    if (d->seen < DIVERGENCE_LEAST)
        return;
    if (d->seen == DIVERGENCE_LEAST)
        d->start = d->mean;
    if (d->seen == DIVERGENCE_LEAST || d->mean < d->best) {
        d->best = d->mean;
        d->best_step = step;
    }
    if (d->mean <= limit_of(d, vocab)) {
        d->since = d->since_steps = 0;
        return;
    }
    if (d->since_steps++ == 0)
        d->since = step;
}

bool divergence_is(const Divergence *d)
{
    return d->since_steps >= DIVERGENCE_HOLD;
}

json_t *divergence_to_json(const Divergence *d)
{
    return json_pack("{s:I, s:f, s:f, s:f, s:I, s:I, s:I}", "seen", (json_int_t)d->seen, "mean", d->mean,
                     "start", d->start, "best", d->best, "best_step", (json_int_t)d->best_step, "since",
                     (json_int_t)d->since, "since_steps", (json_int_t)d->since_steps);
}

Status divergence_from_json(Divergence *d, const json_t *json)
{
    json_int_t seen, best_step, since, since_steps;
    Divergence got = {0};
    *d = got;
    if (!json)
        return ST_OK;
    if (json_unpack((json_t *)(uintptr_t)json, "{s:I, s:F, s:F, s:F, s:I, s:I, s:I}", "seen", &seen, "mean",
                    &got.mean, "start", &got.start, "best", &got.best, "best_step", &best_step, "since",
                    &since, "since_steps", &since_steps) != 0 ||
        seen < 0 || best_step < 0 || since < 0 || since_steps < 0)
        return fail(ST_FORMAT, "what the checkpoint says of the course of the loss is incomplete");
    got.seen = seen;
    got.best_step = best_step;
    got.since = since;
    got.since_steps = since_steps;
    *d = got;
    return ST_OK;
}
