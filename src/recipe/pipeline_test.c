/* Pipelines of a script that stands for lemur: it counts its runs, copies its settings, fails and sleeps as
 * told. */
#include "recipe/pipeline.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/json_file.h"
#include "base/log.h"
#include "base/scratch_test.h"

/* "copy OUT SETTINGS FROM...": OUT/text is the settings and what the others have; "slow OUT [--resume]" takes
 * three short pauses and keeps how far it is; "fail OUT"; "meet OUT NAME OTHERS..." waits for stages of these
 * names, at most ten seconds; "alone OUT" fails beside its like; "parts OUT" takes its
 * time, "late OUT FROM" reads them in the end; "leave OUT" leaves a child running; "shield OUT" does not end when
 * asked. */
static const char script[] =
    "#!/bin/sh\n"
    "verb=$1 out=$2 home=${0%/*}\n"
    "mkdir -p \"$out\"\n"
    "case $verb in\n"
    "shield) trap '' TERM ;;\n"
    "slow) trap 'exit 130' TERM; echo \"begun $3\" >> \"$out/begun\" ;;\n"
    "esac\n"
    "echo \"$verb\" >> \"$home/runs\"\n" /* from here on it may be stopped */
    "case $verb in\n"
    "copy) shift 2; cat \"$@\" > \"$out/text\"; date +%s%N > \"$out/log\"; echo copied ;;\n"
    "slow) n=$(cat \"$out/text\" 2> /dev/null || echo 0)\n"
    "    while [ $n -lt 3 ]; do sleep 0.2; n=$((n + 1)); echo $n > \"$out/text\"; done ;;\n"
    "meet) shift 2; touch \"$home/is-$1\"\n"
    "    for other; do\n"
    "        case $other in */*) continue ;; esac\n"
    "        n=0; while [ ! -e \"$home/is-$other\" ]; do sleep 0.05; n=$((n + 1)); [ $n -lt 200 ] || exit 1; done\n"
    "    done; echo met > \"$out/text\" ;;\n"
    "alone) mkdir \"$home/alone\" || exit 1; sleep 0.3; rmdir \"$home/alone\"; echo done > \"$out/text\" ;;\n"
    "parts) for i in 1 2 3; do echo $i > \"$out/p$i\"; sleep 0.15; done; cat \"$out\"/p* > \"$out/text\" ;;\n"
    "late) sleep 0.4; cat \"$3\"/p* > \"$out/text\" ;;\n"
    "leave) sleep 20 & echo left > \"$out/text\" ;;\n"
    "shield) sleep 0.4; echo well > \"$out/text\" ;;\n"
    "fail) [ -e \"$home/mended\" ] || { echo broken >&2; exit 3; }; echo well > \"$out/text\" ;;\n"
    "esac\n";

static const char *const text_alone[] = {"text", NULL};

/* "copy" has no forecast.  "slow" says what is in its settings, makes as many bytes as the stage that it
 * reads and one more, and refuses a word. */
static Status forecast_slow(RecipeForecast *out, const RecipeAsk *ask)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < ask->words_n; i++) {
        if (strcmp(ask->words[i], "--wrong") == 0)
            return (fail)(ST_ARG, "there is no flag --wrong");
        if (strcmp(ask->words[i], "--unknown") == 0)
            return (fail)(ST_IO, "who knows");
        bytes += json_integer_value(json_object_get(recipe_facts(ask, ask->words[i]), "bytes"));
    }
    out->facts = json_pack("{s:I}", "bytes", (json_int_t)bytes + 1);
    out->from = FORECAST_COMPUTED;
    out->seconds = (double)bytes + 1;
    out->memory_least = json_integer_value(json_object_get(ask->settings, "memory"));
    out->disk = json_integer_value(json_object_get(ask->settings, "disk"));
    return ST_OK;
}

