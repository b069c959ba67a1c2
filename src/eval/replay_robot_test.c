#include "eval/replay_robot.h"

#include "base/data_test.h"
#include "base/scratch_test.h"
#include "env/needs_sandbox_test.h"

static const char problems[] =
    "[{\"f_name\": \"reverse_pts\", \"f_sig\": \"pts = reverse_pts(pts_np)\", \"n_inputs\": 2, "
    "\"test_equiv\": \"allclose\"}]";

#define FUNCTION(name, passed, rest) "{\"f_name\": \"" name "\", \"passed\": " passed rest "}"
#define SOURCE(text) ", \"source\": \"" text "\""
#define RUN(results) "{\"runs\": [{\"name\": \"m | Flat\", \"n_passed\": 1, \"results\": [" results "]}]}"

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
    ReplayCount c = replay(
        &report,
        RUN(FUNCTION("reverse_pts", "true", SOURCE("def reverse_pts(p): return p[::-1]")) "," /* both pass */
            FUNCTION(
                "reverse_pts", "false",
                SOURCE(
                    "def reverse_pts(p): return q") ", \"error\": \"name 'q' is not defined\"") "," /* both
                                                                                                       fail,
                                                                                                       by the
                                                                                                       same
                                                                                                       words
                                                                                                     */
            FUNCTION(
                "reverse_pts", "false",
                SOURCE(
                    "def turn(p): return q") ", \"error\": \"other\", "
                                             "\"f_name_then\": \"turn\"") "," FUNCTION("reverse_pts", "false",
                                                                                       SOURCE("def "
                                                                                              "reverse_pts(p)"
                                                                                              ": return "
                                                                                              "p[::-1]")) "," /* passes here */
            FUNCTION("reverse_pts", "true", SOURCE("def reverse_pts(p): return p")) "," /* fails here */
            FUNCTION("reverse_pts", "true", "") ","                                     /* nothing to run */
            FUNCTION("reverse_pts", "null", SOURCE("def reverse_pts(p): return p")) "," FUNCTION(
                "fold_laundry", "false", SOURCE("def fold_laundry(): return 1"))));
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
    scratch_text("alone/recorded.json", RUN(""));
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
        assert_true(c->whole >= 80);
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
