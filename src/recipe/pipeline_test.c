/* Pipelines of a script that stands for lemur: it counts its runs, copies its settings, fails and sleeps as
 * told. */
#include "recipe/pipeline.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/json_file.h"
#include "base/log.h"
#include "base/scratch_test.h"

/* "copy OUT SETTINGS FROM...": OUT/text is the settings and what the others have; "slow OUT [--resume]" takes
 * three short pauses and keeps how far it is; "fail OUT". */
static const char script[] =
    "#!/bin/sh\n"
    "verb=$1 out=$2 home=${0%/*}\n"
    "echo \"$verb\" >> \"$home/runs\"\n"
    "mkdir -p \"$out\"\n"
    "case $verb in\n"
    "copy) shift 2; cat \"$@\" > \"$out/text\"; date +%s%N > \"$out/log\"; echo copied ;;\n"
    "slow) echo \"begun $3\" >> \"$out/begun\"\n"
    "    n=$(cat \"$out/text\" 2> /dev/null || echo 0)\n"
    "    trap 'exit 130' TERM\n"
    "    while [ $n -lt 3 ]; do sleep 0.2; n=$((n + 1)); echo $n > \"$out/text\"; done ;;\n"
    "fail) [ -e \"$home/mended\" ] || { echo broken >&2; exit 3; }; echo well > \"$out/text\" ;;\n"
    "esac\n";

static const char *const text_alone[] = {"text", NULL};
static const RecipeVerb verbs[] = {{"copy", 1, RESUME_ANEW, text_alone, NULL},
                                   {"slow", 1, RESUME_FLAG, text_alone, NULL},
                                   {"fail", 1, RESUME_SAME, text_alone, NULL}};

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static int make_scripts(void **state)
{
    int rc = scratch_make(state);
    log_level_set(LOG_ERROR);
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
    bool (*stopped)(void *context);
} How;

/* Reads the recipe anew, runs it, and leaves what it says; the states when it ended go to `states` ("dht").
 */
static Status run(const char *text, How how, char *states)
{
    Recipe r;
    Pipeline *p;
    char *whole = mem_format("store: %s\n%s", in_scratch("store"), text);
    scratch_text("r.yaml", whole);
    mem_free(whole);
    must(recipe_read(&r, in_scratch("r.yaml"), &how.set, how.set != NULL));
    char *folder = mem_str(in_scratch("run")), *lemur = mem_str(in_scratch("lemur"));
    PipelineSpec spec = {.recipe = &r,
                         .verbs = {verbs, 3},
                         .lemur = lemur,
                         .folder = folder,
                         .from = how.from,
                         .only = how.only,
                         .quiet = true,
                         .stopped = how.stopped};
    Status st = pipeline_open(&p, &spec);
    if (st == ST_OK) {
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

/* Checking. ---------------------------------------------------------------------------------------------- */

static void a_run_is_verified(void **state)
{
    (void)state;
    const RecipeVerbs all = {verbs, 3};
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
    expect_words("holds nothing");
    scratch_text("run/q", "mine");
    assert_int_equal(run("stages:\n  q: {run: \"copy {out} {recipe}\", settings: {x: 1}}\n", (How){0}, NULL),
                     ST_ARG);
    expect_words("in the way");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_depends_is_done_again),
        cmocka_unit_test(names_are_no_part_of_keys),
        cmocka_unit_test(files_outside_count),
        cmocka_unit_test(what_failed_goes_on),
        cmocka_unit_test(one_is_done_once_more),
        cmocka_unit_test(stopped_stages_go_on),
        cmocka_unit_test(killed_runs_go_on),
        cmocka_unit_test(two_runs_share_a_store),
        cmocka_unit_test(a_run_is_verified),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, make_scripts, scratch_remove);
}
