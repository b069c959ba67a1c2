#include "eval/replay_robot.h"

#include "base/data_test.h"
#include "base/scratch_test.h"
#include "env/needs_sandbox_test.h"

static const char problems[] =
    "[{\"f_name\": \"reverse_pts\", \"f_sig\": \"pts = reverse_pts(pts_np)\", \"n_inputs\": 2, "
    "\"test_equiv\": \"allclose\"}]";

#define HEAD "{\"runs\": [{\"name\": \"m | Flat\", \"n_passed\": 1, \"results\": ["
#define TAIL "]}]}"
#define REVERSE "{\"f_name\": \"reverse_pts\", "
/* In order: both pass; both fail, by the same words; fails under another name; passes here; fails here;
 * nothing to run; nothing to compare with, twice. */
static const char recorded_run[] = HEAD REVERSE
    "\"passed\": true, \"source\": \"def reverse_pts(p): return p[::-1]\"}," REVERSE
    "\"passed\": false, \"source\": \"def reverse_pts(p): return q\", "
    "\"error\": \"name 'q' is not defined\"}," REVERSE
    "\"passed\": false, \"source\": \"def turn(p): return q\", \"error\": \"other\", "
    "\"f_name_then\": \"turn\"}," REVERSE
    "\"passed\": false, \"source\": \"def reverse_pts(p): return p[::-1]\"}," REVERSE
    "\"passed\": true, \"source\": \"def reverse_pts(p): return p\"}," REVERSE "\"passed\": true}," REVERSE
    "\"passed\": null, \"source\": \"def reverse_pts(p): return p\"},"
    "{\"f_name\": \"fold_laundry\", \"passed\": false, \"source\": \"def fold_laundry(): return 1\"}" TAIL;

static ReplayCount replay(ReplayReport *report, const char *recorded)
{
    static const ReplaySpec spec = {.checks = REPLAY_ALL};
    scratch_text("robocodegen/problems.json", problems);
    scratch_text("robocodegen/recorded.json", recorded);
    *report = (ReplayReport){0};
    if (replay_robot_file(report, &spec, in_scratch("robocodegen/recorded.json")) != ST_OK)
        fail_msg("%s", error_text());
    ReplayCount count = report->counts[REPLAY_RC];
    if (count.undecided[REPLAY_NO_SANDBOX]) { /* or no NumPy, no Shapely */
        print_message("SKIP nothing runs RoboCodeGen's functions here\n");
        skip();
    }
    return count;
}

static void verdicts_are_compared(void **state)
{
    (void)state;
    needs_sandbox();
    ReplayReport report;
    ReplayCount c = replay(&report, recorded_run);
    assert_int_equal(c.compared, 5);
    assert_int_equal(c.agreed, 3);
    assert_int_equal(c.whole, 2);
    assert_int_equal(c.undecided[REPLAY_BROKEN], 2);
    assert_int_equal(report.mismatches.n, 2);
    assert_string_equal(report.mismatches.at[0].what,
                        "m | Flat: reverse_pts passes here and failed when it was recorded");
    assert_int_equal(report.mismatches.at[1].line, 5);
    replay_report_drop(&report);
}

static void broken_files_are_told(void **state)
{
    (void)state;
    needs_sandbox();
    static const char *const none[] = {"", "{", "[]", "{\"runs\": 1}", "{}"};
    static const ReplaySpec spec = {.checks = REPLAY_ALL};
    ReplayReport report;
    ReplayCount c =
        replay(&report, "{\"runs\": [1, {}, {\"results\": 3}, {\"results\": [1, {}, {\"source\": 1}]}]}");
    assert_int_equal(c.compared + replay_undecided(&c), 0);
    assert_int_equal(report.bad_lines, 3);
    replay_report_drop(&report);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        scratch_text("robocodegen/recorded.json", none[i]);
        assert_int_equal(replay_robot_file(&report, &spec, in_scratch("robocodegen/recorded.json")),
                         ST_FORMAT);
        expect_words("recorded.json");
    }
    scratch_text("alone/recorded.json", HEAD TAIL);
    assert_int_equal(replay_robot_file(&report, &spec, in_scratch("alone/recorded.json")), ST_IO);
    expect_words("problems.json");
    replay_report_drop(&report);
}

/* The published recordings: every function that failed fails again. */
static void recorded_functions_fail_again(void **state)
{
    (void)state;
    needs_sandbox();
    const char *data = data_with("robocodegen/recorded.json");
    if (!data)
        skip();
    static const ReplaySpec spec = {.checks = REPLAY_ALL};
    ReplayReport report = {0};
    char *path = path_join(data, "robocodegen/recorded.json");
    if (replay_robot_file(&report, &spec, path) != ST_OK)
        fail_msg("%s", error_text());
    const ReplayCount *c = &report.counts[REPLAY_RC];
    if (!c->undecided[REPLAY_NO_SANDBOX]) {
        assert_int_equal(c->compared, 103);
        assert_int_equal(c->agreed, 103);
        print_message("RoboCodeGen: 103 recorded functions fail again, %lld by the same words\n",
                      (long long)c->whole);
    }
    mem_free(path);
    replay_report_drop(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(verdicts_are_compared),
                                       cmocka_unit_test(broken_files_are_told),
                                       cmocka_unit_test(recorded_functions_fail_again)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
