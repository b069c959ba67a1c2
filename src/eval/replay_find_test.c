#include "eval/replay_find.h"

#include "base/scratch_test.h"

#define SETTING "a/mint/replay/m/F=None/max5_p2+tool+cd/"

static bool has(const ReplayFiles *f, RecordingKind kind, const char *end)
{
    for (size_t i = 0; i < f->files.n; i++)
        if (f->files.at[i].kind == kind && span_ends(span(f->files.at[i].path), end))
            return true;
    return false;
}

static void recordings_are_known_by_their_place(void **state)
{
    (void)state;
    ReplayFiles f;
    scratch_text(SETTING "reasoning/gsm8k/results.jsonl", "1");
    scratch_text(SETTING "reasoning/poetry/results.jsonl", "1");
    scratch_text("a/results.jsonl", "1");
    scratch_text("a/gsm8k/replay/more.jsonl", "1");
    scratch_text("a/gsm8k/train.jsonl", "1");
    scratch_text("a/x/example_model_solutions.jsonl", "1");
    scratch_text("a/bbh/replay/snarks_few_shot_template_0-255000.json", "1");
    scratch_text("a/bbh/replay/snarks_few_shot_template_0-255000_eval_metrics.jsonl", "1");
    scratch_text("a/robocodegen/recorded.json", "1");
    scratch_text("a/other/recorded.json", "1");
    assert_int_equal(symlink("..", in_scratch("a/gsm8k/ring")), 0);
    assert_int_equal(replay_find(&f, scratch), ST_OK);
    assert_int_equal(f.files.n, 5);
    assert_true(has(&f, RECORDING_ROBOCODEGEN, "a/robocodegen/recorded.json"));
    assert_true(has(&f, RECORDING_MINT, "/F=None/max5_p2+tool+cd/reasoning/gsm8k/results.jsonl"));
    assert_true(has(&f, RECORDING_GSM8K, "gsm8k/replay/more.jsonl"));
    assert_true(has(&f, RECORDING_GSM8K, "x/example_model_solutions.jsonl"));
    assert_true(has(&f, RECORDING_BBH, "snarks_few_shot_template_0-255000.json"));
    assert_true(f.count[RECORDING_MINT] == 1 && f.count[RECORDING_GSM8K] == 2 && f.count[RECORDING_BBH] == 1);
    assert_int_equal(f.passed_over.n, 2);
    assert_non_null(strstr(f.passed_over.at[0], "reasoning/poetry is no task"));
    assert_non_null(strstr(f.passed_over.at[1], "a/results.jsonl: not below a folder named like max5_p2"));
    replay_files_drop(&f);
}

/* From inside as from above: the names above the folder count. */
static void any_level_will_do(void **state)
{
    (void)state;
    static const char *const levels[] = {"a/mint/replay", SETTING "reasoning", SETTING "reasoning/gsm8k",
                                         SETTING "reasoning/gsm8k/results.jsonl"};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        ReplayFiles f;
        assert_int_equal(replay_find(&f, in_scratch(levels[i])), ST_OK);
        assert_int_equal(f.files.n, 1);
        replay_files_drop(&f);
    }
    ReplayFiles f;
    assert_int_equal(replay_find(&f, in_scratch("a/gsm8k/replay")), ST_OK);
    assert_int_equal(f.count[RECORDING_GSM8K], 1);
    replay_files_drop(&f);
}

static void nothing_to_find(void **state)
{
    (void)state;
    ReplayFiles f;
    assert_int_equal(replay_find(&f, in_scratch("none")), ST_IO);
    replay_files_drop(&f);
    scratch_text("b/other.txt", "1");
    assert_int_equal(replay_find(&f, in_scratch("b")), ST_ARG);
    expect_words("looked below it for");
    replay_files_drop(&f);
    assert_int_equal(replay_find(&f, in_scratch(SETTING "reasoning/poetry")), ST_ARG);
    expect_words("no recordings of known tasks");
    replay_files_drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recordings_are_known_by_their_place),
        cmocka_unit_test(any_level_will_do),
        cmocka_unit_test(nothing_to_find),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
