/* The inside of `lemur study improve`, for study_improve.c, improve_setup.c and improve_stages.c. */
#ifndef CLI_IMPROVE_JOB_H
#define CLI_IMPROVE_JOB_H

#include <jansson.h>
#include <signal.h>

#include "base/config.h"
#include "study/improve.h"

typedef struct {
    ImproveConfig config;
    Improve im;
    const Args *args;
    const char *folder;
    char *store, *program;
    json_t *machine;
    json_t *outs; /* stage -> its `out`, of the last pass */
    const volatile sig_atomic_t *stop;
    bool dry, planned; /* planned: --dry-run came to something that is to be done */
} ImproveJob;

/* improve_setup.c */

/* Sets folder, store and what of `im` the flags name; borrows job->args.  ST_ARG, ST_IO. */
MUST_CHECK Status improve_setup_take(ImproveJob *job);
/* Caller frees.  ST_IO: there is nothing. */
MUST_CHECK Status improve_real_path(char **out, const char *path);

/* improve_stages.c */

/* Makes what of job->im's recipe is not made; where job->dry, shows it and sets job->planned. */
MUST_CHECK Status improve_stages_make(ImproveJob *job);
/* The folder of a stage that was made; borrowed. */
const char *improve_stages_out(const ImproveJob *job, const char *stage);
/* The folder of a round's model, 0: of the one that was given; caller frees. */
MUST_CHECK Status improve_stages_model(const ImproveJob *job, int64_t round, char **out);
/* Two rounds' models on the same tasks, held-out or untouched ones. */
MUST_CHECK Status improve_stages_compare(ImproveJob *job, int64_t first, int64_t second, bool untouched,
                                         ImprovePairs *pairs, json_t *by_source);

#endif
