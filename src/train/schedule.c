#include "train/schedule.h"

#include <math.h>
#include <stddef.h>

const char *const schedule_names[] = {"cosine", "linear", "constant", "wsd", NULL};

/* How much of the way from the minimum to the peak is left, at share x of the falling part. */
static double left_at(ScheduleKind kind, double x)
{
    switch (kind) {
    case SCHEDULE_COSINE: return 0.5 * (1 + cos(3.14159265358979323846 * x));
    case SCHEDULE_LINEAR: return 1 - x;
    case SCHEDULE_WSD: return 1 - sqrt(x);
    case SCHEDULE_CONSTANT:
    case SCHEDULE_COUNT: break;
    }
    return 1;
}

double schedule_lr(const Schedule *s, int64_t step)
{
    if (step < s->warmup)
        return s->peak * (double)(step + 1) / (double)s->warmup;
    int64_t begin = s->warmup;
    if (s->kind == SCHEDULE_WSD && s->total - s->decay > begin)
        begin = s->total - s->decay;
    if (step < begin)
        return s->peak;
    double x = step >= s->total ? 1 : (double)(step - begin) / (double)(s->total - begin);
    double least = s->peak * s->min_ratio;
    return least + (s->peak - least) * left_at(s->kind, x);
}
