/* Several stages at a time, and several runs of one store. */
#include "recipe/pipeline_fixture_test.h"

static double begun_at;

static bool after_a_while(void *context)
{
    (void)context;
    begun_at = begun_at > 0 ? begun_at : clock_now();
    return clock_now() - begun_at > 5;
}

static double share_of(const json_t *lock, const char *stage)
{
    const json_t *made = json_object_get(json_object_get(lock, "stages"), stage);
    return json_number_value(json_object_get(made, "share"));
}

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
    assert_true(share_of(lock, "a") == 0.5 && share_of(lock, "c") == 1);
    json_decref(lock);
    must(run(text, (How){.jobs = 2}, NULL));
    assert_int_equal(runs(), 0);
}

/* It waits for the others, which are done side by side, and so does what is left by itself. */
static void one_that_takes_long_has_all_processors(void **state)
{
    (void)state;
    static const char text[] = "stages:\n"
                               "  long: {run: \"alone {out}\", minutes: 10}\n"
                               "  h: {run: \"meet {out} h i\", minutes: 3}\n"
                               "  i: {run: \"meet {out} i h\", minutes: 4}\n"
                               "  k: {run: \"alone {out} {long}\"}\n";
    json_t *lock;
    must(run(text, (How){.jobs = 2}, NULL));
    must(json_file_read(&lock, in_scratch("run/lock.json")));
    assert_true(share_of(lock, "h") == 0.5 && share_of(lock, "i") == 0.5);
    assert_true(share_of(lock, "long") == 1 && share_of(lock, "k") == 1);
    json_decref(lock);
    assert_int_equal(runs(), 4);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_are_done_side_by_side),
        cmocka_unit_test(one_that_takes_long_has_all_processors),
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
    };
    return cmocka_run_group_tests(tests, make_scripts, scratch_remove);
}
