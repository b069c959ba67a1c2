/* The programs in recorded MINT episodes, run in the sandbox, never without: R5 to R7, R11 and R12. */
#include "eval/replay_programs.h"
#include "base/data_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static ReplayRunners *open_runners(int threads)
{
    ReplayRunners *runners;
    if (replay_runners_open(&runners, threads) == ST_OK)
        return runners;
    printf("SKIP %s\n", error_text());
    skip();
    return NULL;
}

static void programs_and_cells(void **state)
{
    (void)state;
    ReplayRunners *runners = open_runners(1);
    const ReplayPrograms *p = replay_runners_programs(runners);
    assert_int_equal(p->test(p->arg, span("def f():\n    return 1"), span("assert f() == 1")), MARK_RIGHT);
    assert_int_equal(p->test(p->arg, span("def f():\n    return 2"), span("assert f() == 1")), MARK_WRONG);
    static const struct {
        const char *code, *out;
        CellResult result;
        ReplayWhy why;
    } cells[] = {
        {"x = 6\nx * 7", "Out[1]: 42", CELL_PRINTED, 0},
        {"print(x)", "6", CELL_PRINTED, 0}, /* its state stays */
        {"1/0", "ZeroDivisionError: division by zero", CELL_RAISED, 0},
        {"import random", "", CELL_UNABLE, REPLAY_BEYOND},
        {"from numpy import *", "", CELL_UNABLE, REPLAY_BEYOND},
        {"wikipedia_search('x')", "", CELL_UNABLE, REPLAY_BEYOND},
        {"!ls", "", CELL_UNABLE, REPLAY_BEYOND},
        {"x = = 1", "SyntaxError: invalid syntax", CELL_RAISED, 0},
    };
    p->begin(p->arg);
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        Str out = {0};
        ReplayWhy why = 0;
        CellResult result = p->cell(p->arg, &out, &why, span(cells[i].code));
        if (result != cells[i].result || (result == CELL_UNABLE && why != cells[i].why) ||
            !span_ends(str_span(&out), cells[i].out) ||
            (result == CELL_PRINTED && out.n != strlen(cells[i].out)))
            fail_msg("%s: %d, %d, %s", cells[i].code, result, why, str_c(&out));
        str_drop(&out);
    }
    Str out = {0};
    ReplayWhy why;
    p->begin(p->arg); /* another episode: nothing of the first is there */
    assert_int_equal(p->cell(p->arg, &out, &why, span("x")), CELL_RAISED);
    assert_true(span_ends(str_span(&out), "NameError: name 'x' is not defined"));
    str_drop(&out);
    p->end(p->arg);
    replay_runners_close(runners);
}

static void recordings_agree(void **state)
{
    (void)state;
    ReplayFiles files = {0};
    char *folder = path_join(data_folder(), "mint/replay");
    if (!path_is_folder(folder)) {
        printf("SKIP no recordings in %s (set LEMUR_DATA)\n", folder);
        mem_free(folder);
        skip();
    }
    ReplayRunners *runners = open_runners(2);
    assert_int_equal(replay_find(&files, folder), ST_OK);
    static const ReplayCheck checks[] = {REPLAY_R5, REPLAY_R6, REPLAY_R7, REPLAY_R11, REPLAY_R12};
    enum { CHECKS = sizeof checks / sizeof checks[0] };
    ReplaySpec spec = {.data = data_folder(), .threads = 2, .programs = replay_runners_programs(runners)};
    ReplayReport r = {0};
    for (int c = 0; c < CHECKS; c++)
        spec.checks |= 1u << checks[c];
    replay_run(&r, &spec, &files);
    for (size_t i = 0; i < r.mismatches.n && i < 60; i++)
        printf("  %s disagrees: %s:%lld: %.200s\n", replay_check_names[r.mismatches.at[i].check],
               r.mismatches.at[i].file, (long long)r.mismatches.at[i].line, r.mismatches.at[i].what);
    for (int c = 0; c < CHECKS; c++) {
        const ReplayCount *n = &r.counts[checks[c]];
        printf("%-10s %lld of %lld agree, %lld in other words, %lld undecided\n",
               replay_check_names[checks[c]], (long long)n->agreed, (long long)n->compared,
               (long long)n->reworded, (long long)replay_undecided(n));
    }
    for (int c = 0; c < CHECKS; c++) {
        assert_true(r.counts[checks[c]].compared > 0);
        assert_int_equal(r.counts[checks[c]].agreed, r.counts[checks[c]].compared);
    }
    assert_int_equal(replay_undecided(&r.counts[REPLAY_R12]), 0);
    assert_int_equal(replay_undecided(&r.counts[REPLAY_R5]), 0);
    for (size_t i = 0; i < r.scores.n; i++)
        if (strcmp(r.scores.at[i].group, "reasoning") != 0)
            assert_int_equal(r.scores.at[i].ours, r.scores.at[i].solved);
    replay_report_drop(&r);
    replay_files_drop(&files);
    replay_runners_close(runners);
    mem_free(folder);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_and_cells),
        cmocka_unit_test(recordings_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
