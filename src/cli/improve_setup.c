/* What flags of `lemur study improve` ask for, checked before anything runs. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/improve_job.h"
#include "cli/model_folder.h"
#include "cli/model_hash.h"
#include "cli/run_verbs.h"
#include "env/family.h"

Status improve_real_path(char **out, const char *path)
{
    char *real = realpath(path, NULL);
    if (!real)
        return fail_errno(ST_IO, "cannot find %s", path);
    *out = mem_str(real);
    free(real);
    return ST_OK;
}

static Status take_given(ImproveJob *job)
{
    for (size_t i = 0; i < job->args->given_n; i++) {
        const GivenFlag *g = &job->args->given[i];
        if (strcmp(g->flag->name, "replay") == 0)
            TRY(improve_add_replay(&job->im, g->value));
        else if (strcmp(g->flag->name, "tune") == 0)
            TRY(improve_add_tune(&job->im, g->value));
        else if (strcmp(g->flag->name, "eval") == 0)
            TRY(improve_add_eval(&job->im, g->value, false));
        else if (strcmp(g->flag->name, "rollout") == 0)
            TRY(improve_add_eval(&job->im, g->value, true));
    }
    for (size_t i = 0; i < job->im.replays.n; i++)
        if (!path_exists(job->im.replays.at[i].path))
            return fail(ST_ARG, "--replay: there is no file %s", job->im.replays.at[i].path);
    return ST_OK;
}

/* Before anything runs. */
static Status check_tuning(const ImproveJob *job)
{
    json_t *section = job->im.tune ? json_copy(job->im.tune) : json_object(),
           *recipe = json_pack("{s:o}", "tune", section);
    Status st = tune_recipe_check(recipe);
    json_decref(recipe);
    return st == ST_OK ? ST_OK : fail_in(st, "--tune");
}

static Status take_families(ImproveJob *job)
{
    Array(ImproveFamily) known = {0};
    for (size_t i = 0; families[i]; i++)
        array_push(&known, ((ImproveFamily){families[i]->name, families[i]->benchmark}));
    Status st = improve_add_families(&job->im, job->config.families, known.at, known.n);
    array_drop(&known);
    return st == ST_OK ? ST_OK : fail_in(st, "--families");
}

static Status take_data(ImproveJob *job, const char *names, const char *data)
{
    static const RecipeVerb all = {.words = ""};
    char *real = NULL, hash[RECIPE_HASH];
    if (!data)
        return fail(ST_ARG, "--tasks %s: where are their data?  --data DIR", names);
    TRY(improve_real_path(&real, data));
    Status st = improve_add_data(&job->im, names, real);
    mem_free(real);
    TRY(st);
    TRY(recipe_product(hash, &all, job->im.data));
    job->im.data_hash = mem_str(hash);
    return ST_OK;
}

static Status take_model(ImproveJob *job, const char *given)
{
    char *found = NULL;
    if (!given)
        return fail(ST_ARG, "which model? -m names its folder, a run, or a GGUF file");
    Status st = model_path_find(&found, given);
    if (st == ST_OK)
        st = improve_real_path(&job->im.model, found);
    mem_free(found);
    TRY(st);
    job->im.given = mem_str(given);
    return model_hash_text(job->im.hash, job->im.model);
}

Status improve_setup_take(ImproveJob *job)
{
    const char *tasks = args_value(job->args, "tasks"), *data = args_value(job->args, "data"),
               *store = args_value(job->args, "store");
    job->folder = args_value(job->args, "output");
    if (!job->folder)
        return fail(ST_ARG, "where to?  -o FOLDER");
    TRY(cmd_output_folder(job->folder, "improve"));
    if (data && !tasks)
        return fail(ST_ARG, "--data is about --tasks NAMES; families are drawn and need none");
    TRY(take_given(job));
    TRY(check_tuning(job));
    TRY(tasks ? take_data(job, tasks, data) : take_families(job));
    TRY(take_model(job, args_value(job->args, "model")));
    job->store = store ? mem_str(store) : path_join(job->folder, "store");
    return ST_OK;
}
