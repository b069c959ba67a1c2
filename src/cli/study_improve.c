/* The rounds are stages of a recipe that grows, and a pipeline does what of it is not done: so a round that
 * was killed goes on, and what was done is found again.  Here the pipeline is driven, and what it made is
 * read. */
#include "cli/study_improve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/improve_show.h"
#include "cli/model_folder.h"
#include "cli/model_hash.h"
#include "cli/run_verbs.h"
#include "cli/stop_signal.h"
#include "env/family.h"
#include "eval/compare.h"
#include "recipe/pipeline.h"
#include "study/improve.h"

static const Flag flags[] = {
    {"model", 'm', "MODEL", "the model to begin from: a model folder, a run, a GGUF file"},
    {"output", 'o', "FOLDER",
     "lineage.json, links to the stages' folders, and model: a link to the best one"},
    {"tasks", 't', "NAMES", "benchmarks of --data in place of families; fifths of them are kept apart"},
    {"data", 0, "DIR", "the folder of their data"},
    {"replay", 0, "FILE[,SHARE]",
     "mix these examples in, so that nothing is forgotten: that share of what is learned (0.5); may be given "
     "more than once"},
    {"tune", 0, "KEY=VALUE",
     "a setting of lemur tune, such as learning_rate=1e-4; may be given more than once"},
    {"eval", 0, "KEY=VALUE", "a setting of lemur eval, such as steps=5; may be given more than once"},
    {"rollout", 0, "KEY=VALUE", "the same for the episodes alone that are learned from"},
    {"store", 0, "FOLDER", "where the stages' folders lie (FOLDER/store)"},
    {"dry-run", 0, NULL, "show what the next round will do, and do nothing"},
    {"quiet", 'q', NULL, "what stages say goes to their logs only"},
    {"json", 0, NULL, "print lineage.json instead of a table"},
};

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
} Job;

static bool stopped(void *context)
{
    const Job *job = context;
    return job->stop && *job->stop != 0;
}

/* What is asked for. ------------------------------------------------------------------------------------- */

static Status take_given(Job *job)
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
static Status check_tuning(const Job *job)
{
    json_t *section = job->im.tune ? json_copy(job->im.tune) : json_object(),
           *recipe = json_pack("{s:o}", "tune", section);
    Status st = tune_recipe_check(recipe);
    json_decref(recipe);
    return st == ST_OK ? ST_OK : fail_in(st, "--tune");
}

static Status take_families(Job *job)
{
    Array(ImproveFamily) known = {0};
    for (size_t i = 0; families[i]; i++)
        array_push(&known, ((ImproveFamily){families[i]->name, families[i]->benchmark}));
    Status st = improve_add_families(&job->im, job->config.families, known.at, known.n);
    array_drop(&known);
    return st == ST_OK ? ST_OK : fail_in(st, "--families");
}

static Status real_path(char **out, const char *path)
{
    char *real = realpath(path, NULL);
    if (!real)
        return fail_errno(ST_IO, "cannot find %s", path);
    *out = mem_str(real);
    free(real);
    return ST_OK;
}

static Status take_data(Job *job, const char *names, const char *data)
{
    static const RecipeVerb all = {.words = ""};
    char *real = NULL, hash[RECIPE_HASH];
    if (!data)
        return fail(ST_ARG, "--tasks %s: where are their data?  --data DIR", names);
    TRY(real_path(&real, data));
    Status st = improve_add_data(&job->im, names, real);
    mem_free(real);
    TRY(st);
    TRY(recipe_product(hash, &all, job->im.data));
    job->im.data_hash = mem_str(hash);
    return ST_OK;
}

static Status hash_of(char out[17], const char *model)
{
    uint64_t h;
    TRY(model_hash(&h, model));
    snprintf(out, 17, "%016" PRIx64, h);
    return ST_OK;
}

