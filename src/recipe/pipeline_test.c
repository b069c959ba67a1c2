/* Keys, what goes on, what is checked and what is forecast. */
#include "recipe/pipeline_fixture_test.h"

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
        cmocka_unit_test(a_run_is_verified),
        cmocka_unit_test(stages_forecast_what_others_make),
        cmocka_unit_test(what_was_done_is_known),
        cmocka_unit_test(obstacles_end_runs_before_they_begin),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, make_scripts, scratch_remove);
}
