#include "study/keep.h"

#include "base/json_file.h"
#include "base/scratch_test.h"

/* An episode: steps as letters, c(ode), e(rror of code), s(olution), n(one); what is said at each is a word
 * of `said`, between marks where the step has an action. */
static json_t *episode(const char *task, bool success, const char *steps, const char *said)
{
    json_t *list = json_array(), *messages = json_array();
    json_array_append_new(messages, json_pack("{s:s, s:s+}", "role", "user", "content", "Task ", task));
    for (const char *s = steps; *s; s++) {
        size_t n = strcspn(said, " ");
        char *mark = mem_format(*s == 's'   ? "I think. <solution>%.*s</solution>"
                                : *s == 'n' ? "%.*s"
                                            : "Let me see: <execute>\n%.*s </execute>",
                                (int)n, said);
        if (s != steps)
            json_array_append_new(messages, json_pack("{s:s, s:s}", "role", "user", "content", "well?"));
        json_array_append_new(messages, json_pack("{s:s, s:s}", "role", "assistant", "content", mark));
        json_array_append_new(list, json_pack("{s:s, s:b}", "action",
                                              *s == 's'   ? "solution"
                                              : *s == 'n' ? "none"
                                                          : "code",
                                              "error", *s == 'e'));
        said += n + (said[n] == ' ');
        mem_free(mark);
    }
    return json_pack("{s:i, s:s, s:b, s:o, s:o, s:f}", "transcript", 1, "task", task, "success", success,
                     "steps", list, "messages", messages, "seconds", 1.5);
}

static Str file; /* of the run that is being written */

static void play(const char *task, bool success, const char *steps, const char *said)
{
    json_t *e = episode(task, success, steps, said);
    char *line = json_dumps(e, JSON_COMPACT);
    str_addf(&file, "%s\n", line);
    free(line);
    json_decref(e);
}

static void end_run(const char *run, const char *benchmark)
{
    char *name = mem_format("%s/transcripts_%s.jsonl", run, benchmark);
    scratch_text(name, str_c(&file));
    str_clear(&file);
    mem_free(name);
}