static Status take_model(Job *job, const char *given)
{
    char *found = NULL;
    if (!given)
        return fail(ST_ARG, "which model? -m names its folder, a run, or a GGUF file");
    Status st = model_path_find(&found, given);
    if (st == ST_OK)
        st = real_path(&job->im.model, found);
    mem_free(found);
    TRY(st);
    job->im.given = mem_str(given);
    return hash_of(job->im.hash, job->im.model);
}

static Status take_words(Job *job)
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

/* Stages. ------------------------------------------------------------------------------------------------ */

/* Makes what of the recipe is not made. */
static Status pass_stages(Job *job, Pipeline *p, const Recipe *r)
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
static Status write_recipe(const Job *job, const json_t *recipe, char **path)
{
    char *real = NULL;
    *path = path_join(job->folder, "recipe.yaml");
    if (job->dry)
        return ST_OK;
    TRY(folder_make(job->folder));
    TRY(real_path(&real, job->folder));
    mem_free(*path);
    *path = path_join(real, "recipe.yaml");
    mem_free(real);
    return json_file_write(*path, recipe); /* JSON is YAML */
}

static Status pass(Job *job)
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

static const char *out_of(const Job *job, const char *stage)
{
    return json_string_value(json_object_get(job->outs, stage));
}

/* Both play the same tasks; each source is a run of its own. */
static Status compare_models(Job *job, int64_t first, int64_t second, bool untouched, ImprovePairs *pairs,
                             json_t *by_source)
{
    *pairs = (ImprovePairs){0};
    for (size_t i = 0; i < job->im.sources.n; i++) {
        char *a = improve_test_stage(&job->im, i, first, untouched),
             *b = improve_test_stage(&job->im, i, second, untouched);
        json_t *comparison = NULL;
        Status st = compare_runs(&comparison, out_of(job, a), out_of(job, b), "success", false);
        if (st == ST_OK)
            st = improve_add_pairs(pairs, by_source, job->im.sources.at[i].name, comparison);
        json_decref(comparison);
        mem_free(a);
        mem_free(b);
        TRY(st);
    }
    return ST_OK;
}

/* The folder of a model; caller frees. */
static Status model_of(const Job *job, int64_t round, char **out)
{
    if (!round) {
        *out = mem_str(job->im.model);
        return ST_OK;
    }
    char *stage = improve_tune_stage(round);
    Status st = model_path_find(out, out_of(job, stage));
    mem_free(stage);
    return st;
}

/* What is written. --------------------------------------------------------------------------------------- */

static Status link_model(const Job *job)
{
    char *model = NULL, *link = path_join(job->folder, "model");
    Status st = model_of(job, improve_best(&job->im), &model);
    if (st == ST_OK)
        st = link_replace(link, model);
    mem_free(model);
    mem_free(link);
    return st;
}

static Status write_lineage(const Job *job)
{
    if (job->dry)
        return ST_OK;
    json_t *lineage = improve_lineage(&job->im);
    char *path = path_join(job->folder, "lineage.json");
    Status st = json_file_write(path, lineage);
    mem_free(path);
    json_decref(lineage);
    return st == ST_OK ? link_model(job) : st;
}

static void show(const Job *job)
{
    json_t *lineage = improve_lineage(&job->im);
    if (args_has(job->args, "json"))
        cmd_print_json(lineage, 0);
    else
        improve_show_rounds(&job->im, lineage, job->folder);
    json_decref(lineage);
}

/* Rounds. ------------------------------------------------------------------------------------------------ */

static void tell_round(const Job *job, int64_t round)
{
    double seconds = improve_round_seconds(&job->im) * (double)(job->config.rounds - round + 1);
    char time[32];
    if (seconds > 0)
        log_info("=== round %lld of %lld; at most about %s left", (long long)round,
                 (long long)job->config.rounds, human_time(time, seconds));
    else
        log_info("=== round %lld of %lld", (long long)round, (long long)job->config.rounds);
}

