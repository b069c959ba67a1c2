/* Runs a recipe: each stage whose key has no finished folder in the store.
 *
 *     PipelineSpec spec = {.recipe = &recipe, .verbs = verbs, .lemur = exe, .folder = "run/mini"};
 *     Pipeline *p;
 *     TRY(pipeline_open(&p, &spec));       reads the store: what is done, half done, to do
 *     TRY(pipeline_run(p));
 *     pipeline_close(p);
 *
 * A stage's folder in the store is named by its verb and key: <store>/corpus-build-1f2e.../ with `out` (what
 * it made), `recipe.yaml` (its settings), `log.txt`, and stage.json as soon as it is done.  <folder>/<stage>
 * are links to the folders `out`, and <folder>/lock.json has all that is needed to repeat or check the run.
 * Runs may share a store at a time: what one is making, another leaves out until there is nothing else. */
#ifndef RECIPE_PIPELINE_H
#define RECIPE_PIPELINE_H

#include "recipe/stages.h"

typedef struct {
    const Recipe *recipe;
    RecipeVerbs verbs;
    const char *lemur;     /* this program's file: what `run` runs */
    const char *folder;    /* of this run; its name stands in what is told */
    const char *from;      /* stage: done once more, with all that depend on it; NULL: none */
    const char *only;      /* stage: it alone, if what it needs is done; NULL: all */
    bool quiet;            /* what stages say goes to their logs only */
    int jobs;              /* stages at a time, each on a like share of the processors; 0: one, on all */
    const json_t *machine; /* kept in lock.json; borrowed */
    void *machine_speed;   /* what verbs' forecasts are given */
    bool (*stopped)(void *context);
    void *stopped_context;
} PipelineSpec; /* borrowed while the pipeline is open */

typedef enum { STAGE_TODO, STAGE_HALF, STAGE_DONE } StageState;
extern const char *const stage_state_names[]; /* "to do", "half done", "done" */

typedef struct {
    char key[RECIPE_HASH], like[RECIPE_HASH]; /* like: recipe_likeness */
    char *folder;                             /* in the store */
    char *out;                                /* its `out` */
    const RecipeVerb *verb;
    json_t *inputs; /* of files outside; NULL: none */
    json_t *done;   /* its stage.json; NULL unless done */
    RecipeForecast forecast;
    StageState state;
    bool again;  /* --from: what lies there does not count */
    bool wanted; /* this run is to do it */
} PipelineStage;

typedef struct Pipeline Pipeline;

/*   ST_ARG    unknown verbs, --from, --only, words or settings that a verb would refuse
 *   ST_IO     inputs that cannot be read */
MUST_CHECK Status pipeline_open(Pipeline **out, const PipelineSpec *spec);
void pipeline_close(Pipeline *p);                        /* NULL is fine */
const PipelineStage *pipeline_stages(const Pipeline *p); /* in the recipe's order */
/* What stands in the way of a run: inputs that are missing (ST_IO), less disk or memory than is needed
 * (ST_LIMIT). */
const Error *pipeline_obstacles(const Pipeline *p, size_t *n);

/* Does what is wanted, if nothing stands in the way.  Where a stage fails nothing more is begun; what is done
 * stays done, and what is under way beside it is waited for.
 *   ST_CANCELLED  somebody asked to stop     ST_IO  a stage failed: the sentence has its log and what goes on
 *   ST_IO, ST_LIMIT  the first obstacle, before anything is done; the others are told by log_error */
MUST_CHECK Status pipeline_run(Pipeline *p);

/* Holds what a run's lock.json says against its stages' folders.  *wrong counts what does not agree; each is
 * told by log_error.  ST_IO, ST_FORMAT: no lock.json. */
MUST_CHECK Status pipeline_verify(int64_t *wrong, const char *folder, const RecipeVerbs *verbs);

#endif