static void wrong_turns_are_marked(void **state)
{
    (void)state;
    static const struct {
        const char *steps;
        int64_t wrong;
        const char *muted; /* a letter a turn: m(uted), or . */
    } cases[] = {
        {"s", 0, "."},     {"cs", 0, ".."},         {"ecs", 1, "m.."}, {"ncs", 1, "m.."},
        {"css", 1, ".m."}, {"ensccs", 3, "mmm..."}, {"ce", 0, ".."},   {"e", 0, "."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *e = episode("1", true, cases[i].steps, "a b c d e f");
        assert_int_equal(keep_mark(e), cases[i].wrong);
        const json_t *messages = json_object_get(e, "messages");
        for (size_t k = 0; cases[i].muted[k]; k++) {
            const json_t *weight = json_object_get(json_array_get(messages, 2 * k + 1), "weight");
            if ((weight != NULL) != (cases[i].muted[k] == 'm'))
                fail_msg("case %zu, turn %zu", i, k);
            assert_true(!weight || json_integer_value(weight) == 0);
            assert_null(json_object_get(json_array_get(messages, 2 * k), "weight"));
        }
        json_decref(e);
    }
    json_t *e = episode("1", true, "cs", "a b");
    json_array_append_new(json_object_get(e, "steps"),
                          json_pack("{s:s}", "action", "none")); /* said nothing */
    assert_int_equal(keep_mark(e), -1);
    json_decref(e);
    e = json_pack("{s:b}", "success", 1);
    assert_int_equal(keep_mark(e), -1);
    json_decref(e);
}

static KeepCounts keep(const char *folder, int64_t most, const char *a, const char *b, const char *apart)
{
    const char *runs[] = {in_scratch(a), b ? in_scratch(b) : NULL},
               *aparts[] = {apart ? in_scratch(apart) : NULL};
    KeepSpec spec = {runs, b ? 2 : 1, aparts, apart ? 1 : 0, most, in_scratch(folder)};
    KeepCounts c, again;
    if (keep_successes(&c, &spec) != ST_OK)
        fail_msg("%s", error_text());
    assert_int_equal(keep_read(&again, spec.folder), ST_OK);
    assert_memory_equal(&c, &again, sizeof c);
    assert_int_equal(c.successes, c.unfit + c.apart + c.doubles + c.surplus + c.kept);
    return c;
}

/* "task:actions of its last turn" of each line. */
static void expect_kept(const char *folder, const char *const *tasks, const int *wrong)
{
    char *name = mem_format("%s/kept.jsonl", folder);
    Str text = scratch_read(name);
    const char *at = str_c(&text);
    for (size_t i = 0; tasks[i]; i++, at += strcspn(at, "\n") + 1) {
        json_t *line = json_loadb(at, strcspn(at, "\n"), 0, NULL);
        assert_non_null(line);
        assert_string_equal(json_string_value(json_object_get(line, "task")), tasks[i]);
        assert_int_equal(json_is_true(json_object_get(line, "repaired")), wrong[i] > 0);
        assert_int_equal(json_array_size(json_object_get(line, "messages")) % 2, 0);
        assert_null(json_object_get(line, "seconds"));
        assert_null(json_object_get(line, "steps"));
        json_decref(line);
    }
    assert_string_equal(at, "");
    str_drop(&text);
    mem_free(name);
}

static void successes_are_kept_once_and_repaired_ones_first(void **state)
{
    (void)state;
    play("2", true, "cs", "x 2"); /* in the order in which they ended */
    play("1", true, "cs", "x 1");
    play("1", false, "cs", "x 9");
    play("3", false, "e", "x");
    end_run("a", "tasks");
    play("1", true, "cs", "x 1");                /* the same once more */
    play("1", true, "s", "1");                   /* shorter */
    play("1", true, "encs", "x y z 1");          /* repaired, twice wrong */
    play("1", true, "ecs", "x y 1");             /* repaired */
    play("4", true, "cs", "x 1");                /* the same actions in another task */
    str_adds(&file, "{\"task\": \"5\", \"succ"); /* cut */
    end_run("b", "tasks");
    KeepCounts c = keep("kept", 2, "a", "b", NULL);
    assert_int_equal(c.episodes, 9);
    assert_int_equal(c.successes, 7);
    assert_int_equal(c.tasks, 4);
    assert_int_equal(c.solved, 3);
    assert_int_equal(c.doubles, 1);
    assert_int_equal(c.surplus, 2);
    assert_int_equal(c.kept, 4);
    assert_int_equal(c.repaired, 2);
    assert_int_equal(c.muted, 3);
    expect_kept("kept", (const char *const[]){"1", "1", "2", "4", NULL}, (const int[]){1, 2, 0, 0});
    c = keep("one", 1, "a", "b", NULL);
    expect_kept("one", (const char *const[]){"1", "2", "4", NULL}, (const int[]){1, 0, 0});
    c = keep("all", 9, "a", "b", NULL);
    expect_kept("all", (const char *const[]){"1", "1", "1", "1", "2", "4", NULL},
                (const int[]){1, 2, 0, 0, 0, 0});
    scratch_run("sed 's/.*\"run\":\\([0-9]\\).*/\\1/' all/kept.jsonl | tr -d '\\n' | grep -qx 222112");
}

/* The files are in the order in which episodes ended, which is another one each time. */
static void order_of_playing_does_not_matter(void **state)
{
    (void)state;
    static const char *const tasks[] = {"10", "9", "8", "7"};
    for (size_t i = 0; i < 4; i++)
        play(tasks[i], true, "cs", "x 1");
    end_run("forth", "tasks");
    for (size_t i = 4; i-- > 0;)
        play(tasks[i], true, "cs", "x 1");
    end_run("back", "tasks");
    keep("k1", 2, "forth", NULL, NULL);
    keep("k2", 2, "back", NULL, NULL);
    scratch_run("cmp k1/kept.jsonl k2/kept.jsonl && cmp k1/keep.json k2/keep.json");
}

static void blanks_and_thoughts_make_no_other_actions(void **state)
{
    (void)state;
    play("1", true, "cs", "x 1");
    json_t *e = episode("1", true, "cs", "x 1");
    json_t *first = json_array_get(json_object_get(e, "messages"), 1);
    json_object_set_new(first, "content", json_string("Hm.\n<execute> x\n</execute>\n"));
    char *line = json_dumps(e, JSON_COMPACT);
    str_addf(&file, "%s\n", line);
    free(line);
    json_decref(e);
    play("1", true, "cs", "xx 1");
    end_run("blanks", "tasks");
    KeepCounts c = keep("kb", 9, "blanks", NULL, NULL);
    assert_int_equal(c.doubles, 1);
    assert_int_equal(c.kept, 2);
}

static void tasks_kept_apart_are_left_out(void **state)
{
    (void)state;
    play("1", true, "cs", "x 1");
    play("2", true, "cs", "x 1");
    end_run("mine", "tasks");
    play("1", false, "cs", "x 9"); /* its first message is "Task 1" */
    end_run("test", "tasks");
    KeepCounts c = keep("ka", 9, "mine", NULL, "test");
    assert_int_equal(c.apart, 1);
    expect_kept("ka", (const char *const[]){"2", NULL}, (const int[]){0});
    c = keep("kn", 9, "mine", NULL, "mine");
    assert_int_equal(c.kept, 0);
    expect_kept("kn", (const char *const[]){NULL}, NULL);
}

static void what_is_no_run_is_told(void **state)
{
    (void)state;
    const char *runs[] = {in_scratch("absent")};
    KeepCounts c;
    KeepSpec spec = {.runs = runs, .runs_n = 1, .most = 1, .folder = in_scratch("out")};
    assert_int_equal(keep_successes(&c, &spec), ST_IO);
    scratch_text("bare/results.json", "{}");
    runs[0] = in_scratch("bare");
    assert_int_equal(keep_successes(&c, &spec), ST_IO);
    expect_words("no transcripts_*.jsonl");
    assert_int_equal(keep_read(&c, in_scratch("bare")), ST_IO);
    scratch_text("odd/keep.json", "{\"keep\": 1, \"total\": {\"episodes\": 3}}");
    assert_int_equal(keep_read(&c, in_scratch("odd")), ST_FORMAT);
    expect_words("has no \"successes\"");
    str_drop(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_turns_are_marked),
        cmocka_unit_test(successes_are_kept_once_and_repaired_ones_first),
        cmocka_unit_test(order_of_playing_does_not_matter),
        cmocka_unit_test(blanks_and_thoughts_make_no_other_actions),
        cmocka_unit_test(tasks_kept_apart_are_left_out),
        cmocka_unit_test(what_is_no_run_is_told),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
