/* The programs in recorded MINT episodes, run by env/python in the sandbox, never without: R5 to R7. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "env/python.h"
#include "eval/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* One interpreter answers tests/mint_programs.py's questions, the other runs an episode's cells. */
typedef struct {
    Python *asked, *cells;
} Runner;

static bool runner_open(Runner *r)
{
    Str script = {0};
    PythonCell cell;
    static const PythonSpec plain = {0};
    *r = (Runner){0};
    assert_int_equal(file_read(&script, "tests/mint_programs.py", 0), ST_OK);
    if (python_start(&r->asked, &plain) != ST_OK || python_start(&r->cells, &plain) != ST_OK)
        return false;
    assert_int_equal(python_run(r->asked, &cell, str_span(&script)), ST_OK);
    assert_int_equal(cell.end, PYTHON_DONE);
    python_cell_drop(&cell);
    str_drop(&script);
    return true;
}

static void runner_close(Runner *r)
{
    python_close(r->asked);
    python_close(r->cells);
}

/* `function` of these texts: 1, 0, or -1 where the interpreter did not say. */
static int ask(Runner *r, const char *function, json_t *arguments)
{
    Str call = {0};
    PythonCell cell;
    char *text = json_dumps(arguments, JSON_ENSURE_ASCII); /* a list of texts means the same to Python */
    str_addf(&call, "print(%s(*%s))", function, text);
    free(text);
    json_decref(arguments);
    if (!python_alive(r->asked)) {
        runner_close(r);
        assert_true(runner_open(r));
    }
    assert_int_equal(python_run(r->asked, &cell, str_span(&call)), ST_OK);
    int said = strcmp(str_c(&cell.text), "True") == 0 ? 1 : strcmp(str_c(&cell.text), "False") == 0 ? 0 : -1;
    python_cell_drop(&cell);
    str_drop(&call);
    return said;
}

static Mark test_program(void *arg, Span solution, Span tests)
{
    int passes = ask(arg, "passes", json_pack("[s%, s%]", solution.at, solution.n, tests.at, tests.n));
    return passes < 0 ? MARK_UNDECIDED : passes ? MARK_RIGHT : MARK_WRONG;
}

static void begin_cells(void *arg)
{
    Runner *r = arg;
    assert_int_equal(python_restart(r->cells), ST_OK);
}

static Span last_line(Span text)
{
    size_t from = text.n;
    while (from > 0 && text.at[from - 1] != '\n')
        from--;
    return (Span){text.at + from, text.n - from};
}

static CellResult run_cell(void *arg, Str *out, Span code)
{
    Runner *r = arg;
    PythonCell cell;
    if (ask(r, "comparable", json_pack("[s%]", code.at, code.n)) != 1 ||
        python_run(r->cells, &cell, code) != ST_OK)
        return CELL_UNABLE;
    CellResult result = CELL_UNABLE;
    if (cell.end == PYTHON_DONE) {
        result = CELL_PRINTED;
        str_add(out, cell.text.at, cell.text.n);
    } else if (cell.end == PYTHON_RAISED && !cell.truncated) {
        Span line = last_line(str_span(&cell.text));
        result = CELL_RAISED;
        str_add(out, line.at, line.n);
    }
    python_cell_drop(&cell);
    return result;
}

static void tell(void *arg, ReplayCheck check, const char *file, int64_t line, const char *what)
{
    int *told = arg;
    if (check >= REPLAY_R5 && (*told)++ < 60)
        printf("  %s disagrees: %s:%lld: %.200s\n", replay_check_names[check], file, (long long)line, what);
}

static const char *data_folder(void)
{
    const char *set = getenv("LEMUR_DATA");
    return set && *set ? set : "../shared/data";
}

static void programs_agree(void **state)
{
    (void)state;
    char *folder = path_join(data_folder(), "mint/replay");
    Runner r = {0};
    if (!path_is_folder(folder)) {
        printf("SKIP no recordings in %s (set LEMUR_DATA)\n", folder);
        mem_free(folder);
        skip();
    }
    if (!runner_open(&r)) {
        printf("SKIP %s\n", error_text());
        runner_close(&r);
        mem_free(folder);
        skip();
    }
    assert_int_equal(test_program(&r, span("def f():\n    return 1"), span("assert f() == 1")), MARK_RIGHT);
    assert_int_equal(test_program(&r, span("def f():\n    return 2"), span("assert f() == 1")), MARK_WRONG);
    int told = 0;
    ReplayReport report = {0};
    ReplayPrograms programs = {&r, test_program, begin_cells, run_cell};
    ReplaySpec spec = {.data = data_folder(), .programs = &programs, .tell = tell, .arg = &told};
    Status st = replay_mint(&report, &spec, folder);
    runner_close(&r);
    mem_free(folder);
    if (st != ST_OK)
        fail_msg("%s", error_text());
    for (int i = REPLAY_R5; i < REPLAY_CHECKS; i++)
        printf("%-11s %lld of %lld agree, %lld undecided\n", replay_check_names[i],
               (long long)report.counts[i].agreed, (long long)report.counts[i].compared,
               (long long)report.counts[i].undecided);
    assert_int_equal(report.counts[REPLAY_R5].agreed, report.counts[REPLAY_R5].compared);
    assert_int_equal(report.counts[REPLAY_R5].undecided, 0);
    assert_int_equal(report.counts[REPLAY_R6].agreed, report.counts[REPLAY_R6].compared);
    /* The recordings' older Python words some errors otherwise. */
    assert_true(report.counts[REPLAY_R7].agreed * 100 >= report.counts[REPLAY_R7].compared * 95);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