static const RecipeVerb verbs[] = {{"copy", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"slow", 1, RESUME_FLAG, false, text_alone, NULL, forecast_slow},
                                   {"fail", 1, RESUME_SAME, false, text_alone, NULL, NULL},
                                   {"meet", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"parts", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"late", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"leave", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"shield", 1, RESUME_ANEW, false, text_alone, NULL, NULL},
                                   {"alone", 1, RESUME_ANEW, false, text_alone, NULL, NULL}};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static pid_t test; /* this process; a child that runs beside it has a recipe and a folder of its own */

static int make_scripts(void **state)
{
    int rc = scratch_make(state);
    log_level_set(LOG_ERROR);
    test = getpid();
    scratch_text("lemur", script);
    chmod(in_scratch("lemur"), 0755);
    return rc;
}

/* Times it was run, since the last question. */
static int runs(void)
{
    int n = 0;
    if (path_exists(in_scratch("runs"))) {
        Str text = scratch_read("runs");
        for (size_t i = 0; i < text.n; i++)
            n += text.at[i] == '\n';
        str_drop(&text);
        unlink(in_scratch("runs"));
    }
    return n;
}

typedef struct {
    const char *set, *from, *only;
    const char *folder; /* in the scratch folder; NULL: run */
    int jobs;
    bool (*stopped)(void *context);
    void (*look)(const Pipeline *p); /* instead of running it */
} How;

/* Reads the recipe anew and runs it; leaves what it says, and in `states` ("dht") how the stages ended. */
static Status run(const char *text, How how, char *states)
{
    Recipe r;
    Pipeline *p;
    char *whole = mem_format("store: %s\n%s", in_scratch("store"), text);
    const char *recipe = getpid() == test ? "r.yaml" : "other.yaml", *own = getpid() == test ? "run" : "run2";
    scratch_text(recipe, whole);
    mem_free(whole);
    must(recipe_read(&r, in_scratch(recipe), &how.set, how.set != NULL));
    char *folder = mem_str(in_scratch(how.folder ? how.folder : own)), *lemur = mem_str(in_scratch("lemur"));
    PipelineSpec spec = {.recipe = &r,
                         .verbs = {verbs, VERBS},
                         .lemur = lemur,
                         .folder = folder,
                         .from = how.from,
                         .only = how.only,
                         .quiet = true,
                         .jobs = how.jobs,
                         .stopped = how.stopped};
    Status st = pipeline_open(&p, &spec);
    if (st == ST_OK) {
        if (how.look)
            how.look(p);
        else
            st = pipeline_run(p);
        for (size_t i = 0; states && i < r.stages.n; i++)
            states[i] = "thd"[pipeline_stages(p)[i].state];
        pipeline_close(p);
    }
    mem_free(folder);
    mem_free(lemur);
    recipe_drop(&r);
    return st;
}

/* a -> b -> d, a -> c */
static const char four[] = "vars: {x: 1, y: 1, z: 1}\n"
                           "stages:\n"
                           "  a: {run: \"copy {out} {recipe}\", settings: {x: \"{x}\"}}\n"
                           "  b: {run: \"copy {out} {recipe} {a}/text\", settings: {y: \"{y}\"}}\n"
                           "  c: {run: \"copy {out} {recipe} {a}/text\", settings: {z: \"{z}\"}}\n"
                           "  d: {run: \"copy {out} {b}/text\"}\n";

static void only_what_depends_is_done_again(void **state)
{
    (void)state;
    must(run(four, (How){0}, NULL));
    assert_int_equal(runs(), 4);
    must(run(four, (How){0}, NULL));
    assert_int_equal(runs(), 0);
    must(run(four, (How){.set = "y=2"}, NULL)); /* b and d */
    assert_int_equal(runs(), 2);
    Str d = scratch_read("run/d/text");
    assert_non_null(strstr(str_c(&d), "\"y\": 2"));
    assert_non_null(strstr(str_c(&d), "\"x\": 1"));
    str_drop(&d);
    must(run(four, (How){.set = "z=2"}, NULL)); /* c */
    assert_int_equal(runs(), 1);
    must(run(four, (How){.set = "x=2"}, NULL)); /* all */
    assert_int_equal(runs(), 4);
    must(run(four, (How){0}, NULL)); /* the first ones are still in the store */
    assert_int_equal(runs(), 0);
}

