/* lemur env score: what policies reach in a world. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/columns.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/thread.h"
#include "cli/env.h"
#include "env/policy.h"
#include "eval/stats.h"

typedef struct {
    EnvPlace place;
    int64_t tasks, steps, seed, threads;
    char *policy;
    bool json;
} Job;

static const Field fields[] = {
    F_STRING(Job, policy, "expert,random", "names with commas between: expert, random, script:FILE"),
    F_INT(Job, tasks, 0, 0, 1e9, "play the first so many; 0: all"),
    F_INT(Job, steps, 0, 0, 1e9, "actions of an episode, at most; 0: the world's own limit"),
    F_INT(Job, seed, 1, 0, 1e18, "of chance"),
    F_INT(Job, threads, 2, 1, 1024, "episodes at a time"),
    F_BOOL(Job, json, false, "print the result as JSON, with each task's score"),
};
static const FieldTable table = FIELD_TABLE(fields);
static const Flag flags[] = {{"output", 'o', "FOLDER", "for scores.json: what --json prints, without times"}};

typedef struct {
    const Job *job;
    const EnvOptions *options;
    Env *env;
    Policy *policy;
    PolicyScore *scores; /* by task */
    pthread_mutex_t lock;
    Progress progress;
    int64_t done;
    Error error; /* of the first that failed */
    bool failed;
} Round;

static void one_task(void *context, int64_t task, int thread)
{
    Round *r = context;
    (void)thread;
    pthread_mutex_lock(&r->lock);
    bool over = r->failed;
    pthread_mutex_unlock(&r->lock);
    if (over)
        return;
    Status st = r->options->stopped(r->options->stopped_context)
                    ? fail(ST_CANCELLED, "interrupted")
                    : policy_play(&r->scores[task], r->policy, r->env, (size_t)task, (int)r->job->steps);
    pthread_mutex_lock(&r->lock);
    if (st != ST_OK && !r->failed) {
        r->failed = true;
        r->error = error_take();
    }
    progress_at(&r->progress, (double)++r->done);
    pthread_mutex_unlock(&r->lock);
}

static json_t *interval(Interval i)
{
    return json_pack("[f,f]", i.low, i.high);
}

static json_t *summary(const Round *r, const char *policy, int64_t n, double seconds)
{
    int64_t solved = 0, unknown = 0, steps = 0;
    double reward = 0;
    json_t *each = json_array();
    for (int64_t i = 0; i < n; i++) {
        const PolicyScore *s = &r->scores[i];
        solved += s->solved;
        unknown += s->unknown;
        steps += s->steps;
        reward += s->best;
        json_array_append_new(each, json_pack("{s:s, s:b, s:f, s:i, s:b}", "task",
                                              env_tasks(r->env)->at[i].id, "solved", s->solved, "reward",
                                              s->best, "steps", s->steps, "unknown", s->unknown));
    }
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:f, s:o, s:f, s:f, s:I, s:f, s:o}", "world", env_kind(r->env)->name, "policy",
        policy, "tasks", (json_int_t)n, "solved", (json_int_t)solved, "success", (double)solved / (double)n,
        "success_ci95", interval(stats_wilson(solved, n)), "reward", reward / (double)n, "steps",
        (double)steps / (double)n, "unknown", (json_int_t)unknown, "seconds", seconds, "scores", each);
}

static Status play_all(json_t *out, const Job *job, const EnvOptions *options, Env *e, const char *name)
{
    int64_t n = (int64_t)env_tasks(e)->n;
    if (job->tasks && job->tasks < n)
        n = job->tasks;
    Round r = {.job = job, .options = options, .env = e};
    TRY(policy_open(&r.policy, name, (uint64_t)job->seed));
    r.scores = mem_array(PolicyScore, n);
    pthread_mutex_init(&r.lock, NULL);
    char *what = mem_format("%s, %s", env_kind(e)->name, name);
    double start = clock_now();
    r.progress = progress_start(what, (double)n, "episodes");
    thread_each(n, (int)job->threads, one_task, &r);
    progress_end(&r.progress);
    Status st = r.failed ? error_put(&r.error) : ST_OK;
    if (st == ST_OK)
        json_array_append_new(out, summary(&r, name, n, clock_now() - start));
    pthread_mutex_destroy(&r.lock);
    policy_close(r.policy);
    mem_free(r.scores);
    mem_free(what);
    return st;
}

