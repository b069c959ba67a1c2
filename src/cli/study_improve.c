/* The rounds of lemur study improve, and what is written of them.  What a round takes is made by
 * improve_stages.c. */
#include "cli/study_improve.h"

#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/improve_job.h"
#include "cli/improve_show.h"
#include "cli/model_hash.h"
#include "cli/run_verbs.h"
#include "cli/stop_signal.h"

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

/* What is written. --------------------------------------------------------------------------------------- */

static Status link_model(const ImproveJob *job)
{
    char *model = NULL, *link = path_join(job->folder, "model");
    Status st = improve_stages_model(job, improve_best(&job->im), &model);
    if (st == ST_OK)
        st = link_replace(link, model);
    mem_free(model);
    mem_free(link);
    return st;
}

static Status write_lineage(const ImproveJob *job)
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

static void show(const ImproveJob *job)
{
    json_t *lineage = improve_lineage(&job->im);
    if (args_has(job->args, "json"))
        cmd_print_json(lineage, 0);
    else
        improve_show_rounds(&job->im, lineage, job->folder);
    json_decref(lineage);
}

/* Rounds. ------------------------------------------------------------------------------------------------ */

static void tell_round(const ImproveJob *job, int64_t round)
{
    double seconds = improve_round_seconds(&job->im) * (double)(job->config.rounds - round + 1);
    char time[32];
    if (seconds > 0)
        log_info("=== round %lld of %lld; at most about %s left", (long long)round,
                 (long long)job->config.rounds, human_time(time, seconds));
    else
        log_info("=== round %lld of %lld", (long long)round, (long long)job->config.rounds);
}

static Status test_round(ImproveJob *job, int64_t round)
{
    ImproveRound *r = &job->im.rounds.at[round - 1];
    ImprovePairs pairs;
    char *model = NULL;
    TRY(improve_stages_make(job));
    if (job->planned)
        return ST_OK;
    json_t *by_source = json_object();
    Status st = improve_stages_compare(job, r->parent, round, false, &pairs, by_source);
    if (st == ST_OK)
        st = improve_stages_model(job, round, &model);
    if (st == ST_OK)
        st = model_hash_text(r->hash, model);
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

static Status do_round(ImproveJob *job, int64_t round)
{
    KeepCounts counts;
    improve_begin(&job->im);
    if (!job->dry)
        tell_round(job, round);
    TRY(improve_stages_make(job));
    if (job->planned)
        return ST_OK;
    char *stage = improve_keep_stage(round);
    Status st = keep_read(&counts, improve_stages_out(job, stage));
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

static Status judge(ImproveJob *job)
{
    ImprovePairs pairs;
    improve_end(&job->im);
    TRY(improve_stages_make(job));
    if (job->planned || !improve_best(&job->im))
        return ST_OK;
    json_t *by_source = json_object();
    Status st = improve_stages_compare(job, 0, improve_best(&job->im), true, &pairs, by_source);
    if (st == ST_OK)
        improve_judge(&job->im, &pairs, by_source);
    json_decref(by_source);
    return st;
}

static Status improve(ImproveJob *job)
{
    TRY(improve_setup_take(job));
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
    ImproveJob *job = context;
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
    ImproveJob job = {0};
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