static void names_are_no_part_of_keys(void **state)
{
    (void)state;
    must(run("stages:\n  first: {run: \"copy {out} {recipe}\", settings: {x: 1}}\n", (How){0}, NULL));
    assert_int_equal(runs(), 0); /* as `a` above */
}

static void files_outside_count(void **state)
{
    (void)state;
    char *text = mem_format("stages:\n  a: {run: \"copy {out} %s\", inputs: [\"%s\"]}\n", in_scratch("in/x"),
                            in_scratch("in/*"));
    scratch_text("in/x", "one");
    must(run(text, (How){0}, NULL));
    assert_int_equal(runs(), 1);
    scratch_text("in/x", "two");
    must(run(text, (How){0}, NULL));
    assert_int_equal(runs(), 1);
    scratch_text("in/y", "another");
    must(run(text, (How){0}, NULL));
    assert_int_equal(runs(), 1);
    scratch_text("in/x", "two"); /* written anew, and the same */
    must(run(text, (How){0}, NULL));
    assert_int_equal(runs(), 0);
    must(folder_remove(in_scratch("in")));
    assert_int_equal(run(text, (How){0}, NULL), ST_IO);
    expect_words("no file matches");
    mem_free(text);
}

static void what_failed_goes_on(void **state)
{
    (void)state;
    char states[3] = "";
    static const char text[] = "stages:\n"
                               "  a: {run: \"copy {out} {recipe}\", settings: {q: 5}}\n"
                               "  f: {run: \"fail {out} {a}\"}\n"
                               "  z: {run: \"copy {out} {f}/text\"}\n";
    assert_int_equal(run(text, (How){0}, states), ST_IO);
    expect_words("stage f failed with exit status 3");
    expect_words("log.txt");
    assert_memory_equal(states, "dht", 2);
    assert_int_equal(states[2], 't');
    assert_int_equal(runs(), 2);
    assert_int_equal(run(text, (How){.only = "z"}, NULL), ST_ARG);
    expect_words("stage f, which it reads, is half done");
    scratch_text("mended", "");
    must(run(text, (How){.only = "f"}, states));
    assert_int_equal(runs(), 1);
    must(run(text, (How){0}, states));
    assert_memory_equal(states, "ddd", 3);
    assert_int_equal(runs(), 1);
}

static void look_at_nothing(const Pipeline *p)
{
    (void)p;
}

static void one_is_done_once_more(void **state)
{
    (void)state;
    must(run(four, (How){.from = "b"}, NULL)); /* b and d */
    assert_int_equal(runs(), 2);
    must(run(four, (How){0}, NULL));
    assert_int_equal(runs(), 0);
    assert_int_equal(run(four, (How){.from = "e"}, NULL), ST_ARG);
    expect_words("there is no stage 'e'");
}

/* Forty layers of two stages, each of which reads both of the layer before: more ways than can be walked. */
static void stages_with_many_ways_between_them(void **state)
{
    (void)state;
    Str text = {0};
    char states[83];
    str_adds(&text, "stages:\n  a0: {run: \"copy {out} a\"}\n  b0: {run: \"copy {out} b\"}\n");
    for (int i = 1; i <= 40; i++)
        str_addf(&text,
                 "  a%d: {run: \"copy {out} {a%d} {b%d}\"}\n  b%d: {run: \"copy {out} {b%d} {a%d} b\"}\n", i,
                 i - 1, i - 1, i, i - 1, i - 1);
    must(run(str_c(&text), (How){.from = "b40", .look = look_at_nothing}, states));
    str_drop(&text);
}

