#include "eval/replay_programs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "env/household_tools.h"
#include "eval/program.h"

/* The path is from the folder that make runs in. */
extern const char replay_cells_text[];
__asm__(".section .rodata\n"
        "replay_cells_text:\n.incbin \"src/eval/replay_cells.py\"\n.byte 0\n"
        ".previous");

/* One thread's.  Sessions die with the thread that starts them, so they are started where they are used. */
typedef struct {
    Python *asked, *cells; /* NULL: not started */
    bool stale;            /* `cells` holds what another episode left */
    HouseholdPlay *play;   /* of `world`                              */
    Python *world;         /* with the household's functions          */
    ProgramVerdict verdict;
} Runner;

struct ReplayRunners {
    int n;
    Runner *runners;
    ReplayPrograms *programs;
};

static const PythonSpec plain = {0};

static void close_session(Python **p)
{
    python_close(*p);
    *p = NULL;
}

static Status run_quietly(Python *p, Span code, Str *said)
{
    PythonCell cell;
    TRY(python_run(p, &cell, code));
    Status st = cell.end == PYTHON_DONE ? ST_OK : fail(ST_PEER, "%.200s", str_c(&cell.text));
    if (said)
        str_add(said, cell.text.at, cell.text.n);
    python_cell_drop(&cell);
    return st;
}

static Status open_asked(Runner *r)
{
    if (r->asked && python_alive(r->asked))
        return ST_OK;
    close_session(&r->asked);
    TRY(python_start(&r->asked, &plain));
    return run_quietly(r->asked, span(replay_cells_text), NULL);
}

/* Whether the cell can be compared; *why not. */
static bool is_comparable(Runner *r, ReplayWhy *why, Span code)
{
    Str call = {0}, said = {0};
    json_t *text = json_stringn(code.at, code.n);
    char *literal = text ? json_dumps(text, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    *why = REPLAY_NOT_RUN;
    bool asked = false;
    if (literal && open_asked(r) == ST_OK) {
        str_addf(&call, "print('<' + comparable(%s) + '>')", literal);
        asked = run_quietly(r->asked, str_span(&call), &said) == ST_OK && span_starts(str_span(&said), "<");
    }
    free(literal);
    json_decref(text);
    bool yes = asked && span_is(str_span(&said), "<>");
    if (asked && !yes)
        *why = REPLAY_BEYOND;
    str_drop(&call);
    str_drop(&said);
    return yes;
}

static bool open_cells(Runner *r)
{
    if (r->cells && !r->stale && python_alive(r->cells))
        return true;
    Status st = r->cells ? python_restart(r->cells) : python_start(&r->cells, &plain);
    r->stale = false;
    return st == ST_OK;
}

static Mark test_program(void *arg, Span solution, Span tests)
{
    Runner *r = arg;
    if (program_test(&r->verdict, solution, tests, 0) != ST_OK)
        return MARK_UNDECIDED;
    return r->verdict.end == PROGRAM_PASSED ? MARK_RIGHT : MARK_WRONG;
}

static void begin_cells(void *arg)
{
    Runner *r = arg;
    r->stale = true;
}

static CellResult run_cell(void *arg, Str *out, ReplayWhy *why, Span code)
{
    Runner *r = arg;
    PythonCell cell;
    CellResult result = CELL_UNABLE;
    if (!is_comparable(r, why, code))
        return CELL_UNABLE;
    *why = REPLAY_NOT_RUN;
    if (!open_cells(r) || python_run(r->cells, &cell, code) != ST_OK)
        return CELL_UNABLE;
    if (cell.end == PYTHON_DONE) {
        result = CELL_PRINTED;
        str_add(out, cell.text.at, cell.text.n);
    } else if (cell.end == PYTHON_RAISED && cell.truncated) {
        *why = REPLAY_CUT;
    } else if (cell.end == PYTHON_RAISED) {
        result = CELL_RAISED;
        str_add(out, cell.text.at, cell.text.n);
    } else if (cell.end == PYTHON_TIMED_OUT) {
        *why = REPLAY_TIME_LIMIT;
    }
    python_cell_drop(&cell);
    return result;
}

static bool begin_world(void *arg, const Household *game)
{
    Runner *r = arg;
    if (!r->play)
        r->play = household_play_new();
    household_play_begin(r->play, game);
    PythonSpec spec = {.tools = household_play_tools(r->play), .tools_n = HOUSEHOLD_TOOLS};
    return (r->world ? python_restart(r->world) : python_start(&r->world, &spec)) == ST_OK;
}

static CellResult act_in_world(void *arg, Str *out, ReplayWhy *why, Span code, bool *succeeded)
{
    Runner *r = arg;
    PythonCell cell;
    *why = REPLAY_NOT_RUN;
    if (!r->world || !python_alive(r->world) || python_run(r->world, &cell, code) != ST_OK)
        return CELL_UNABLE;
    if (cell.end == PYTHON_TIMED_OUT)
        *why = REPLAY_TIME_LIMIT;
    bool ended = cell.end == PYTHON_DONE || cell.end == PYTHON_RAISED;
    if (ended)
        str_add(out, str_c(&cell.text), cell.text.n);
    CellResult result = !ended ? CELL_UNABLE : cell.end == PYTHON_DONE ? CELL_PRINTED : CELL_RAISED;
    *succeeded = household_play_succeeded(r->play);
    python_cell_drop(&cell);
    return result;
}

static void end_file(void *arg)
{
    Runner *r = arg;
    close_session(&r->asked);
    close_session(&r->cells);
    close_session(&r->world);
    household_play_free(r->play);
    r->play = NULL;
}

Status replay_runners_open(ReplayRunners **out, int threads)
{
    Python *probe;
    TRY(python_start(&probe, &plain));
    python_close(probe);
    ReplayRunners *r = mem_new(ReplayRunners);
    r->n = threads;
    r->runners = mem_array(Runner, threads);
    r->programs = mem_array(ReplayPrograms, threads);
    for (int i = 0; i < threads; i++)
        r->programs[i] = (ReplayPrograms){.arg = &r->runners[i],
                                          .test = test_program,
                                          .begin = begin_cells,
                                          .cell = run_cell,
                                          .begin_world = begin_world,
                                          .act = act_in_world,
                                          .end = end_file};
    *out = r;
    return ST_OK;
}

const ReplayPrograms *replay_runners_programs(const ReplayRunners *r)
{
    return r->programs;
}

void replay_runners_close(ReplayRunners *r)
{
    if (!r)
        return;
    for (int i = 0; i < r->n; i++) {
        end_file(&r->runners[i]);
        program_verdict_drop(&r->runners[i].verdict);
    }
    mem_free(r->runners);
    mem_free(r->programs);
    mem_free(r);
}
