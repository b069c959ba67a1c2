#include "study/errors.h"

#include "base/scratch_test.h"

/* Steps as letters: c(ode), e(rror of code), s(olution), n(one); messages of one letter each. */
static json_t *episode(const char *end, bool success, const char *steps, const char *said)
{
    json_t *list = json_array(), *messages = json_array();
    for (const char *s = steps; *s; s++)
        json_array_append_new(list, json_pack("{s:s, s:b}", "action",
                                              *s == 's'   ? "solution"
                                              : *s == 'n' ? "none"
                                                          : "code",
                                              "error", *s == 'e'));
    for (const char *s = said; *s; s++) {
        json_array_append_new(messages, json_pack("{s:s, s:s}", "role", "user", "content", "well?"));
        json_array_append_new(messages, json_pack("{s:s, s:s#}", "role", "assistant", "content", s, 1));
    }
    return json_pack("{s:s, s:b, s:o, s:o}", "end", end, "success", success, "steps", list, "messages",
                     messages);
}

static void the_list_decides_in_its_order(void **state)
{
    (void)state;
    static const struct {
        const char *end;
        bool success;
        const char *steps, *said;
        ErrorClass is;
    } cases[] = {
        {"task_success", true, "es", "ab", ERROR_SOLVED},
        {"refused", false, "c", "a", ERROR_REFUSED},
        {"error", false, "ce", "ab", ERROR_CONTEXT},
        {"max_tokens", false, "e", "a", ERROR_BUDGET},
        {"max_seconds", false, "c", "a", ERROR_BUDGET},
        {"max_steps", false, "nnn", "aaa", ERROR_FORMAT},
        {"gave_up", false, "ce", "ab", ERROR_GAVE_UP},
        {"max_propose_steps", false, "ss", "ab", ERROR_GAVE_UP},
        {"max_steps", false, "ce", "ab", ERROR_TOOL},
        {"max_steps", false, "ceccc", "abccc", ERROR_REPETITION},
        {"max_steps", false, "ec", "ab", ERROR_STEPS},
        {"max_propose_steps", false, "ecss", "abcd", ERROR_BELIEF},
        {"max_propose_steps", false, "ces", "abc", ERROR_TOOL},
        {"max_steps", false, "cc", "aa", ERROR_STEPS},
        {"max_steps", false, "ncn", "abc", ERROR_STEPS},
        {"", false, "", "", ERROR_GAVE_UP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *e = episode(cases[i].end, cases[i].success, cases[i].steps, cases[i].said);
        if (error_class(e) != cases[i].is)
            fail_msg("case %zu is \"%s\", not \"%s\"", i, error_class_names[error_class(e)],
                     error_class_names[cases[i].is]);
        json_decref(e);
    }
}

static void write_run(const char *name, const char *ends)
{
    Str text = {0};
    for (size_t i = 0; ends[i]; i++) {
        json_t *e = episode("max_steps", ends[i] == 's', ends[i] == 'e' ? "e" : "c", "a");
        char task[24];
        snprintf(task, sizeof task, "%zu", i);
        json_object_set_new(e, "task", json_string(task));
        char *line = json_dumps(e, JSON_COMPACT);
        str_addf(&text, "%s\n", line);
        free(line);
        json_decref(e);
    }
    str_adds(&text, "{\"cut");
    char *path = mem_format("%s/transcripts_x.jsonl", name);
    scratch_text(path, str_c(&text));
    mem_free(path);
    str_drop(&text);
}

static void runs_are_compared_by_pairs(void **state)
{
    (void)state;
    ErrorRun a, b;
    write_run("a", "eeeeeesse");
    write_run("b", "sssssssse0"); /* one more than a has */
    assert_int_equal(errors_read(&a, in_scratch("a")), ST_OK);
    assert_int_equal(errors_read(&b, in_scratch("b")), ST_OK);
    assert_int_equal(a.episodes.n, 9);
    assert_int_equal(a.counts[ERROR_TOOL], 7);
    assert_int_equal(b.counts[ERROR_STEPS], 1);
    ErrorPair pair = errors_compare(&a, &b, ERROR_TOOL);
    assert_int_equal(pair.common, 9);
    assert_int_equal(pair.first, 6);
    assert_int_equal(pair.second, 0);
    assert_true(pair.p > 0.031 && pair.p < 0.0313); /* 2 / 2^6 */
    errors_drop(&a);
    errors_drop(&b);
    scratch_text("empty/x", "");
    assert_int_equal(errors_read(&a, in_scratch("empty")), ST_IO);
    errors_drop(&a);
    assert_int_equal(errors_read(&a, in_scratch("absent")), ST_IO);
    errors_drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_decides_in_its_order),
        cmocka_unit_test(runs_are_compared_by_pairs),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