/* Stopping. ---------------------------------------------------------------------------------------------- */

static const char slow[] = "stages:\n  s: {run: \"slow {out}\"}\n  t: {run: \"copy {out} {s}/text\"}\n";

static bool after_a_step(void *context)
{
    (void)context;
    return path_exists(in_scratch("runs"));
}

static void stopped_stages_go_on(void **state)
{
    (void)state;
    char states[2] = "";
    assert_int_equal(run(slow, (How){.stopped = after_a_step}, states), ST_CANCELLED);
    expect_words("the same command goes on");
    assert_int_equal(states[0], 'h');
    assert_int_equal(runs(), 1);
    must(run(slow, (How){0}, states));
    Str t = scratch_read("run/t/text");
    assert_string_equal(str_c(&t), "3\n");
    str_drop(&t);
    t = scratch_read("run/s/begun"); /* nothing was thrown away */
    assert_string_equal(str_c(&t), "begun \nbegun --resume\n");
    str_drop(&t);
    runs();
}

/* Stopped among stages that are done once more: those behind are still to be done, and asked for once more
 * what is half done does not go on. */
static void once_more_is_not_forgotten(void **state)
{
    (void)state;
    char states[2] = "";
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run(slow, (How){.from = "s", .stopped = after_a_step}, states), ST_CANCELLED);
        expect_words("the same command without --from goes on");
        assert_memory_equal(states, "ht", 2);
        assert_int_equal(runs(), 1);
    }
    must(run(slow, (How){0}, states));
    assert_memory_equal(states, "dd", 2);
    assert_int_equal(runs(), 2);
    Str s = scratch_read("run/s/begun");
    assert_string_equal(str_c(&s), "begun \nbegun --resume\n");
    str_drop(&s);
}

/* Killed at any moment, the stage is half done, and the next run ends in the same bytes. */
static void killed_runs_go_on(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            (void)!run("vars: {k: 1}\nstages:\n  s: {run: \"slow {out}\", settings: {k: \"{k}\"}}\n",
                       (How){0}, NULL);
            _exit(0);
        }
        usleep((unsigned)(30000 + 70000 * i));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    must(run("vars: {k: 1}\nstages:\n  s: {run: \"slow {out}\", settings: {k: \"{k}\"}}\n", (How){0}, NULL));
    Str s = scratch_read("run/s/text");
    assert_string_equal(str_c(&s), "3\n");
    str_drop(&s);
    runs();
}

/* Two at a time: one makes it, the other waits and finds it. */
static void two_runs_share_a_store(void **state)
{
    (void)state;
    static const char text[] = "stages:\n  s: {run: \"slow {out}\", settings: {w: 1}}\n";
    pid_t pid = fork();
    if (pid == 0)
        _exit(run(text, (How){0}, NULL) == ST_OK ? 0 : 1);
    usleep(150000);
    must(run(text, (How){0}, NULL));
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(runs(), 1);
}

static double begun_at;

static bool after_a_while(void *context)
{
    (void)context;
    begun_at = begun_at > 0 ? begun_at : clock_now();
    return clock_now() - begun_at > 5;
}

/* Several at a time. ------------------------------------------------------------------------------------- */

static void stages_are_done_side_by_side(void **state)
{
    (void)state;
    static const char text[] = "stages:\n"
                               "  a: {run: \"meet {out} a b\"}\n"
                               "  b: {run: \"meet {out} b a\"}\n"
                               "  c: {run: \"meet {out} c {a} {b}\"}\n";
    must(run(text, (How){.jobs = 2}, NULL));
    assert_int_equal(runs(), 3);
    Str c = scratch_read("run/c/text");
    assert_string_equal(str_c(&c), "met\n");
    str_drop(&c);
    json_t *lock;
    must(json_file_read(&lock, in_scratch("run/lock.json")));
    const json_t *made = json_object_get(json_object_get(lock, "stages"), "a");
    assert_true(json_number_value(json_object_get(made, "share")) == 0.5);
    json_decref(lock);
    must(run(text, (How){.jobs = 2}, NULL));
    assert_int_equal(runs(), 0);
}

