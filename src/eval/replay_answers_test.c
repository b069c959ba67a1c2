#include "eval/replay_answers.h"

#include "base/scratch_test.h"

static const ReplaySpec all = {.checks = REPLAY_ALL, .threads = 1};

#define SOLUTION(name, label, text) ",\"" name "\":{\"is_correct\":" label ",\"solution\":\"" text "\"}"

static void solutions(void **state)
{
    (void)state;
    ReplayReport r = {0};
    scratch_text("s.jsonl",
                 "{\"question\":\"q\",\"ground_truth\":\"so\\nA: 1,200\"" SOLUTION("a", "true", "A: 1200 ")
                     SOLUTION("b", "false", "A: 1200\\nA: 1300") SOLUTION("c", "false", "1200")
                         SOLUTION("d", "true", "A: 12")           /* labelled right and is not */
                 ",\"e\":{\"is_correct\":1,\"solution\":\"\"}}\n" /* no label               */
                 "[1]\n\n{\"ground_truth\":\"A: 1\"");
    assert_int_equal(replay_gsm8k_file(&r, &all, in_scratch("s.jsonl")), ST_OK);
    const ReplayCount *c = &r.counts[REPLAY_GSM8K];
    assert_true(c->compared == 4 && c->agreed == 3);
    assert_int_equal(c->undecided[REPLAY_BROKEN], 1);
    assert_int_equal(r.bad_lines, 2);
    assert_non_null(strstr(r.troubles.at[0], ":2: no ground_truth"));
    assert_int_equal(r.mismatches.n, 1);
    assert_string_equal(r.mismatches.at[0].what,
                        "d: the answer is \"12\", the gold \"1200\", recorded as right");
    assert_int_equal(replay_gsm8k_file(&r, &all, in_scratch("none.jsonl")), ST_IO);
    replay_report_drop(&r);
}

#define OUTPUTS                                                                                              \
    "{\"canary\":\"c\",\"outputs\":[{\"prediction\":\"So the answer is (A).\\n\\nQ: x "                      \
    "the\",\"target\":\"(A)\"},"                                                                             \
    "{\"prediction\":\"the answer is 1. No, the answer is 7.\",\"target\":\"7\"},"                           \
    "{\"prediction\":\" yes\",\"target\":\"yes\"},{\"prediction\":\"the answer is yes\",\"target\":\"no\"}," \
    "{\"prediction\":3}]}"

static void outputs(void **state)
{
    (void)state;
    static const struct {
        const char *file, *metrics;
        Status st;
        bool agrees;
    } cases[] = {
        {OUTPUTS, "{\"accuracy\": 60.0, \"accuracy_with_calc\": 80.0}", ST_OK, true},
        {OUTPUTS, "{\"accuracy\": 80}\n{\"accuracy\": 60}", ST_OK, false},
        {OUTPUTS, "{\"accuracy\": \"60\"}", ST_FORMAT, false},
        {OUTPUTS, "", ST_FORMAT, false},
        {OUTPUTS, NULL, ST_IO, false},
        {"{\"outputs\":[]}", "{\"accuracy\": 60}", ST_FORMAT, false},
        {"{\"outputs\":[{}", "{\"accuracy\": 60}", ST_FORMAT, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ReplayReport r = {0};
        scratch_text("x_few_shot_template_0.json", cases[i].file);
        unlink(in_scratch("x_few_shot_template_0_eval_metrics.jsonl"));
        if (cases[i].metrics)
            scratch_text("x_few_shot_template_0_eval_metrics.jsonl", cases[i].metrics);
        assert_int_equal(replay_bbh_file(&r, &all, in_scratch("x_few_shot_template_0.json")), cases[i].st);
        assert_int_equal(r.counts[REPLAY_BBH].compared, cases[i].st == ST_OK);
        assert_int_equal(r.counts[REPLAY_BBH].agreed, cases[i].agrees);
        replay_report_drop(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solutions),
        cmocka_unit_test(outputs),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