static Status test_round(Job *job, int64_t round)
{
    ImproveRound *r = &job->im.rounds.at[round - 1];
    ImprovePairs pairs;
    char *model = NULL;
    TRY(pass(job));
    if (job->planned)
        return ST_OK;
    json_t *by_source = json_object();
    Status st = compare_models(job, r->parent, round, false, &pairs, by_source);
    if (st == ST_OK)
        st = model_of(job, round, &model);
    if (st == ST_OK)
        st = hash_of(r->hash, model);
    if (st == ST_OK) {
        improve_decide(&job->im, &pairs, by_source);
        log_info("=== round %lld: %lld of %lld held-out tasks before, %lld after, p %.2g: %s",
                 (long long)round, (long long)pairs.before, (long long)pairs.n, (long long)pairs.after, r->p,
                 improve_decision_names[r->decision]);
    }
    mem_free(model);
    json_decref(by_source);
    return st;
}

static Status do_round(Job *job, int64_t round)
{
    KeepCounts counts;
    improve_begin(&job->im);
    if (!job->dry)
        tell_round(job, round);
    TRY(pass(job));
    if (job->planned)
        return ST_OK;
    char *stage = improve_keep_stage(round);
    Status st = keep_read(&counts, out_of(job, stage));
    mem_free(stage);
    TRY(st);
    improve_keep(&job->im, &counts);
    if (job->im.rounds.at[round - 1].tunes)
        TRY(test_round(job, round));
    else
        log_info("=== round %lld: %lld examples are too few to tune on", (long long)round,
                 (long long)job->im.rounds.at[round - 1].learned);
    return job->planned ? ST_OK : write_lineage(job);
}

static Status judge(Job *job)
{
    ImprovePairs pairs;
    improve_end(&job->im);
    TRY(pass(job));
    if (job->planned || !improve_best(&job->im))
        return ST_OK;
    json_t *by_source = json_object();
    Status st = compare_models(job, 0, improve_best(&job->im), true, &pairs, by_source);
    if (st == ST_OK)
        improve_judge(&job->im, &pairs, by_source);
    json_decref(by_source);
    return st;
}

static Status improve(Job *job)
{
    TRY(take_words(job));
    job->dry = args_has(job->args, "dry-run");
    job->program = run_program();
    job->machine = run_machine();
    job->outs = json_object();
    if (!job->dry)
        job->stop = stop_signal_watch();
    for (int64_t i = 1; i <= job->config.rounds && !job->planned; i++)
        TRY(do_round(job, i));
    if (!job->planned)
        TRY(judge(job));
    if (job->planned)
        return ST_OK;
    TRY(write_lineage(job));
    show(job);
    return ST_OK;
}

static Status run(const Args *args, void *context)
{
    Job *job = context;
    job->args = args;
    job->im.config = &job->config;
    Status st = improve(job);
    improve_drop(&job->im);
    json_decref(job->machine);
    json_decref(job->outs);
    mem_free(job->store);
    mem_free(job->program);
    return st;
}

int study_improve(int argc, char **argv)
{
    Job job = {0};
    const ArgsTable tables[] = {{&improve_table, &job.config}};
    const Command c = {
        .usage = "-m MODEL -o FOLDER [--rounds N] [--families NAMES | --tasks NAMES --data DIR] [flags]",
        .about =
            "Makes a model better by what it did itself, round by round: it plays new tasks several\n"
            "times at a temperature; episodes that their world calls a success are kept, each once;\n"
            "it is tuned on them, with a share of older examples where --replay names them; and the\n"
            "new model plays held-out tasks beside the old one.  Only if it is better by a paired\n"
            "test does it take the old one's place.  At the end the best model and the first one\n"
            "play tasks that nothing was decided by.  FOLDER/lineage.json has every round.  The\n"
            "same command goes on where it was stopped, and with a higher --rounds does more of\n"
            "them.  docs/study.md says more.\n"
            "example: lemur study improve -m run/mini/agent --rounds 3 --families words,sql -o run/improve",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables),
    };
    return cmd_run(&c, argc, argv, run, &job);
}