/* What another run has in hand is left out, and the rest is done meanwhile: here both need each other. */
static void runs_do_not_wait_for_each_other(void **state)
{
    (void)state;
    static const char text[] = "stages:\n"
                               "  d: {run: \"meet {out} d e\"}\n"
                               "  e: {run: \"meet {out} e d\"}\n"
                               "  f: {run: \"meet {out} f {d} {e}\"}\n";
    char states[3] = "";
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(run(text, (How){0}, NULL) == ST_OK ? 0 : 1);
    must(run(text, (How){0}, states));
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_memory_equal(states, "ddd", 3);
    assert_int_equal(runs(), 3);
}

/* Nothing more is begun, and what is under way is not lost. */
static void one_that_fails_leaves_the_others_their_end(void **state)
{
    (void)state;
    static const char text[] = "stages:\n"
                               "  x: {run: \"fail {out} many\"}\n"
                               "  y: {run: \"slow {out} many\"}\n"
                               "  z: {run: \"copy {out} many\"}\n";
    char states[3] = "";
    unlink(in_scratch("mended"));
    assert_int_equal(run(text, (How){.jobs = 2}, states), ST_IO);
    expect_words("stage x failed with exit status 3");
    assert_memory_equal(states, "hdt", 3);
    assert_int_equal(runs(), 2);
}

/* What a stage reads is not made anew under its hands: the other run waits, and so does the stage where it comes
 * second. */
static void what_is_read_stays_as_it_is(void **state)
{
    (void)state;
    static const char reads[] = "stages:\n"
                                "  m: {run: \"parts {out}\"}\n"
                                "  r: {run: \"late {out} {m}\", settings: {r: 1}}\n",
                      again[] = "stages:\n"
                                "  m: {run: \"parts {out}\"}\n"
                                "  r: {run: \"late {out} {m}\", settings: {r: 2}}\n";
    int status;
    must(run("stages:\n  m: {run: \"parts {out}\"}\n", (How){0}, NULL));
    pid_t pid = fork();
    if (pid == 0)
        _exit(run(reads, (How){0}, NULL) == ST_OK ? 0 : 1);
    usleep(150000);
    must(run(again, (How){.from = "m"}, NULL));
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    for (int i = 0; i < 2; i++) {
        Str r = scratch_read(i ? "run/r/text" : "run2/r/text");
        assert_string_equal(str_c(&r), "1\n2\n3\n");
        str_drop(&r);
    }
    assert_int_equal(runs(), 4);
}

/* As another run does that is then stopped. */
static bool forgets_what_is_read(void *context)
{
    static bool forgotten;
    (void)context;
    if (!forgotten)
        scratch_text("run/m/../stage.json", "{}");
    forgotten = true;
    return false;
}

static void what_is_read_and_gone_is_made_first(void **state)
{
    (void)state;
    static const char text[] = "stages:\n"
                               "  m: {run: \"parts {out} gone\"}\n"
                               "  r: {run: \"late {out} {m}\"}\n";
    char states[2] = "";
    must(run("stages:\n  m: {run: \"parts {out} gone\"}\n", (How){0}, NULL));
    assert_int_equal(runs(), 1);
    must(run(text, (How){.stopped = forgets_what_is_read}, states));
    assert_memory_equal(states, "dd", 2);
    assert_int_equal(runs(), 2);
}

/* Two names of one folder: neither is read while the other is made. */
static void twins_are_one_stage(void **state)
{
    (void)state;
    static const char twins[] = "stages:\n"
                                "  one: {run: \"parts {out} twin\"}\n"
                                "  two: {run: \"parts {out} twin\"}\n"
                                "  r: {run: \"late {out} {two}\"}\n";
    must(run(twins, (How){.jobs = 2}, NULL));
    must(run(twins, (How){.jobs = 2, .from = "one"}, NULL));
    Str r = scratch_read("run/r/text");
    assert_string_equal(str_c(&r), "1\n2\n3\n");
    str_drop(&r);
    (void)runs();
}

