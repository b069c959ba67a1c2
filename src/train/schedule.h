/* The learning rate as a pure function of the step: nothing to save, nothing to restore.
 *
 *   warm-up    steps 0 .. warmup-1        peak * (step + 1) / warmup
 *   cosine     from peak to min_ratio * peak over the rest, half a cosine (Loshchilov & Hutter 2017,
 *              arXiv:1608.03983)
 *   linear     the same along a straight line
 *   constant   peak
 *   wsd        warm-up, stable, decay: peak until the last `decay` steps, which fall by 1 - sqrt(x)
 *              (Hu et al. 2024, arXiv:2404.06395; the shape: Haegele et al. 2024, arXiv:2405.18392)
 *
 * x, the share of the falling part that is behind, is 0 at its first step and would be 1 at step `total`,
 * which is not taken: the last step still learns where min_ratio is 0. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include <stdint.h>

typedef enum {
    SCHEDULE_COSINE,
    SCHEDULE_LINEAR,
    SCHEDULE_CONSTANT,
    SCHEDULE_WSD,
    SCHEDULE_COUNT
} ScheduleKind;

extern const char *const schedule_names[]; /* by ScheduleKind; ends with NULL */

typedef struct {
    ScheduleKind kind;
    double peak, min_ratio;
    int64_t total, warmup, decay; /* steps; decay: of wsd alone */
} Schedule;

double schedule_lr(const Schedule *s,
                   int64_t step); /* 0 <= step; past the end: the minimum (constant: the peak) */

#endif
