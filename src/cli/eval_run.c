#include "cli/eval_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/hints.h"
#include "base/array.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/chatmodel_open.h"
#include "cli/cmd.h"
#include "cli/eval_curve.h"
#include "cli/eval_tasks.h"
#include "cli/model_hash.h"
#include "cli/eval_wikipedia.h"
#include "cli/stop_signal.h"
#include "eval/results.h"
#include "eval/runner.h"

typedef struct {
    int64_t limit, parallel, seed, draw_seed, shots, samples, max_tokens, proposals, episode_tokens;
    double temperature, top_p, program_seconds, episode_seconds;
    bool feedback_gold, observations, empty_system, admissible, likelihood;
    char *fold, *steps, *rule, *actions, *feedback, *wikipedia, *data, *sql_server, *sql_databases;
} EvalConfig;

static const char *const rule_names[] = {"legacy", "current", NULL};
static const char *const action_names[] = {"tags", "fences", NULL};
static const char *const feedback_names[] = {"text", "binary", NULL};
static const char *const sql_names[] = {"any", "dump", "spider", NULL}; /* SqlFrom */
static const Field eval_fields[] = {
    F_STRING(EvalConfig, data, "data", "the folder of the benchmarks' data; --list says what belongs there"),
    F_INT(EvalConfig, limit, 0, 0, 1e9, "questions of each benchmark, drawn by the seed; 0: all"),
    F_INT(EvalConfig, parallel, 4, 1, 1024, "questions at once"),
    F_INT(EvalConfig, seed, 0, 0, 9e18, "of sampling, and of drawing questions"),
    F_STRING(EvalConfig, fold, "", "only a part of the questions, always the same ones: 2/5, or 3-5/5"),
    F_INT(EvalConfig, draw_seed, 0, 0, 9e18, "of drawing questions alone; 0: --seed"),
    F_INT(EvalConfig, shots, -1, -1, 100, "examples in front of each question; -1: as the benchmark has it"),
    F_INT(EvalConfig, samples, -1, -1, 10000, "answers to each question, for pass@k; -1: as the benchmark has it"),
    F_INT(EvalConfig, max_tokens, -1, -1, 1e7, "of an answer; -1: as the benchmark has it"),
    F_FLOAT(EvalConfig, temperature, -1, -1, 100, "0: always the most likely token; -1: as the benchmark has it"),
    F_FLOAT(EvalConfig, top_p, -1, -1, 1, "sample among the fewest tokens that reach this probability; -1: among all"),
    F_FLOAT(EvalConfig, program_seconds, -1, -1, 86400, "a graded program's time; -1: as the benchmark has it"),
    F_STRING(EvalConfig, steps, "-1", "of an episode; 1-5: a run for each, and the curve of success by steps; -1: as "
                                      "the benchmark has it"),
    F_INT(EvalConfig, proposals, -1, -1, 1000, "solutions in an episode; -1: two, or one where there is one step"),
    F_INT(EvalConfig, episode_tokens, 0, 0, 1e9, "tokens that an episode's answers may take; 0: no limit"),
    F_FLOAT(EvalConfig, episode_seconds, 0, 0, 1e9, "that an episode may take; 0: no limit"),
    F_CHOICE(EvalConfig, rule, "legacy", rule_names, "of MINT's marks: the recorded runs', or mint-bench's today"),
    F_CHOICE(EvalConfig, actions, "tags", action_names, "how code is marked: <execute> tags, or ```python fences"),
    F_CHOICE(EvalConfig, feedback, "text", feedback_names, "what --feedback-model says: words, or good and bad"),
    F_BOOL(EvalConfig, feedback_gold, false, "the feedback's model is shown the right solution"),
    F_BOOL(EvalConfig, observations, true, "episodes tell what came of each action; without, only that the task is "
                                           "not solved yet"),
    F_BOOL(EvalConfig, empty_system, false, "episodes begin with an empty system message, as in Lemur's runs"),
    F_BOOL(EvalConfig, admissible, false, "alfworld's model is told at each turn which commands do something"),
    F_BOOL(EvalConfig, likelihood, false, "multiple choice by likelihood; needs a model that runs here"),
    F_STRING(EvalConfig, wikipedia, "live", "what wikipedia_search asks: live, an index's file (--index), "
                                            "recording:FILE, record:FILE (live, and kept), none"),
    F_STRING(EvalConfig, sql_server, "", "ic_sql on a server: auto (a MariaDB of our own), mysql://USER[:PASSWORD]@HOST, "
                                         "a socket; SQLite where not given"),
    F_CHOICE(EvalConfig, sql_databases, "any", sql_names, "ic_sql's: of InterCode's dump, Spider's .sqlite files, or the "
                                                          "first that is there"),
};
static const FieldTable eval_table = FIELD_TABLE(eval_fields);

