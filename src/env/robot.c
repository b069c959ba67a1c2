#include "env/robot.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_file.h"
#include "base/mem.h"
#include "env/python.h"

/* The program inside; paths are from the folder that make runs in. */
extern const char robot_program_text[];
__asm__(".section .rodata\n"
        "robot_program_text:\n.incbin \"src/env/robot_problems.py\"\n"
        ".incbin \"src/env/robot_runner.py\"\n.byte 0\n"
        ".previous");

enum { SOURCE_MAX = 256 << 10, ANSWER_MAX = 1 << 20 };
static const double source_seconds = 5, start_seconds = 30;

const char *const robot_end_names[ROBOT_ENDS] = {
    "passed", "wrong", "raised", "no program", "refused", "no such function", "time"};

struct Robot {
    RobotSpec spec;
    PythonSpec python_spec;
    pthread_mutex_t lock; /* of what follows */
    Python *python;
    json_t *names; /* array: the problems that it has */
};

/* The session. ------------------------------------------------------------------------------------------- */

/* What a cell prints, JSON; `cell` is dropped. */
static Status take_answer(json_t **out, PythonCell *cell)
{
    Status st = ST_OK;
    if (cell->stopped)
        st = fail(ST_CANCELLED, "stopped");
    else if (cell->end != PYTHON_DONE)
        st = fail(ST_PEER, "the robot's interpreter: %.300s", str_c(&cell->text));
    else if (!(*out = json_loadb(str_c(&cell->text), cell->text.n, JSON_DECODE_ANY, NULL)))
        st = fail(ST_PEER, "the robot's interpreter says what is no JSON: %.100s", str_c(&cell->text));
    python_cell_drop(cell);
    return st;
}

static Status define(Robot *r)
{
    PythonCell cell;
    Status st = python_run(r->python, &cell, span(robot_program_text));
    if (st != ST_OK)
        return fail_in(ST_IO, "the robot's interpreter");
    if (cell.end != PYTHON_DONE && strstr(str_c(&cell.text), "ModuleNotFoundError"))
        st = fail(ST_UNSUPPORTED, "the sandbox's Python lacks what RoboCodeGen's functions use; Debian has "
                                  "python3-numpy and python3-shapely (./setup.sh installs them)");
    else if (cell.end != PYTHON_DONE)
        st = fail(ST_IO, "the robot's interpreter does not start: %.300s", str_c(&cell.text));
    python_cell_drop(&cell);
    return st;
}

static Status start(Robot *r)
{
    if (r->python && python_alive(r->python))
        return ST_OK;
    TRY(r->python ? python_restart(r->python) : python_start(&r->python, &r->python_spec));
    return define(r);
}

/* The request as a cell: JSON in ASCII is also a Python literal's inside, once it is JSON a second time. */
static void cell_of(Str *out, const json_t *request)
{
    char *text = json_dumps(request, JSON_ENSURE_ASCII | JSON_COMPACT);
    json_t *string = json_string(text);
    char *literal = json_dumps(string, JSON_ENCODE_ANY);
    str_addf(out, "robot(%s)", literal);
    free(literal);
    json_decref(string);
    free(text);
}

static Status ask_once(Robot *r, json_t **out, Span cell_text)
{
    PythonCell cell;
    TRY(start(r));
    TRY(python_run(r->python, &cell, cell_text));
    return take_answer(out, &cell);
}

/* Takes `request`.  A session that has ended, as it does with the thread that started it, is begun anew; it
 * is the request's fault where that ends, too: ST_PEER. */
static Status ask(Robot *r, json_t **out, json_t *request)
{
    Str text = {0};
    cell_of(&text, request);
    json_decref(request);
    pthread_mutex_lock(&r->lock);
    Status st = ask_once(r, out, str_span(&text));
    if (st == ST_PEER)
        st = ask_once(r, out, str_span(&text));
    pthread_mutex_unlock(&r->lock);
    str_drop(&text);
    return st;
}

Status robot_open(Robot **out, const RobotSpec *spec)
{
    Robot *r = mem_new(Robot);
    r->spec = *spec;
    if (!(r->spec.seconds > 0))
        r->spec.seconds = source_seconds;
    r->python_spec = (PythonSpec){.cell_seconds = r->spec.seconds + start_seconds,
                                  .output_chars = ANSWER_MAX,
                                  .stopped = spec->stopped,
                                  .stopped_context = spec->stopped_context};
    pthread_mutex_init(&r->lock, NULL);
    Status st = ask(r, &r->names, json_pack("{s:s}", "do", "names"));
    if (st == ST_OK)
        *out = r;
    else
        robot_close(r);
    return st;
}

void robot_close(Robot *r)
{
    if (!r)
        return;
    python_close(r->python);
    pthread_mutex_destroy(&r->lock);
    json_decref(r->names);
    mem_free(r);
}

/* Questions. --------------------------------------------------------------------------------------------- */

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

Status robot_knows(Robot *r, const json_t *problem)
{
    static const char *const tests[] = {"allclose", "equal", "shape"};
    const char *name = text_at(problem, "f_name"), *test = text_at(problem, "test_equiv");
    json_int_t inputs = json_integer_value(json_object_get(problem, "n_inputs"));
    bool known = false, tested = false;
    for (size_t i = 0; i < json_array_size(r->names); i++)
        known = known || strcmp(json_string_value(json_array_get(r->names, i)), name) == 0;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tested = tested || strcmp(tests[i], test) == 0;
    if (!known)
        return fail(ST_FORMAT, "'%.100s' is none of the functions that there are inputs for", name);
    if (!tested)
        return fail(ST_FORMAT, "%s: its test is '%.100s' and must be allclose, equal or shape", name, test);
    if (inputs < 1 || inputs > 100)
        return fail(ST_FORMAT, "%s: n_inputs must be 1 to 100", name);
    if (!*text_at(problem, "f_sig"))
        return fail(ST_FORMAT, "%s: no f_sig, its signature", name);
    return ST_OK;
}

