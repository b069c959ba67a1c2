/* lemur bench agent: what acting costs: sandboxes, interpreters, programs on trial, and recordings replayed.
 */
#include <string.h>

#include "agent/episode.h"
#include "base/clock.h"
#include "base/thread.h"
#include "cli/bench.h"
#include "cli/cmd.h"
#include "cli/eval_replay.h"
#include "env/python.h"
#include "eval/mark.h"
#include "eval/program.h"
#include "eval/replay_programs.h"

typedef struct {
    int64_t programs, episodes, threads, starts;
    char *data;
    bool json;
} BenchConfig;

static const Field bench_fields[] = {
    F_INT(BenchConfig, programs, 200, 1, 1e6, "trivial Python programs, each in a sandbox of its own"),
    F_INT(BenchConfig, episodes, 2000, 1, 1e7, "scripted MINT episodes of three turns; a twentieth as many with a cell"),
    F_INT(BenchConfig, threads, 2, 1, 1024, "programs and episodes at a time, and threads of the replay"),
    F_INT(BenchConfig, starts, 40, 1, 1e6, "sandboxes and Python sessions started one after the other"),
    F_STRING(BenchConfig, data, "", "replay the MINT recordings below this folder as well"),
    F_BOOL(BenchConfig, json, false, "print the result as JSON"),
};
static const FieldTable bench_table = FIELD_TABLE(bench_fields);

typedef struct {
    BenchConfig set;
    double programs_per_s, sandbox_ms, python_ms;
    double replay_s, texts_s; /* R1 to R5, R1 to R4 */
    double episodes_per_s, tool_episodes_per_s; /* without and with a Python session of one cell */
    int64_t episodes;
    int64_t failed; /* programs and episodes that did not end as they should */
    Error error;    /* of the first */
} Bench;

static Status time_sandboxes(Bench *b)
{
    double *ms = mem_array(double, b->set.starts);
    Status st = ST_OK;
    for (int64_t i = 0; st == ST_OK && i < b->set.starts; i++) {
        SandboxSpec spec = {.argv = (const char *[]){"/usr/bin/true", NULL}, .limits = sandbox_limits()};
        SandboxResult r;
        double start = clock_now();
        st = sandbox_run(&r, &spec, NULL);
        ms[i] = (clock_now() - start) * 1e3;
        if (st == ST_OK)
            sandbox_result_drop(&r);
    }
    if (st == ST_OK)
        b->sandbox_ms = bench_median(ms, b->set.starts);
    mem_free(ms);
    return st;
}

/* Until a session takes its first cell. */
static Status time_sessions(Bench *b)
{
    static const PythonSpec plain = {0};
    double *ms = mem_array(double, b->set.starts);
    Status st = ST_OK;
    for (int64_t i = 0; st == ST_OK && i < b->set.starts; i++) {
        Python *p;
        double start = clock_now();
        st = python_start(&p, &plain);
        ms[i] = (clock_now() - start) * 1e3;
        if (st == ST_OK)
            python_close(p);
    }
    if (st == ST_OK)
        b->python_ms = bench_median(ms, b->set.starts);
    mem_free(ms);
    return st;
}

static void one_program(void *context, int64_t task, int thread)
{
    (void)task, (void)thread;
    Bench *b = context;
    ProgramVerdict v = {0};
    Status st = program_test(&v, span("def f(x):\n    return x + 1"), span("assert f(1) == 2"), 0);
    if (st == ST_OK && v.end != PROGRAM_PASSED)
        st = fail(ST_IO, "a program that should pass %s: %s", program_end_names[v.end], str_c(&v.said));
    if (st != ST_OK && __atomic_fetch_add(&b->failed, 1, __ATOMIC_RELAXED) == 0)
        b->error = error_take();
    program_verdict_drop(&v);
}

static Status time_programs(Bench *b)
{
    double start = clock_now();
    thread_each(b->set.programs, (int)b->set.threads, one_program, b);
    b->programs_per_s = (double)b->set.programs / (clock_now() - start);
    return b->failed ? error_put(&b->error) : ST_OK;
}

/* Scripted episodes ---------------------------------------------------------------------------------------- */

/* Says what its place in the conversation calls for: it is shared by all episodes. */
static Status script_ask(void *self, const ChatCall *call, ChatAnswer *out)
{
    const bool *tools = self;
    size_t turn = call->messages->messages.n / 2;
    static const char *const lines[] = {"<solution>41</solution>", "<thought>once more</thought>",
                                        "<solution>42</solution>"};
    str_adds(&out->text, *tools && turn == 0 ? "<execute>print(6 * 7)</execute>" : lines[turn < 2 ? turn : 2]);
    return ST_OK;
}

static void script_close(void *self)
{
    (void)self;
}

static Status act(void *self, Span code, EpisodeOutcome *out)
{
    (void)self;
    static const PythonSpec plain = {0};
    PythonCell cell;
    Python *p;
    TRY(python_start(&p, &plain));
    Status st = python_run(p, &cell, code);
    if (st == ST_OK) {
        str_add(&out->observation, cell.text.at, cell.text.n);
        python_cell_drop(&cell);
    }
    python_close(p);
    return st;
}

static Status propose(void *self, Span solution, EpisodeOutcome *out)
{
    (void)self;
    out->none = true;
    out->solved = mark_exact(solution, span("42")) == MARK_RIGHT;
    return ST_OK;
}

typedef struct {
    Bench *b;
    ChatModel *model;
    Str opening; /* as long as MINT's are */
} Episodes;

