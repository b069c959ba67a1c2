/* What a model under training makes of a prompt, said after each evaluation:
 *
 *     TrainSample sample = {.prompt = "def main(", .tokenizer = NULL};
 *     job.hooks = (TrainHooks){.context = &sample, .on_eval = train_sample_on_eval};
 *
 * Always the most likely token, but for a penalty on repetition, so that two samples of a run differ by what
 * was learnt between them.  A sample changes nothing in the run; one that cannot be had is told once, and the
 * run goes on. */
#ifndef CLI_TRAIN_SAMPLE_H
#define CLI_TRAIN_SAMPLE_H

#include "tokenizer/tokenizer.h"
#include "train/trainer.h"

typedef struct {
    const char *prompt;    /* borrowed, as is the next */
    const char *tokenizer; /* folder or file; NULL: the one that the data names */
    Tokenizer *opened;     /* by the first sample */
    bool failed;           /* and told */
} TrainSample;

void train_sample_on_eval(void *context, Model *m, int64_t step, const LossReport *r,
                          const ShardSet *held_out);
void train_sample_drop(TrainSample *s);

/* The part without a run: adds what follows the prompt.  held_out may be NULL where a tokenizer is named.
 *   ST_ARG  there is no tokenizer, or the prompt is no token
 *   others  those of tokenizer_open and generate_sample */
MUST_CHECK Status train_sample_text(Str *out, TrainSample *s, Model *m, const ShardSet *held_out);

#endif
