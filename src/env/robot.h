/* RoboCodeGen's world: functions that a model writes, run on frozen inputs inside a sandbox with NumPy and
 * Shapely.
 *
 *     Robot *r;
 *     TRY(robot_open(&r, &(RobotSpec){0}));
 *     RobotTry try = {.problem = problem, .source = span("def reverse_pts(pts_np): ...")};
 *     RobotVerdict v = {0};
 *     TRY(robot_run(r, &v, &try));              v.end == ROBOT_PASSED, v.passed == 5
 *     robot_verdict_drop(&v);
 *     robot_close(r);
 *
 * Names, signatures, equality tests and numbers of inputs are data (robocodegen/problems.json); inputs and
 * solutions are ours, robot_problems.py, and robot_runner.py says by which rules a source is run: neither
 * "import" nor "__" in it, exec and eval do nothing, an exception or None fails.
 *
 * One interpreter serves all sources, each in a fork of its own: some three milliseconds a source.  What this
 * does not stop: a source that searches its process finds the solutions there, or forges its verdict.
 * Source: google-research/google-research, code_as_policies/Experiment_ Robot Code-Gen Benchmark.ipynb. */
#ifndef ENV_ROBOT_H
#define ENV_ROBOT_H

#include <jansson.h>

#include "base/str.h"

#define ROBOT_PROBLEMS "robocodegen/problems.json"
#define ROBOT_PROMPT "robocodegen/prompt.txt"

/* What is 0 has its default. */
typedef struct {
    double seconds;                 /* of a source, all inputs together; 5 */
    bool (*stopped)(void *context); /* true: robot_run fails soon with ST_CANCELLED; NULL: nobody asks */
    void *stopped_context;
} RobotSpec;

typedef struct Robot Robot; /* any number of threads, whose sources run one after the other */

/*   ST_UNSUPPORTED  no sandbox, or its Python has no NumPy or Shapely; others as of python_start.
 * When the thread that opened it ends, the next call starts anew in its own. */
MUST_CHECK Status robot_open(Robot **out, const RobotSpec *spec);
void robot_close(Robot *r); /* NULL is fine */

/* Whether we have a solution and inputs for a problem as the data has it; ST_FORMAT says what is wrong. */
MUST_CHECK Status robot_knows(Robot *r, const json_t *problem);

/* A function that a source may call, and how it came. */
typedef struct {
    const char *name;
    Span source;
} RobotFunction;

typedef struct {
    const json_t *problem;        /* as the data has it */
    const char *defines;          /* the function's name in the source, where it is not the problem's; NULL */
    Span source;                  /* any bytes */
    const RobotFunction *helpers; /* [helpers_n]; each sees those before it */
    size_t helpers_n;
    bool together; /* a source's functions see one another and themselves; the original's do not */
} RobotTry;

typedef enum {
    ROBOT_PASSED,
    ROBOT_WRONG,   /* another value for some input                                  */
    ROBOT_RAISED,  /* an exception for some input, or before; or its process ended  */
    ROBOT_SYNTAX,  /* no Python                                                     */
    ROBOT_REFUSED, /* it holds what may not be in a source                          */
    ROBOT_NOTHING, /* no function of that name                                      */
    ROBOT_LATE,    /* still running at the end of its seconds                       */
    ROBOT_ENDS
} RobotEnd;
extern const char *const robot_end_names[ROBOT_ENDS]; /* "passed", "wrong", ... */

typedef struct {
    RobotEnd end; /* of the first input that did not pass */
    int inputs, passed;
    Str says;   /* UTF-8: which input, what it came to and what is right; empty if all passed */
    Str bare;   /* the exception's text alone, as the original records it */
} RobotVerdict; /* {0} the first time; later calls keep the memory */
void robot_verdict_drop(RobotVerdict *v);

/* However it ends is data in *out.  ST_FORMAT: as of robot_knows; others as of python_start. */
MUST_CHECK Status robot_run(Robot *r, RobotVerdict *out, const RobotTry *try);

/* What the function of `source` calls and nobody has, neither it, the helpers, the problem nor Python: an array
 * of [name, signature], "y = f(x)" where a call's value is given a name; new reference. */
MUST_CHECK Status robot_calls(Robot *r, json_t **out, const RobotTry *try);

/* Appends prompt, line end and what is asked, as the original puts it to a model: "# define function: y =
 * f(x)." */
void robot_query(Str *out, Span prompt, Span signature);
/* Appends how many inputs pass and what is wrong, a line or two for who wrote the source. */
void robot_tell(Str *out, const RobotVerdict *v);

/* Appends our solution.  ST_ARG: there is none of that name. */
MUST_CHECK Status robot_solution(Robot *r, Str *out, const char *name);

/* Appends SHA-256 of the inputs of all problems, in hexadecimal. */
MUST_CHECK Status robot_inputs_hash(Robot *r, Str *out, const json_t *problems);

#endif
