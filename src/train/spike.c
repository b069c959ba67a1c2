#include "train/spike.h"

#include <math.h>

#include "base/check.h"

void spike_init(Spike *s, int64_t window)
{
    check(window >= 1 && window <= SPIKE_WINDOW_MAX);
    *s = (Spike){.window = window};
}

/* The i-th oldest.  Sums run in this order, wherever the window's seam is, so that a restored one gives the
 * same bits. */
static double value_at(const Spike *s, int64_t i)
{
    return s->values[(s->next - s->n + i + s->window) % s->window];
}

static double score(const Spike *s, double x)
{
    double sum = 0, squares = 0;
    if (s->n < SPIKE_LEAST)
        return 0;
    for (int64_t i = 0; i < s->n; i++)
        sum += value_at(s, i);
    double mean = sum / (double)s->n;
    for (int64_t i = 0; i < s->n; i++)
        squares += (value_at(s, i) - mean) * (value_at(s, i) - mean);
    double deviation = sqrt(squares / (double)s->n);
    return deviation > 0 ? (x - mean) / deviation : 0;
}

double spike_add(Spike *s, double x)
{
    double z = score(s, x);
    s->values[s->next] = x;
    s->next = (s->next + 1) % s->window;
    s->n += s->n < s->window;
    return z;
}

json_t *spike_to_json(const Spike *s)
{
    json_t *values = json_array();
    for (int64_t i = 0; i < s->n; i++)
        json_array_append_new(values, json_real(value_at(s, i)));
    return values;
}

Status spike_from_json(Spike *s, const json_t *values)
{
    size_t i;
    json_t *v;
    if (!json_is_array(values))
        return fail(ST_FORMAT, "the window of earlier losses is missing");
    json_array_foreach(values, i, v)
    {
        if (!json_is_number(v))
            return fail(ST_FORMAT, "the window of earlier losses holds something that is no number");
        spike_add(s, json_number_value(v));
    }
    return ST_OK;
}