static json_t *request_of(const Robot *r, const RobotTry *try, const char *what)
{
    const json_t *p = try->problem;
    json_t *helpers = json_array();
    for (size_t i = 0; i < try->helpers_n; i++)
        json_array_append_new(helpers,
                              json_pack("[s, o]", try->helpers[i].name, json_text(try->helpers[i].source)));
    return json_pack("{s:s, s:{s:s, s:O?, s:s}, s:s, s:o, s:o, s:b, s:f}", "do", what, "problem", "f_name",
                     text_at(p, "f_name"), "n_inputs", json_object_get(p, "n_inputs"), "test_equiv",
                     text_at(p, "test_equiv"), "defines", try->defines ? try->defines : text_at(p, "f_name"),
                     "source", json_text(try->source), "helpers", helpers, "together", try->together,
                     "seconds", r->spec.seconds);
}

static void take_verdict(RobotVerdict *out, const json_t *answer)
{
    static const struct {
        const char *name;
        RobotEnd end;
    } ends[] = {{"syntax", ROBOT_SYNTAX},
                {"refused", ROBOT_REFUSED},
                {"nothing", ROBOT_NOTHING},
                {"late", ROBOT_LATE}};
    const char *end = text_at(answer, "end"), *verdict;
    const json_t *inputs = json_object_get(answer, "inputs");
    out->passed = (int)json_integer_value(json_object_get(answer, "passed"));
    str_adds(&out->says, text_at(answer, "says"));
    str_adds(&out->bare, text_at(answer, "bare"));
    out->end = out->passed == out->inputs ? ROBOT_PASSED : ROBOT_RAISED;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strcmp(end, ends[i].name) == 0)
            out->end = ends[i].end;
    for (size_t i = 0; i < json_array_size(inputs) && out->end == ROBOT_RAISED; i++) {
        verdict = text_at(json_array_get(inputs, i), "verdict");
        if (strcmp(verdict, "passed") == 0)
            continue;
        out->end = strcmp(verdict, "wrong") == 0 ? ROBOT_WRONG : ROBOT_RAISED;
        break;
    }
}

static bool too_long(const RobotTry *try)
{
    size_t n = try->source.n;
    for (size_t i = 0; i < try->helpers_n; i++)
        n += try->helpers[i].source.n;
    return n > SOURCE_MAX;
}

Status robot_run(Robot *r, RobotVerdict *out, const RobotTry *try)
{
    json_t *answer = NULL;
    TRY(robot_knows(r, try->problem));
    str_clear(&out->says);
    str_clear(&out->bare);
    out->passed = 0;
    out->inputs = (int)json_integer_value(json_object_get(try->problem, "n_inputs"));
    if (too_long(try)) {
        out->end = ROBOT_REFUSED;
        str_addf(&out->says, "refused: the source has more than %d bytes", SOURCE_MAX);
        return ST_OK;
    }
    Status st = ask(r, &answer, request_of(r, try, "try"));
    if (st == ST_PEER) { /* it has brought the interpreter down; the next one finds a new one */
        out->end = ROBOT_RAISED;
        str_adds(&out->says, "its process ended");
        return ST_OK;
    }
    if (st == ST_OK)
        take_verdict(out, answer);
    json_decref(answer);
    return st;
}

void robot_verdict_drop(RobotVerdict *v)
{
    str_drop(&v->says);
    str_drop(&v->bare);
}

Status robot_calls(Robot *r, json_t **out, const RobotTry *try)
{
    if (too_long(try)) {
        *out = json_array();
        return ST_OK;
    }
    Status st = ask(r, out, request_of(r, try, "calls"));
    if (st == ST_PEER) {
        *out = json_array();
        return ST_OK;
    }
    return st;
}

void robot_query(Str *out, Span prompt, Span signature)
{
    str_add(out, prompt.at, prompt.n);
    str_adds(out, "\n# define function: ");
    str_add(out, signature.at, signature.n);
    str_addc(out, '.');
}

void robot_tell(Str *out, const RobotVerdict *v)
{
    str_addf(out, "%d of %d inputs pass.", v->passed, v->inputs);
    if (v->says.n)
        str_addf(out, "\n%s", str_c(&v->says));
}

static Status ask_text(Robot *r, Str *out, json_t *request)
{
    json_t *answer = NULL;
    TRY(ask(r, &answer, request));
    bool found = json_is_string(answer);
    if (found)
        str_add(out, json_string_value(answer), json_string_length(answer));
    json_decref(answer);
    return found ? ST_OK : fail(ST_ARG, "there is no solution of that name");
}

Status robot_solution(Robot *r, Str *out, const char *name)
{
    Status st = ask_text(r, out, json_pack("{s:s, s:s}", "do", "solution", "f_name", name));
    return st == ST_OK ? ST_OK : fail_in(st, "%.100s", name);
}

Status robot_inputs_hash(Robot *r, Str *out, const json_t *problems)
{
    return ask_text(r, out, json_pack("{s:s, s:O}", "do", "hash", "problems", problems));
}