/* What a stage leaves running does not keep its folder. */
static void what_is_left_running_holds_nothing(void **state)
{
    (void)state;
    static const char text[] = "stages:\n  l: {run: \"leave {out}\"}\n";
    must(run(text, (How){0}, NULL));
    must(run(text, (How){.from = "l", .stopped = after_a_while}, NULL));
    assert_int_equal(runs(), 2);
}

/* A verb that is done when it is asked to end has not worked in vain; a program may end well half way. */
static void what_is_done_counts_though_it_was_stopped(void **state)
{
    (void)state;
    char states[1] = "";
    static const char verb[] = "stages:\n  w: {run: \"shield {out}\"}\n";
    must(run(verb, (How){.stopped = after_a_step}, states));
    assert_int_equal(states[0], 'd');
    assert_int_equal(runs(), 1);
    char *program = mem_format("stages:\n  w: {program: [\"%s\", shield, \"{out}\"]}\n", in_scratch("lemur"));
    assert_int_equal(run(program, (How){.stopped = after_a_step}, states), ST_CANCELLED);
    assert_int_equal(states[0], 'h');
    assert_int_equal(runs(), 1);
    mem_free(program);
}

static void names_that_lock_json_cannot_hold_are_refused(void **state)
{
    (void)state;
    assert_int_equal(run("stages:\n  a: {run: \"copy {out} {recipe}\", settings: {u: 1}}\n",
                         (How){.folder = "caf\xE9"}, NULL),
                     ST_ARG);
    expect_words("is no UTF-8");
    assert_int_equal(runs(), 0);
}

static bool after_two(void *context)
{
    (void)context;
    return file_size(in_scratch("runs")) >= 10;
}

static void all_that_are_under_way_are_stopped(void **state)
{
    (void)state;
    static const char text[] = "stages:\n"
                               "  s: {run: \"slow {out} one\"}\n"
                               "  t: {run: \"slow {out} another\"}\n"
                               "  u: {run: \"copy {out} {s}/text {t}/text\"}\n";
    char states[3] = "";
    assert_int_equal(run(text, (How){.jobs = 2, .stopped = after_two}, states), ST_CANCELLED);
    expect_words("stopped in stage");
    assert_memory_equal(states, "hht", 3);
    assert_int_equal(runs(), 2);
    must(run(text, (How){.jobs = 3}, states));
    assert_memory_equal(states, "ddd", 3);
    assert_int_equal(runs(), 3);
}

/* Two of which each needs more than half of it are done one after the other. */
static void stages_share_the_memory(void **state)
{
    (void)state;
    long long tenth = memory_total() / 10000000;
    if (memory_available() < memory_total() / 10 * 7)
        skip();
    char *text = mem_format("stages:\n"
                            "  a: {run: \"alone {out} one\", memory: %lldM}\n"
                            "  b: {run: \"alone {out} another\", memory: %lldM}\n",
                            6 * tenth, 5 * tenth);
    must(run(text, (How){.jobs = 2}, NULL));
    assert_int_equal(runs(), 2);
    mem_free(text);
}

/* Checking. ---------------------------------------------------------------------------------------------- */