static void one_episode(void *context, int64_t task, int thread)
{
    (void)task, (void)thread;
    Episodes *all = context;
    EpisodeSetup setup = {.model = all->model, .call = chatmodel_call(NULL), .max_steps = 5, .max_propose = 2};
    EpisodeWorld world = {all, act, propose};
    Episode e;
    Status st = episode_run(&e, &setup, &world, str_span(&all->opening));
    if (st == ST_OK && e.turns.end != TURNS_SOLVED)
        st = fail(ST_IO, "a scripted episode ended with %s", turns_end_names[e.turns.end]);
    if (st != ST_OK && __atomic_fetch_add(&all->b->failed, 1, __ATOMIC_RELAXED) == 0)
        all->b->error = error_take();
    json_decref(episode_transcript(&e, "bench", "1"));
    episode_drop(&e);
}

static Status time_episodes(Bench *b, bool tools, int64_t n, double *per_s)
{
    static const ChatModelKind kind = {script_ask, script_close};
    Episodes all = {.b = b};
    chatmodel_open(&all.model, &kind, &tools, "script");
    while (all.opening.n < 3500)
        str_adds(&all.opening, "You may use Python, and propose a solution twice. ");
    double start = clock_now();
    thread_each(n, (int)b->set.threads, one_episode, &all);
    *per_s = (double)n / (clock_now() - start);
    chatmodel_close(all.model);
    str_drop(&all.opening);
    return b->failed ? error_put(&b->error) : ST_OK;
}

/* Recordings ------------------------------------------------------------------------------------------------ */

/* What agrees is `lemur eval --replay`'s to say; here only that there was something. */
static Status replay_once(Bench *b, ReplaySpec *spec, const ReplayFiles *files, double *seconds)
{
    ReplayReport report = {0};
    double start = clock_now();
    replay_run(&report, spec, files);
    *seconds = clock_now() - start;
    b->episodes = report.episodes;
    Status st = report.unread ? fail(ST_IO, "%s", report.troubles.at[0]) : ST_OK;
    replay_report_drop(&report);
    return st;
}

static Status time_replay(Bench *b)
{
    Status st;
    ReplayFiles files = {0};
    ReplayRunners *runners = NULL;
    char *data = eval_replay_data(NULL, b->set.data);
    ReplaySpec spec = {.data = data,
                       .checks = 1 << REPLAY_R1 | 1 << REPLAY_R2 | 1 << REPLAY_R3 | 1 << REPLAY_R4 |
                                 1 << REPLAY_R4_OPTION,
                       .threads = (int)b->set.threads};
    TRY_TO(undo, replay_find(&files, b->set.data));
    TRY_TO(undo, replay_once(b, &spec, &files, &b->texts_s));
    TRY_TO(undo, replay_runners_open(&runners, spec.threads));
    spec.programs = replay_runners_programs(runners);
    spec.checks |= 1 << REPLAY_R5;
    TRY_TO(undo, replay_once(b, &spec, &files, &b->replay_s));
undo:
    replay_runners_close(runners);
    replay_files_drop(&files);
    mem_free(data);
    return st;
}

static void bench_print(const Bench *b)
{
    if (b->set.json) {
        json_t *j = json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "programs", (json_int_t)b->set.programs, "threads",
                              (json_int_t)b->set.threads, "programs_per_s", b->programs_per_s,
                              "sandbox_start_p50_ms", b->sandbox_ms, "python_start_p50_ms", b->python_ms,
                              "scripted_episodes_per_s", b->episodes_per_s, "tool_episodes_per_s",
                              b->tool_episodes_per_s);
        if (*b->set.data) {
            json_object_set_new(j, "replay_seconds", json_real(b->replay_s));
            json_object_set_new(j, "replay_texts_seconds", json_real(b->texts_s));
            json_object_set_new(j, "replay_episodes", json_integer(b->episodes));
        }
        cmd_print_json(j, 6);
        json_decref(j);
        return;
    }
    printf("a sandbox, start to end          %8.1f ms (median of %lld)\n", b->sandbox_ms,
           (long long)b->set.starts);
    printf("a Python session, start to ready %8.1f ms\n", b->python_ms);
    printf("programs on trial                %8.1f a second, %lld at a time, each with a sandbox and an "
           "interpreter\n",
           b->programs_per_s, (long long)b->set.threads);
    printf("scripted MINT episodes           %8.0f a second, three turns each; %.1f with a Python session in them\n",
           b->episodes_per_s, b->tool_episodes_per_s);
    if (*b->set.data)
        printf("%lld episodes replayed           %8.2f s without cells (R1 to R5), %.2f s without programs "
               "(R1 to R4)\n",
               (long long)b->episodes, b->replay_s, b->texts_s);
}

static Status run(const Args *args, void *context)
{
    (void)args;
    Bench *b = context;
    TRY(time_sandboxes(b));
    TRY(time_sessions(b));
    TRY(time_programs(b));
    TRY(time_episodes(b, false, b->set.episodes, &b->episodes_per_s));
    TRY(time_episodes(b, true, b->set.episodes / 20 + 1, &b->tool_episodes_per_s));
    if (*b->set.data)
        TRY(time_replay(b));
    bench_print(b);
    return ST_OK;
}

int bench_agent(int argc, char **argv)
{
    Bench b = {0};
    const ArgsTable tables[] = {{&bench_table, &b.set}};
    const Command command = {
        .usage = "[flags]",
        .about =
            "Times what acting costs: a sandbox, a Python session, programs with tests (each in a sandbox "
            "and\n"
            "an interpreter of its own), scripted episodes, and with --data the MINT recordings there, without\n"
            "their cells.\n"
            "example: lemur bench agent --data data --json",
        COMMAND_TABLES(tables),
    };
    return cmd_run(&command, argc, argv, run, &b);
}
