/* A model made better by what it did itself: rounds of tasks played, successes kept, a model tuned on them,
 * and a paired test on tasks that are never learned; the new model stays only if it is better.
 *
 *     Improve im = {.config = &config, ...};
 *     improve_begin(&im);                  a round, from the best model so far
 *     r = improve_recipe(&im);             what is to run for it, as `lemur run` reads it, up to what is kept
 *     improve_keep(&im, &counts);          what was kept decides whether there is a model to test
 *     r = improve_recipe(&im);             the same, and tuning and tests
 *     improve_decide(&im, &pairs, by);     whether it is the best model from now on
 *     improve_end(&im);                    after the last round
 *     r = improve_recipe(&im);             the same, and the best model's episodes on untouched tasks
 *     improve_judge(&im, &pairs, by);      the last verdict
 *
 * The recipe grows: what it held before stays as it was, so that a pipeline (recipe/pipeline.h) does only
 * what is new, and one that was killed goes on.  Nothing here runs anything.
 *
 * Three sets of tasks, apart from each other: those to play, new ones in each round; held-out ones, the same
 * in all rounds, by which models are chosen; and untouched ones, by which the last model is measured against
 * the first.  A model that was chosen as the best of several by the held-out tasks has a score on them that
 * flatters it; on the untouched ones it has not. */
#ifndef STUDY_IMPROVE_H
#define STUDY_IMPROVE_H

#include <jansson.h>

#include "base/array.h"
#include "base/config.h"
#include "study/keep.h"

typedef struct {
    int64_t rounds, samples, train, test, most, least, seed;
    double temperature, level;
    char *families, *accept;
} ImproveConfig;
extern const FieldTable improve_table;

typedef struct {
    char *name; /* in the names of stages */
    char *benchmark;
    bool drawn; /* by `lemur env make`; else it is of the data folder */
} ImproveSource;
typedef struct {
    char *path;
    double share; /* of what is learned */
} ImproveReplay;

/* Episodes of two models on the same tasks. */
typedef struct {
    int64_t n, before, after; /* solved by the first model, and by the second */
    int64_t first, second;    /* solved by the first alone, by the second alone */
} ImprovePairs;

typedef enum { IMPROVE_OPEN, IMPROVE_NOT_TUNED, IMPROVE_REFUSED, IMPROVE_ACCEPTED } ImproveDecision;
extern const char *const improve_decision_names[]; /* "open", "not tuned", "refused", "accepted" */

/* Models are named by the round that made them; 0 is the one that was given. */
typedef struct {
    int64_t parent;
    KeepCounts kept;
    int64_t learned; /* examples: those of this round, and of earlier ones on the same parent */
    bool tunes;      /* there are enough */
    ImprovePairs pairs;
    json_t *by_source; /* of pairs */
    double p;
    ImproveDecision decision;
    char hash[17]; /* of its model */
} ImproveRound;

typedef struct {
    const ImproveConfig *config;
    char *model, *given; /* the file or folder that is read; as it was named */
    char hash[17];       /* of it */
    char *data;          /* folder, of sources that are not drawn; NULL */
    char *data_hash;
    Array(ImproveSource) sources;
    Array(ImproveReplay) replays;
    json_t *tune;           /* settings of lemur tune; object or NULL */
    json_t *eval, *rollout; /* words for lemur eval: of all, and of what is played to learn; arrays or NULL */
    Array(ImproveRound) rounds; /* begun */
    bool ended;
    ImprovePairs verdict; /* the model given, and the best one, on untouched tasks */
    json_t *verdict_by_source;
    json_t *seconds; /* that kinds of stages took: forecasts; object or NULL */
} Improve;

/* A family of tasks that can be drawn. */
typedef struct {
    const char *name, *benchmark;
} ImproveFamily;

/* Adds sources by their names, with commas between: of the n families, or benchmarks of a data folder.
 * ST_ARG: no such family (the nearest is named), none at all, or one twice. */
MUST_CHECK Status improve_add_families(Improve *im, const char *names, const ImproveFamily *known, size_t n);
MUST_CHECK Status improve_add_data(Improve *im, const char *names, const char *data);
/* "FILE" or "FILE,SHARE" (0.5 where none is given).  ST_ARG: shares that leave nothing for what was kept. */
MUST_CHECK Status improve_add_replay(Improve *im, const char *words);
/* "KEY=VALUE" for lemur tune; "KEY=VALUE" or "KEY" for lemur eval, `rollout`: for what is played alone.
 * ST_ARG: of no such form, or a setting that is not the user's to choose here. */
MUST_CHECK Status improve_add_tune(Improve *im, const char *word);
MUST_CHECK Status improve_add_eval(Improve *im, const char *word, bool rollout);
void improve_drop(Improve *im);

/* Rounds ------------------------------------------------------------------------------------------------- */

int64_t improve_best(const Improve *im); /* the last round whose model was accepted; 0: none */
void improve_begin(Improve *im);
void improve_keep(Improve *im, const KeepCounts *counts);
void improve_decide(Improve *im, const ImprovePairs *pairs, json_t *by_source);
void improve_end(Improve *im); /* after it the recipe has the best model's episodes on untouched tasks */
void improve_judge(Improve *im, const ImprovePairs *pairs, json_t *by_source);

/* Adds what a comparison of two runs (eval/compare.h) counted, and under `name` a summary of it.
 * ST_FORMAT: it holds no successes. */
MUST_CHECK Status improve_add_pairs(ImprovePairs *pairs, json_t *by_source, const char *name,
                                    const json_t *comparison);
json_t *improve_pairs_json(const ImprovePairs *pairs); /* new reference */

/* Stages ------------------------------------------------------------------------------------------------- */

/* As `lemur run` reads it, without "store"; new reference. */
json_t *improve_recipe(const Improve *im);
/* The stage in which a model plays a source's held-out tasks, or untouched ones; caller frees. */
char *improve_test_stage(const Improve *im, size_t source, int64_t round, bool untouched);
char *improve_keep_stage(int64_t round);
char *improve_tune_stage(int64_t round);
/* What a stage took, for forecasts of others of its kind. */
void improve_note_seconds(Improve *im, const char *stage, double seconds);
/* Of one round; 0 where something of it is not known yet. */
double improve_round_seconds(const Improve *im);

/* Everything that was decided and what it stands on; holds no time and no place, so that one seed gives one
 * text.  New reference. */
json_t *improve_lineage(const Improve *im);
int64_t improve_tune_seed(const Improve *im, int64_t round);
int64_t improve_rollout_seed(const Improve *im, int64_t round, int64_t sample);

#endif
