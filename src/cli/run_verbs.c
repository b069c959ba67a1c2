#include "cli/run_verbs.h"

/* Manifests, logs and results of training hold times and speeds: they do not count. */
static const char *const corpus_products[] = {"train/**", "held_out/**", NULL};
static const char *const shard_products[] = {"*.tok", NULL};
static const char *const train_products[] = {"model/**", NULL};
static const char *const tune_products[] = {"model/**", "adapter/**", "data/*.tok", NULL};
static const char *const eval_products[] = {"results.json:results", NULL};

/* A version is raised when the same settings and inputs give another product. */
static const RecipeVerb verbs[] = {
    {"corpus build", 1, RESUME_ANEW, corpus_products}, {"tokenizer train", 1, RESUME_ANEW, NULL},
    {"pack", 1, RESUME_ANEW, shard_products},          {"train", 1, RESUME_FLAG, train_products},
    {"tune", 1, RESUME_FLAG, tune_products},           {"convert", 1, RESUME_ANEW, NULL},
    {"eval", 1, RESUME_SAME, eval_products},
};
const RecipeVerbs run_verbs = {verbs, sizeof verbs / sizeof verbs[0]};