static const Flag flags[] = {
    {"model", 'm', "MODEL", "model folder, run, GGUF file; http(s)://SERVER; script:FILE"},
    {"tasks", 't', "NAMES", "benchmarks and groups of them, with commas between; --list shows them"},
    {"output", 'o', "DIR", "the run's folder (eval-MODEL); the same again goes on where it stopped"},
    {"feedback-model", 0, "MODEL", "comments on each step of MINT's episodes, as its GPT-4; as for -m.  Or hints:FILE: "
                                   "an expert who hints, in all episodes"},
    {"restart", 0, NULL, "throw away what the folder holds of an earlier run"},
    {"json", 0, NULL, "results.json on stdout instead of a table"},
};

typedef struct {
    EvalConfig config;
    ChatModelConfig model, feedback;
    const volatile sig_atomic_t *stop;
    TaskList tasks;
    ChatModelOpened answers, comments;
    Hints *hints;
    json_t *hints_identity;
    Wikipedia *wikipedia;
    char *folder;
    int64_t first_steps, last_steps;
    Fold fold;
} Job;

static bool stopped(void *context)
{
    const Job *job = context;
    return *job->stop != 0;
}

/* Words. ------------------------------------------------------------------------------------------------- */

/* "5" or "1-5"; "-1" is each benchmark's own number. */
static Status read_steps(Job *job)
{
    job->first_steps = job->last_steps = -1;
    if (strcmp(job->config.steps, "-1") == 0)
        return ST_OK;
    char *words = mem_str(job->config.steps), *dash = strchr(words, '-');
    if (dash)
        *dash = 0;
    Status st = parse_int(&job->first_steps, words);
    job->last_steps = job->first_steps;
    if (st == ST_OK && dash)
        st = parse_int(&job->last_steps, dash + 1);
    mem_free(words);
    if (st != ST_OK || job->first_steps < 1 || job->last_steps < job->first_steps || job->last_steps > 1000)
        return fail(ST_ARG, "--steps %s: write a number such as 5, or a range such as 1-5", job->config.steps);
    return ST_OK;
}

/* eval-NAME below the current folder: a server's host and model, else what the path ends in. */
static char *default_folder(const char *model, const char *server_model)
{
    const char *host = strstr(model, "://");
    char *name = mem_str(host ? host + 3 : strncmp(model, "script:", 7) == 0 ? model + 7 : model);
    size_t n = host ? strcspn(name, "/") : strlen(name);
    while (n > 1 && name[n - 1] == '/')
        n--;
    name[n] = 0;
    bool named = host && server_model && server_model[0];
    char *folder = mem_format("eval-%s%s%s", path_base(name), named ? "-" : "", named ? server_model : "");
    for (char *c = folder; *c; c++)
        if (*c == '/' || *c == ':')
            *c = '-';
    mem_free(name);
    return folder;
}

static int sql_from(const char *name)
{
    int i = 0;
    while (sql_names[i] && strcmp(sql_names[i], name) != 0)
        i++;
    return i;
}

static EvalSettings settings_of(const EvalConfig *c, int64_t steps)
{
    return (EvalSettings){
        .shots = c->shots,
        .samples = c->samples,
        .max_tokens = c->max_tokens,
        .steps = steps,
        .proposals = c->proposals,
        .temperature = c->temperature,
        .top_p = c->top_p,
        .seed = c->seed,
        .program_seconds = c->program_seconds,
        .episode_tokens = c->episode_tokens,
        .episode_seconds = c->episode_seconds,
        .rule = strcmp(c->rule, "current") == 0 ? MARK_CURRENT : MARK_LEGACY,
        .actions = strcmp(c->actions, "fences") == 0 ? ACTION_FENCES : ACTION_TAGS,
        .feedback_gold = c->feedback_gold,
        .feedback_binary = strcmp(c->feedback, "binary") == 0,
        .empty_system = c->empty_system,
        .no_observations = !c->observations,
        .admissible = c->admissible,
        .likelihood = c->likelihood,
        .sql_server = c->sql_server[0] ? c->sql_server : NULL,
        .sql_from = sql_from(c->sql_databases),
    };
}

/* Who answers and what was asked; places, and what changes no result, are left out. */
static json_t *identity_of(const Job *job, int64_t steps)
{
    json_t *settings = config_to_json(&eval_table, &job->config), *o = json_object();
    json_object_del(settings, "parallel");
    json_object_del(settings, "data");
    json_object_del(settings, "sql_server"); /* may hold a password; ic_sql's facts say which it was */
    json_object_del(settings, "sql_databases");
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)steps);
    json_object_set_new(settings, "steps", json_string(number));
    json_object_set_new(o, "lemur_version", json_string(LEMUR_VERSION));
    json_object_set(o, "model", job->answers.identity);
    if (job->comments.chat || job->hints)
        json_object_set(o, "feedback_model", job->hints ? job->hints_identity : job->comments.identity);
    json_object_set_new(o, "settings", settings);
    return o;
}