/* Each of the words with commas between. */
static Status play_policies(json_t *out, const Job *job, const EnvOptions *options, Env *e)
{
    for (const char *at = job->policy; *at;) {
        size_t n = strcspn(at, ",");
        char *name = mem_strn(at, n);
        Status st = play_all(out, job, options, e, name);
        mem_free(name);
        TRY(st);
        at += n + (at[n] == ',');
    }
    return ST_OK;
}

static double number(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static void print_scores(const json_t *all)
{
    static const char *const titles[] = {"world", "policy", "tasks", "solved", "95 %", "reward", "steps"};
    Columns c = {.align = "llrrlrr"};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        columns_add(&c, "%s", titles[i]);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *o = json_array_get(all, i), *ci = json_object_get(o, "success_ci95");
        columns_add(&c, "%s", json_string_value(json_object_get(o, "world")));
        columns_add(&c, "%s", json_string_value(json_object_get(o, "policy")));
        columns_add(&c, "%.0f", number(o, "tasks"));
        columns_add(&c, "%.1f %%", 100 * number(o, "success"));
        columns_add(&c, "%.1f to %.1f", 100 * json_number_value(json_array_get(ci, 0)),
                    100 * json_number_value(json_array_get(ci, 1)));
        columns_add(&c, "%.3f", number(o, "reward"));
        columns_add(&c, "%.1f", number(o, "steps"));
    }
    columns_print(&c, stdout);
    columns_drop(&c);
    for (size_t i = 0; i < json_array_size(all); i++)
        if (number(json_array_get(all, i), "unknown") > 0)
            printf("%s: the expert does not know %.0f of its tasks\n",
                   json_string_value(json_object_get(json_array_get(all, i), "world")),
                   number(json_array_get(all, i), "unknown"));
}

static Status write_scores(const json_t *all, const char *folder)
{
    json_t *o = json_pack("{s:o}", "scores", json_deep_copy(all));
    for (size_t i = 0; i < json_array_size(all); i++)
        json_object_del(json_array_get(json_object_get(o, "scores"), i), "seconds");
    char *path = path_join(folder, "scores.json");
    Status st = folder_make(folder);
    if (st == ST_OK)
        st = json_file_write(path, o);
    mem_free(path);
    json_decref(o);
    return st;
}

static Status run(const Args *args, void *context)
{
    const Job *job = context;
    const char *folder = args_value(args, "output");
    if (folder)
        TRY(cmd_folder_possible(folder));
    EnvOptions options = env_place_options(&job->place);
    json_t *all = json_array();
    Status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < args->positional_n; i++) {
        const EnvKind *kind;
        Env *e;
        st = env_kind_named(&kind, span(args->positional[i]));
        if (st == ST_OK)
            st = env_open(&e, kind, &options);
        if (st == ST_OK) {
            st = play_policies(all, job, &options, e);
            env_close(e);
        }
    }
    if (st == ST_OK && folder)
        st = write_scores(all, folder);
    if (st == ST_OK && job->json)
        cmd_print_json(all, 6);
    else if (st == ST_OK)
        print_scores(all);
    json_decref(all);
    return st;
}

int env_score(int argc, char **argv)
{
    Job job = {0};
    const ArgsTable tables[] = {{&env_place_table, &job.place}, {&table, &job}};
    const Command c = {
        .usage = "WORLD... [flags]",
        .words = "WORLD...",
        .about =
            "Plays every task of a world without a model: the expert, who knows the answer, is its ceiling,\n"
            "chance its floor, and a script what one wrote down.\n"
            "example: lemur env score household sql --policy expert,random",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables)};
    return cmd_run(&c, argc, argv, run, &job);
}
