/* Everything recorded under $LEMUR_DATA, or ../shared/data, but what runs programs (replay_programs_test.c),
 * and that threads change nothing.  docs/checks.md says how to read the output. */
#include "eval/replay.h"
#include "base/data_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* S2, S4, ctf: replay_intercode_test.c */
enum {
    WITH_PROGRAMS = 1 << REPLAY_R5 | 1 << REPLAY_R6 | 1 << REPLAY_R7 | 1 << REPLAY_R11 | 1 << REPLAY_R12,
    WITHOUT_PROGRAMS = REPLAY_ALL & ~(WITH_PROGRAMS | 1 << REPLAY_S2 | 1 << REPLAY_S3 | 1 << REPLAY_S4 |
                                      1 << REPLAY_CTF | 1 << REPLAY_B1)
};

/* Skips the test where there are none. */
static void replay_all(ReplayReport *r, ReplayRule rule, int threads)
{
    ReplayFiles files = {0};
    char *folder = path_join(data_folder(), "mint/replay");
    bool here = path_is_folder(folder) && replay_find(&files, data_folder()) == ST_OK;
    if (!here)
        printf("SKIP no recordings in %s (set LEMUR_DATA)\n", folder);
    mem_free(folder);
    if (!here) {
        replay_files_drop(&files);
        skip();
    }
    ReplaySpec spec = {.data = data_folder(), .checks = WITHOUT_PROGRAMS, .rule = rule, .threads = threads};
    replay_run(r, &spec, &files);
    replay_files_drop(&files);
}

static void show(const ReplayReport *r)
{
    for (int i = 0; i < REPLAY_CHECKS; i++)
        printf("%-10s %lld of %lld agree, %lld undecided\n", replay_check_names[i],
               (long long)r->counts[i].agreed, (long long)r->counts[i].compared,
               (long long)replay_undecided(&r->counts[i]));
    for (size_t i = 0; i < r->mismatches.n && i < 20; i++)
        printf("  %s disagrees: %s:%lld: %s\n", replay_check_names[r->mismatches.at[i].check],
               r->mismatches.at[i].file, (long long)r->mismatches.at[i].line, r->mismatches.at[i].what);
    printf("%lld files, %lld episodes, %lld solved, %lld bad lines, %lld doubles\n", (long long)r->files,
           (long long)r->episodes, (long long)r->solved, (long long)r->bad_lines, (long long)r->doubles);
}

static void recordings_agree(void **state)
{
    (void)state;
    ReplayReport r = {0};
    replay_all(&r, REPLAY_RULE_RECORDING, 2);
    show(&r);
    for (int i = 0; i < REPLAY_CHECKS; i++) {
        assert_int_equal(r.counts[i].agreed, r.counts[i].compared);
        assert_int_equal(replay_undecided(&r.counts[i]), 0);
        assert_true(r.counts[i].compared > 0 || !(WITHOUT_PROGRAMS >> i & 1));
    }
    assert_true(r.counts[REPLAY_R1].compared == r.episodes);
    assert_int_equal(r.bad_lines, 0);
    assert_int_equal(r.troubles.n, 0);
    /* What we call solved is what was recorded as solved, where we mark. */
    for (size_t i = 0; i < r.scores.n; i++)
        if (strcmp(r.scores.at[i].group, "reasoning") == 0)
            assert_true(r.scores.at[i].ours == r.scores.at[i].solved && r.scores.at[i].unmarked == 0);
    replay_report_drop(&r);
}

/* The check can fail: the newer rule disagrees with old recordings, in R3 about negative golds alone. */
static void the_other_rule_disagrees(void **state)
{
    (void)state;
    ReplayReport r = {0};
    replay_all(&r, REPLAY_RULE_CURRENT, 1);
    printf("under the current rule: R3 %lld, R4_option %lld disagree\n",
           (long long)(r.counts[REPLAY_R3].compared - r.counts[REPLAY_R3].agreed),
           (long long)(r.counts[REPLAY_R4_OPTION].compared - r.counts[REPLAY_R4_OPTION].agreed));
    assert_int_equal(r.counts[REPLAY_R2].agreed, r.counts[REPLAY_R2].compared);
    assert_int_equal(r.counts[REPLAY_R4].agreed, r.counts[REPLAY_R4].compared);
    assert_true(r.counts[REPLAY_R4_OPTION].agreed < r.counts[REPLAY_R4_OPTION].compared);
    replay_report_drop(&r);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    ReplayReport one = {0}, many = {0};
    replay_all(&one, REPLAY_RULE_CURRENT, 1);
    replay_all(&many, REPLAY_RULE_CURRENT, 4);
    assert_memory_equal(one.counts, many.counts, sizeof one.counts);
    assert_int_equal(one.scores.n, many.scores.n);
    for (size_t i = 0; i < one.scores.n; i++)
        assert_string_equal(one.scores.at[i].setting, many.scores.at[i].setting);
    assert_int_equal(one.mismatches.n, many.mismatches.n);
    for (size_t i = 0; i < one.mismatches.n; i++)
        assert_true(!strcmp(one.mismatches.at[i].file, many.mismatches.at[i].file) &&
                    one.mismatches.at[i].line == many.mismatches.at[i].line);
    replay_report_drop(&one);
    replay_report_drop(&many);
}

static void reports_merge(void **state)
{
    (void)state;
    ReplayReport to = {0}, from = {0};
    replay_count(&to, REPLAY_R1, true, "a", 1, "");
    replay_count(&from, REPLAY_R1, false, "b", 2, "two\xff");
    replay_trouble(&from, "%s", "trouble");
    from.counts[REPLAY_R6].undecided[REPLAY_CUT] = 3;
    replay_report_merge(&to, &from);
    assert_true(to.counts[REPLAY_R1].compared == 2 && to.counts[REPLAY_R1].agreed == 1);
    assert_int_equal(replay_undecided(&to.counts[REPLAY_R6]), 3);
    assert_string_equal(to.mismatches.at[0].what, "two\xef\xbf\xbd");
    assert_string_equal(to.troubles.at[0], "trouble");
    assert_int_equal(from.mismatches.n, 0);
    replay_report_drop(&to);
    replay_report_drop(&from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_merge),
        cmocka_unit_test(recordings_agree),
        cmocka_unit_test(the_other_rule_disagrees),
        cmocka_unit_test(threads_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