/* One run. ----------------------------------------------------------------------------------------------- */

/* What none of the benchmarks has a use for would be without effect. */
static Status check_taken(const Job *job, bool given, unsigned takes, const char *flag)
{
    bool taken = !given;
    for (size_t i = 0; i < job->tasks.n; i++)
        taken = taken || (job->tasks.at[i]->takes & takes);
    return taken ? ST_OK : fail(ST_ARG, "--%s means nothing for %s%s", flag, job->tasks.at[0]->name,
                                job->tasks.n > 1 ? " and the others" : "");
}

static Status check_needs(const Job *job)
{
    TRY(check_taken(job, job->config.shots > 0, TAKES_SHOTS, "shots"));
    TRY(check_taken(job, job->config.samples > 1, TAKES_SAMPLES, "samples"));
    for (size_t i = 0; i < job->tasks.n; i++) {
        const Benchmark *b = job->tasks.at[i];
        if ((b->needs & NEEDS_LIKELIHOOD) && !job->answers.engine)
            return fail(ST_ARG, "%s needs likelihoods, which only a model that runs here gives: name a folder or "
                                "GGUF file with -m", b->name);
    }
    if (job->config.likelihood && !job->answers.engine)
        return fail(ST_ARG, "--likelihood needs a model that runs here: name a folder or GGUF file with -m");
    return ST_OK;
}

static Status run_once(Job *job, const Args *args, const char *folder, int64_t steps)
{
    EvalSettings settings = settings_of(&job->config, steps);
    json_t *identity = identity_of(job, steps);
    const char *template = json_string_value(json_object_get(job->answers.identity, "template"));
    RunnerReport report = {0};
    RunnerSpec spec = {.folder = folder,
                       .chosen = job->tasks.at,
                       .chosen_n = job->tasks.n,
                       .run = {.data = job->config.data,
                               .settings = &settings,
                               .models = {.chat = job->answers.chat,
                                          .feedback = job->comments.chat,
                                          .hints = job->hints,
                                          .engine = job->answers.engine,
                                          .tokenizer = job->answers.tokenizer,
                                          .plain = template && strcmp(template, "plain") == 0},
                               .wikipedia = job->wikipedia,
                               .stopped = stopped,
                               .stopped_context = job},
                       .fold = job->fold,
                       .limit = job->config.limit,
                       .draw_seed = (uint64_t)job->config.draw_seed,
                       .parallel = (int)job->config.parallel,
                       .restart = args_has(args, "restart"),
                       .identity = identity};
    Status st = runner_run(&report, &spec);
    if (st == ST_OK && report.before)
        log_info("%lld of %lld questions were answered before", (long long)report.before,
                 (long long)report.asked);
    json_decref(identity);
    return st;
}

static Status read_results(json_t **out, const char *folder)
{
    char *path = path_join(folder, "results.json");
    Status st = json_file_read(out, path);
    mem_free(path);
    return st;
}

static Status show(const Job *job, const Args *args)
{
    json_t *results;
    TRY(read_results(&results, job->folder));
    if (args_has(args, "json"))
        cmd_print_json(results, 0);
    else
        results_print(stdout, results);
    json_decref(results);
    if (!args_has(args, "json"))
        log_info("%s holds results.json, and every answer in samples_*.jsonl", job->folder);
    return ST_OK;
}

/* A run for each number of steps, in folders of their own, and the curve over them. */
static Status run_curve(Job *job, const Args *args)
{
    Curve curve = {0};
    Status st = ST_OK;
    for (int64_t k = job->first_steps; k <= job->last_steps && st == ST_OK; k++) {
        char *folder = mem_format("%s/steps_%lld", job->folder, (long long)k);
        json_t *results;
        log_info("episodes of %lld step%s", (long long)k, k == 1 ? "" : "s");
        st = run_once(job, args, folder, k);
        if (st == ST_OK)
            st = read_results(&results, folder);
        if (st == ST_OK) {
            curve_add(&curve, k, results);
            json_decref(results);
        }
        mem_free(folder);
    }
    if (st == ST_OK)
        st = curve_write(&curve, job->folder);
    if (st == ST_OK && args_has(args, "json"))
        cmd_print_json(curve.json, 0);
    else if (st == ST_OK)
        curve_print(stdout, &curve);
    curve_drop(&curve);
    return st;
}

