#include "cli/eval_replay.h"

#include <jansson.h>

#include "base/log.h"
#include "cli/capture_test.h"
#include "cli/cmd.h"

#define ROW(label) \
    "{\"ground_truth\":\"A: 1\",\"m\":{\"is_correct\":" label ",\"solution\":\"A: 1\\u0007\\nA: 1\"}}\n"

/* `lemur eval --replay SCRATCH/folder` with two more words, "" for none. */
static int replay(Str *out, const char *folder, const char *one, const char *two)
{
    char verb[] = "eval", *dir = mem_format("--replay=%s/%s", scratch, folder), *a = mem_str(one),
         *b = mem_str(two);
    int code = capture(out, eval_replay, 2 + (*a != 0) + (*b != 0), (char *[]){verb, dir, a, b, NULL});
    mem_free(dir);
    mem_free(a);
    mem_free(b);
    return code;
}

static int64_t number(const json_t *j, const char *check, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(json_object_get(j, "checks"), check), key));
}

static void agreement_and_disagreement(void **state)
{
    (void)state;
    Str out = {0};
    scratch_text("good/gsm8k/replay/a.jsonl", ROW("true"));
    scratch_text("bad/gsm8k/replay/a.jsonl", ROW("true") ROW("false") "{\"cut");
    assert_int_equal(replay(&out, "good", "", ""), EXIT_DONE);
    assert_non_null(strstr(str_c(&out), "gsm8k              1           0          0\n"));
    assert_int_equal(replay(&out, "bad", "", ""), EXIT_FAILED);
    assert_non_null(strstr(str_c(&out), "/bad/gsm8k/replay/a.jsonl:2: m: the answer is \"1\""));
    assert_int_equal(replay(&out, "bad", "--json", ""), EXIT_FAILED);
    json_t *j = json_loadb(str_c(&out), out.n, 0, NULL); /* the whole output is one object */
    assert_non_null(j);
    assert_int_equal(number(j, "gsm8k", "compared"), 2);
    assert_int_equal(number(j, "gsm8k", "mismatches"), 1);
    assert_int_equal(number(j, "R1", "compared"), 0);
    assert_int_equal(json_integer_value(json_object_get(j, "bad_lines")), 1);
    assert_int_equal(json_array_size(json_object_get(j, "mismatches")), 1);
    assert_null(json_object_get(j, "table"));
    json_decref(j);
    str_drop(&out);
}

static void what_was_not_checked_fails(void **state)
{
    (void)state;
    Str out = {0};
    scratch_text("lone/m/F=None/max5_p2+tool+cd/reasoning/gsm8k/results.jsonl", "\n");
    assert_int_equal(replay(&out, "lone", "--checks=R1,R2", ""), EXIT_FAILED); /* no prompts */
    assert_int_equal(replay(&out, "good", "--checks=bbh", ""), EXIT_FAILED);   /* none of that kind */
    scratch_text("half/gsm8k/replay/a.jsonl", ROW("true"));
    scratch_text("half/bbh/x_few_shot_template_0.json", "{\"outputs\":[");
    assert_int_equal(replay(&out, "half", "--json", "--checks=gsm8k,bbh"), EXIT_FAILED);
    json_t *j = json_loadb(str_c(&out), out.n, 0, NULL);
    assert_int_equal(number(j, "gsm8k", "compared"), 1);
    assert_int_equal(json_array_size(json_object_get(j, "troubles")), 1);
    json_decref(j);
    str_drop(&out);
}

static void wrong_words_are_wrong_usage(void **state)
{
    (void)state;
    Str out = {0};
    assert_int_equal(replay(&out, "good", "--checks=R9", ""), EXIT_USAGE);
    assert_int_equal(replay(&out, "good", "--checks=", ""), EXIT_USAGE);
    assert_int_equal(replay(&out, "good", "--checks=,", ""), EXIT_USAGE);
    assert_int_equal(replay(&out, "good", "--rule=new", ""), EXIT_USAGE);
    assert_int_equal(replay(&out, "good", "--threads=1025", ""), EXIT_USAGE);
    assert_int_equal(replay(&out, "good", "more", ""), EXIT_USAGE);
    assert_int_equal(replay(&out, "nowhere", "", ""), EXIT_FAILED);
    str_drop(&out);
}

/* Beside the recordings or above them; a folder given by name is meant. */
static void prompts_are_found(void **state)
{
    (void)state;
    scratch_text("d/mint/prompt/templates/t.txt", "");
    scratch_text("d/mint/replay/m/x.txt", "");
    scratch_text("d/other/x.txt", "");
    static const struct {
        const char *given, *below;
        bool found;
    } cases[] = {{NULL, "d", true},           {NULL, "d/mint/replay/m", true}, {"d", "nowhere", true},
                 {"d/mint", "nowhere", true}, {"d/other", "d", false},         {NULL, "good", false},
                 {"nowhere", "d", false}};
    char *whole = realpath(in_scratch("d"), NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *data =
            eval_replay_data(cases[i].given ? in_scratch(cases[i].given) : NULL, in_scratch(cases[i].below));
        assert_int_equal(data != NULL, cases[i].found);
        if (data)
            assert_string_equal(data, whole);
        mem_free(data);
    }
    free(whole);
}

int main(void)
{
    log_level_set(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agreement_and_disagreement),
        cmocka_unit_test(what_was_not_checked_fails),
        cmocka_unit_test(wrong_words_are_wrong_usage),
        cmocka_unit_test(prompts_are_found),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