static void a_run_is_verified(void **state)
{
    (void)state;
    const RecipeVerbs all = {verbs, VERBS};
    int64_t wrong = -1;
    must(run(four, (How){0}, NULL));
    char *folder = mem_str(in_scratch("run"));
    must(pipeline_verify(&wrong, folder, &all));
    assert_int_equal(wrong, 0);
    scratch_text("run/b/log", "logs do not count");
    must(pipeline_verify(&wrong, folder, &all));
    assert_int_equal(wrong, 0);
    Str was = scratch_read("run/b/text");
    scratch_text("run/b/text", "changed");
    must(pipeline_verify(&wrong, folder, &all));
    assert_int_equal(wrong, 1);
    scratch_write("run/b/text", was.at, was.n);
    unlink(in_scratch("run/d/text"));
    must(pipeline_verify(&wrong, folder, &all));
    assert_int_equal(wrong, 1);
    scratch_text("run/lock.json", "{}");
    assert_int_equal(pipeline_verify(&wrong, folder, &all), ST_FORMAT);
    assert_int_equal(pipeline_verify(&wrong, in_scratch("none"), &all), ST_IO);
    str_drop(&was);
    mem_free(folder);
}

/* Forecasts. --------------------------------------------------------------------------------------------- */

static size_t obstacles(const Pipeline *p)
{
    size_t n;
    (void)pipeline_obstacles(p, &n);
    return n;
}

static void look_at_sums(const Pipeline *p)
{
    const PipelineStage *s = pipeline_stages(p);
    assert_int_equal(s[0].forecast.from, FORECAST_COMPUTED);
    assert_true(s[0].forecast.seconds == 1);
    assert_true(s[1].forecast.seconds == 2);
    assert_int_equal(s[2].forecast.from, FORECAST_TOLD);
    assert_true(s[2].forecast.seconds == 30);
    assert_int_equal(json_integer_value(json_object_get(s[2].forecast.facts, "bytes")), 4);
    assert_int_equal(s[3].forecast.from, FORECAST_NONE);
    assert_int_equal(obstacles(p), 0);
}

/* Of what is read, which need not be there; the recipe's own word wins. */
static void stages_forecast_what_others_make(void **state)
{
    (void)state;
    must(run("stages:\n"
             "  a: {run: \"slow {out}\", settings: {f: 1}}\n"
             "  b: {run: \"slow {out} {a}/text\"}\n"
             "  c: {run: \"slow {out} {a} {b}\", minutes: 0.5}\n"
             "  d: {run: \"slow {out} {c} --unknown\"}\n",
             (How){.look = look_at_sums}, NULL));
    assert_int_equal(run("stages:\n  a:\n    run: slow {out} --wrong\n", (How){0}, NULL), ST_ARG);
    expect_words("r.yaml, line 4: stage a: there is no flag --wrong");
    assert_int_equal(runs(), 0);
}

static void look_at_last_time(const Pipeline *p)
{
    const RecipeForecast *f = &pipeline_stages(p)[1].forecast;
    assert_int_equal(pipeline_stages(p)[1].state, STAGE_TODO);
    assert_int_equal(f->from, FORECAST_MEASURED);
    assert_true(f->seconds > 0.5 && f->seconds < 60);
    assert_true(f->memory > 0 && f->disk > 0);
}

/* A stage with the same words and settings takes as long as it did, though it reads something else. */
static void what_was_done_is_known(void **state)
{
    (void)state;
    static const char text[] = "vars: {x: 1}\nstages:\n"
                               "  a: {run: \"copy {out} {recipe}\", settings: {last: \"{x}\"}}\n"
                               "  s: {run: \"slow {out} --no-flag {a}\", settings: {last: 1}}\n";
    must(run(text, (How){0}, NULL));
    must(run(text, (How){.set = "x=2", .look = look_at_last_time}, NULL));
    runs();
}

static void look_at_obstacles(const Pipeline *p)
{
    assert_int_equal(obstacles(p), 3);
}

