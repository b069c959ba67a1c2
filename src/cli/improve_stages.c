/* The stages of `lemur study improve`: rounds are stages of a recipe that grows, and a pipeline does what of
 * it is not done, so a round that was killed goes on, and what was done is found again.  Here the pipeline is
 * driven, and what it made is found. */
#include "base/file.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "cli/improve_job.h"
#include "cli/improve_show.h"
#include "cli/model_folder.h"
#include "cli/run_verbs.h"
#include "eval/compare.h"
#include "recipe/pipeline.h"

static bool stopped(void *context)
{
    const ImproveJob *job = context;
    return job->stop && *job->stop != 0;
}

/* Makes what of the recipe is not made. */
static Status pass_stages(ImproveJob *job, Pipeline *p, const Recipe *r)
{
    const PipelineStage *stages = pipeline_stages(p);
    bool wanted = false;
    for (size_t i = 0; i < r->stages.n; i++)
        wanted = wanted || stages[i].wanted;
    if (job->dry && wanted) {
        job->planned = true;
        improve_show_plan(&job->im, r, stages);
    }
    if (!job->dry)
        TRY(pipeline_run(p));
    json_object_clear(job->outs);
    for (size_t i = 0; i < r->stages.n; i++) {
        const char *name = r->stages.at[i].name;
        double seconds = json_number_value(json_object_get(stages[i].done, "seconds"));
        json_object_set_new(job->outs, name, json_string(stages[i].out));
        if (seconds > 0)
            improve_note_seconds(&job->im, name, seconds);
    }
    return ST_OK;
}

/* FOLDER/recipe.yaml, of which a page can be made, or the run repeated.  Caller frees *path. */
static Status write_recipe(const ImproveJob *job, const json_t *recipe, char **path)
{
    char *real = NULL;
    *path = path_join(job->folder, "recipe.yaml");
    if (job->dry)
        return ST_OK;
    TRY(folder_make(job->folder));
    TRY(improve_real_path(&real, job->folder));
    mem_free(*path);
    *path = path_join(real, "recipe.yaml");
    mem_free(real);
    return json_file_write(*path, recipe); /* JSON is YAML */
}

Status improve_stages_make(ImproveJob *job)
{
    Recipe r = {0};
    Pipeline *p;
    char *path;
    json_t *all = improve_recipe(&job->im);
    json_object_set_new(all, "store", json_text(span(job->store)));
    PipelineSpec spec = {.recipe = &r,
                         .verbs = run_verbs,
                         .lemur = job->program,
                         .folder = job->folder,
                         .quiet = args_has(job->args, "quiet"),
                         .machine = job->machine,
                         .stopped = stopped,
                         .stopped_context = job};
    Status st = write_recipe(job, all, &path);
    if (st == ST_OK)
        st = recipe_take(&r, all, path);
    if (st == ST_OK)
        st = pipeline_open(&p, &spec);
    if (st == ST_OK) {
        st = pass_stages(job, p, &r);
        pipeline_close(p);
    }
    recipe_drop(&r);
    json_decref(all);
    mem_free(path);
    return st;
}

const char *improve_stages_out(const ImproveJob *job, const char *stage)
{
    return json_string_value(json_object_get(job->outs, stage));
}

/* Both play the same tasks; each source is a run of its own. */
Status improve_stages_compare(ImproveJob *job, int64_t first, int64_t second, bool untouched,
                              ImprovePairs *pairs, json_t *by_source)
{
    *pairs = (ImprovePairs){0};
    for (size_t i = 0; i < job->im.sources.n; i++) {
        char *a = improve_test_stage(&job->im, i, first, untouched),
             *b = improve_test_stage(&job->im, i, second, untouched);
        json_t *comparison = NULL;
        Status st = compare_runs(&comparison, improve_stages_out(job, a), improve_stages_out(job, b),
                                 "success", false);
        if (st == ST_OK)
            st = improve_add_pairs(pairs, by_source, job->im.sources.at[i].name, comparison);
        json_decref(comparison);
        mem_free(a);
        mem_free(b);
        TRY(st);
    }
    return ST_OK;
}

Status improve_stages_model(const ImproveJob *job, int64_t round, char **out)
{
    if (!round) {
        *out = mem_str(job->im.model);
        return ST_OK;
    }
    char *stage = improve_tune_stage(round);
    Status st = model_path_find(out, improve_stages_out(job, stage));
    mem_free(stage);
    return st;
}
