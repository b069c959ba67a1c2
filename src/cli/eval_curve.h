/* Success by the number of steps that episodes may take: one run for each (MINT, arXiv:2309.10691, table 2). */
#ifndef CLI_EVAL_CURVE_H
#define CLI_EVAL_CURVE_H

#include <jansson.h>
#include <stdio.h>

#include "base/status.h"

/* {"steps": [1, 2, ...], "curves": {"mint_gsm8k": [{"value", "ci95"}, ...], "mint_reasoning": ...}} */
typedef struct {
    json_t *json;
} Curve; /* {0} is an empty one */

/* Takes the main metric of every benchmark and group of a run's results.json. */
void curve_add(Curve *c, int64_t steps, const json_t *results);
MUST_CHECK Status curve_write(const Curve *c, const char *folder); /* folder/curve.json */
void curve_print(FILE *out, const Curve *c);
void curve_drop(Curve *c);

#endif