/* What would be without effect is refused. */
static Status refuse_with_hints(const Job *job)
{
    const ChatModelConfig *c = &job->feedback;
    const char *const texts[] = {c->server_model, c->key_variable, c->max_tokens_key, c->template, c->adapter, c->record};
    const char *const names[] = {"server-model", "key-variable", "max-tokens-key", "template", "adapter", "record"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i] && texts[i][0])
            return fail(ST_ARG, "hints are from a file, for which --feedback-%s means nothing", names[i]);
    if (job->config.feedback_gold)
        return fail(ST_ARG, "hints never give the solution away, so --feedback-gold means nothing for them");
    if (strcmp(job->config.feedback, "text") != 0)
        return fail(ST_ARG, "hints are words, so --feedback %s means nothing for them", job->config.feedback);
    return ST_OK;
}

/* {"kind": "hints", "path", "hash"} says who gave feedback, as chatmodel_open.h has it of models. */
static Status open_hints(Job *job, const char *path)
{
    char text[17];
    TRY(refuse_with_hints(job));
    TRY(hints_open(&job->hints, path));
    TRY(model_hash_text(text, path));
    job->hints_identity =
        json_pack("{s:s, s:o, s:s}", "kind", "hints", "path", json_text(span(path)), "hash", text);
    return ST_OK;
}

static Status open_feedback(Job *job, const char *name)
{
    static const char hints[] = "hints:";
    if (span_starts(span(name), hints))
        return open_hints(job, name + strlen(hints));
    return chatmodel_open_named(&job->comments, name, &job->feedback, (int)job->config.parallel);
}

static Status open_models(Job *job, const Args *args)
{
    const char *model = args_value(args, "model"), *feedback = args_value(args, "feedback-model");
    if (!model)
        return fail(ST_ARG, "which model? -m names its folder or GGUF file, a server (http://localhost:8080), or "
                            "a recording (script:FILE)");
    if (!args_value(args, "tasks"))
        return fail(ST_ARG, "which benchmarks? --tasks names them; lemur eval --list shows them");
    TRY(read_steps(job));
    Status st = fold_read(&job->fold, job->config.fold);
    if (st != ST_OK)
        return fail_in(st, "--fold");
    TRY(task_list_read(&job->tasks, args_value(args, "tasks")));
    const char *folder = args_value(args, "output");
    job->folder = folder ? mem_str(folder) : default_folder(model, job->model.server_model);
    TRY(chatmodel_open_named(&job->answers, model, &job->model, (int)job->config.parallel));
    if (feedback)
        TRY(open_feedback(job, feedback));
    TRY(check_needs(job));
    st = eval_wikipedia_open(&job->wikipedia, job->config.wikipedia, stopped, job);
    return st == ST_OK ? ST_OK : fail_in(st, "--wikipedia %s", job->config.wikipedia);
}

static Status run(const Args *args, void *context)
{
    Job *job = context;
    job->stop = stop_signal_watch();
    Status st = open_models(job, args);
    if (st == ST_OK && job->first_steps != job->last_steps) {
        st = run_curve(job, args);
    } else if (st == ST_OK) {
        st = run_once(job, args, job->folder, job->first_steps);
        if (st == ST_OK)
            st = show(job, args);
    }
    if (job->hints && st == ST_OK)
        hints_report(job->hints);
    wikipedia_close(job->wikipedia);
    hints_close(job->hints);
    json_decref(job->hints_identity);
    chatmodel_close_opened(&job->comments);
    chatmodel_close_opened(&job->answers);
    task_list_drop(&job->tasks);
    mem_free(job->folder);
    return st;
}

int eval_run(int argc, char **argv)
{
    Job job = {0};
    ChatModelTable feedback;
    chatmodel_table_prefixed(&feedback, "feedback");
    const ArgsTable tables[] = {
        {&eval_table, &job.config}, {&chatmodel_table, &job.model}, {&feedback.table, &job.feedback}};
    const Command c = {
        .usage = "-m MODEL --tasks NAMES [--data DIR] [-o DIR] [flags]",
        .about = "Puts benchmarks to a model and says how it did.  What the model's programs do, they do in a\n"
                 "sandbox without network.  A run that was stopped goes on when the same command is given again.\n"
                 "\n"
                 "    lemur eval -m model.gguf --tasks mint_gsm8k,humaneval --data data -o results\n"
                 "    lemur eval -m https://api.openai.com --server-model gpt-4 --tasks mint --steps 1-5\n"
                 "\n"
                 "Beside that, each with a --help of its own:\n"
                 "    lemur eval --list [NAME...]          the benchmarks, and what each needs\n"
                 "    lemur eval --fetch NAME...           their published data\n"
                 "    lemur eval --replay DIR              recorded runs through our loop and marks\n"
                 "    lemur eval --compare RUN RUN         is one better than the other?\n"
                 "    lemur eval --index DUMP -o FILE      articles, for wikipedia_search without network",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables),
    };
    int code = cmd_run(&c, argc, argv, run, &job);
    chatmodel_table_drop(&feedback);
    return code;
}