/* What stands in the way is no reason not to look; nothing is begun. */
static void obstacles_end_runs_before_they_begin(void **state)
{
    (void)state;
    static const char text[] = "stages:\n"
                               "  a:\n"
                               "    run: copy {out} {recipe}\n"
                               "    settings: {o: 1}\n"
                               "    inputs: [/no/such/*, /no/other]\n"
                               "    fetch: ask the miller\n"
                               "  b:\n"
                               "    run: slow {out} {a}\n"
                               "    settings: {memory: 900000000000000, disk: 900000000000000000}\n";
    must(run(text, (How){.look = look_at_obstacles}, NULL));
    assert_int_equal(run(text, (How){0}, NULL), ST_IO);
    expect_words("line 4: stage a: no file matches /no/such/*, /no/other; ask the miller");
    assert_int_equal(
        run("stages:\n  b:\n    run: slow {out}\n    settings: {memory: 900000000000000}\n", (How){0}, NULL),
        ST_LIMIT);
    expect_words("line 4: stage b: it needs at least 900 TB of memory, and this machine has");
    expect_words("take a smaller model");
    assert_int_equal(
        run("stages:\n  b:\n    run: slow {out}\n    settings: {disk: 900000000000000000}\n", (How){0}, NULL),
        ST_LIMIT);
    expect_words("line 4: the stages to do need 900 PB of disk below");
    expect_words("make room");
    assert_int_equal(runs(), 0);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run("stages:\n  a: {run: \"copi {out}\"}\n", (How){0}, NULL), ST_ARG);
    expect_words("did you mean \"copy\"");
    assert_int_equal(run("stages:\n  a: {run: \"copy {out}\", disk: 900000G}\n", (How){0}, NULL), ST_LIMIT);
    expect_words("of disk below");
    assert_int_equal(run("stages:\n  a: {run: \"copy {out}\", memory: 900000G}\n", (How){0}, NULL), ST_LIMIT);
    expect_words("of memory");
    assert_int_equal(run("stages:\n  a: {program: [\"/no/such/program\", \"{out}\"]}\n", (How){0}, NULL),
                     ST_IO);
    expect_words("exit status 127");
    assert_int_equal(run("stages:\n  a: {program: [\"true\", \"{out}\"]}\n", (How){0}, NULL), ST_IO);
    expect_words("is no folder");
    scratch_text("run/q", "mine");
    (void)runs();
    assert_int_equal(run("stages:\n  q: {run: \"copy {out} {recipe}\", settings: {q: 1}}\n", (How){0}, NULL),
                     ST_ARG);
    expect_words("in the way");
    assert_int_equal(runs(), 0); /* told before the work, not behind it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_depends_is_done_again),
        cmocka_unit_test(names_are_no_part_of_keys),
        cmocka_unit_test(files_outside_count),
        cmocka_unit_test(what_failed_goes_on),
        cmocka_unit_test(one_is_done_once_more),
        cmocka_unit_test(stages_with_many_ways_between_them),
        cmocka_unit_test(stopped_stages_go_on),
        cmocka_unit_test(once_more_is_not_forgotten),
        cmocka_unit_test(killed_runs_go_on),
        cmocka_unit_test(two_runs_share_a_store),
        cmocka_unit_test(stages_are_done_side_by_side),
        cmocka_unit_test(runs_do_not_wait_for_each_other),
        cmocka_unit_test(what_is_read_stays_as_it_is),
        cmocka_unit_test(what_is_read_and_gone_is_made_first),
        cmocka_unit_test(twins_are_one_stage),
        cmocka_unit_test(what_is_left_running_holds_nothing),
        cmocka_unit_test(what_is_done_counts_though_it_was_stopped),
        cmocka_unit_test(names_that_lock_json_cannot_hold_are_refused),
        cmocka_unit_test(one_that_fails_leaves_the_others_their_end),
        cmocka_unit_test(all_that_are_under_way_are_stopped),
        cmocka_unit_test(stages_share_the_memory),
        cmocka_unit_test(a_run_is_verified),
        cmocka_unit_test(stages_forecast_what_others_make),
        cmocka_unit_test(what_was_done_is_known),
        cmocka_unit_test(obstacles_end_runs_before_they_begin),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, make_scripts, scratch_remove);
}
