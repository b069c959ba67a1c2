/* What a checkpoint says beside weights and moments, and what must be equal for a resumed run to end in the
 * same bytes. */
#ifndef TRAIN_RUN_STATE_H
#define TRAIN_RUN_STATE_H

#include <jansson.h>

#include "model/hparams.h"
#include "train/divergence.h"
#include "train/spike.h"
#include "train/train_config.h"

enum { RUN_STATE_VERSION = 1 };

/* Where a run stands. */
typedef struct {
    int64_t step, total_steps; /* total_steps is fixed at the start: minutes are measured once */
    int64_t tokens;            /* positions learned from so far */
    int64_t updates;           /* of AdamW: steps that were not skipped */
    int64_t skipped_in_a_row;
    double seconds, loss_nats;                    /* spent in steps so far; of the last step */
    double held_out_nats, held_out_bits_per_byte; /* of the last evaluation; NaN: none yet */
    int64_t eval_rows;   /* that the minutes of the run allow an evaluation; 0: as set */
    bool evaluation_due; /* that of `step` was stopped half way */
    int64_t
        row_shift; /* so many more rows were seen than steps of the batch of now have; 0: it never changed */
    Spike loss_window, norm_window;
    Divergence divergence;
} RunState;

/* What the bits of the result depend on, apart from the settings. */
typedef struct {
    HParams h;
    uint64_t data_hash, tokenizer_hash;
    int64_t threads, ranks, context;
    DType compute;
    bool has_base; /* adapters are trained, over the weights of this hash (model_base_hash) */
    uint64_t base_hash;
    char processor[64]; /* told, not compared: another one may round otherwise */
} RunFacts;

void run_state_init(RunState *s, const TrainConfig *c);

/* Everything in one object; new reference. */
json_t *run_state_to_json(const RunState *s, const TrainConfig *c, const RunFacts *f);
/* The state out of it.  ST_FORMAT, ST_UNSUPPORTED (another version). */
MUST_CHECK Status run_state_from_json(RunState *s, const TrainConfig *c, const json_t *json);

json_t *run_state_real(double v); /* null where v is not finite; new reference */

/* Refuses a checkpoint made with other settings or facts, with one line for each difference; settings that
 * change no bit of the weights may differ.  `accept`: warns instead.  *length_changed: steps, tokens, epochs
 * or minutes are among them, or what tokens and epochs are turned into steps with.
 *   ST_ARG  they differ, or (accepted or not) the model's shape or number of ranks does */
MUST_CHECK Status run_state_compare(const json_t *json, const TrainConfig *c, const RunFacts *f, bool accept,
                                    bool *length_changed);
/* Keeps the place in the data where `json` was saved by steps of other rows than `rows` each.  ST_FORMAT. */
MUST_CHECK Status run_state_keep_place(RunState *s, const json_t *json, int64_t rows);
/* Whether there is no such difference. */
bool run_state_same(const json_t *json, const TrainConfig *c, const RunFacts *f);

#endif
