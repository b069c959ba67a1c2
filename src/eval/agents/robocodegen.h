/* RoboCodeGen: 37 functions of a robot's program to write (Liang et al. 2022, arXiv:2209.07753, table II),
 * run on frozen inputs by env/robot.h.  robocodegen.c reads the data and has one answer marked, flat or
 * hierarchical; robocodegen_debug.c lets the model try again, told what went wrong. */
#ifndef EVAL_AGENTS_ROBOCODEGEN_H
#define EVAL_AGENTS_ROBOCODEGEN_H

#include "env/robot.h"
#include "eval/benchmark.h"

/* As the notebook's two ways, and one of several turns. */
extern const Benchmark robocodegen, robocodegen_flat, robocodegen_debug;

#define ROBOCODEGEN_SOURCE                                                                                 \
    "Code as Policies, arXiv:2209.07753; google-research/google-research, code_as_policies, Apache-2.0;\n" \
    "signatures and prompt are written out of its notebook (docs/eval.md), inputs and solutions are ours"
extern const char *const robocodegen_programs[];
extern const DataFile robocodegen_files[];

/* What all questions share. */
typedef struct {
    Robot *robot;
    Str prompt; /* robocodegen/prompt.txt                                               */
    Str form;   /* robocodegen/chat.txt: the words around it that a chat model is sent */
    bool has_form;
} RoboCodeGen;

/* Reads the problems and prompts and begins the robot's interpreter; facts hold their hashes. */
MUST_CHECK Status robocodegen_open(const EvalRun *run, Questions *out, void **state);
void robocodegen_close(void *state);

/* Appends what a model is asked for a function of this signature. */
MUST_CHECK Status robocodegen_prompt(Str *out, const EvalRun *run, const RoboCodeGen *g, Span signature);

/* What one answer is asked for by: 512 tokens, temperature 0, and for a model that continues texts the stops.
 */
AskText robocodegen_how(const EvalRun *run);

/* The source in an answer: of a chat model what is between fences, without the lines by which it repeats the
 * prompt's imports.  Appends. */
void robocodegen_source(Str *out, const EvalRun *run, const RoboCodeGen *g, Span answer);

/* Metrics pass and inputs, kind and "verdict", "says" in `more`, from the last verdict on an answer. */
void robocodegen_mark(Sample *out, const RobotVerdict *v);

/* The constant of one of the three benchmarks. */
#define ROBOCODEGEN(name_, says, open_, ask_)                                                               \
    {                                                                                                       \
        .name = name_, .groups = "", .about = says, .source = ROBOCODEGEN_SOURCE, .metric = "pass",         \
        .version = 2, .needs = NEEDS_SANDBOX, .programs = robocodegen_programs, .files = robocodegen_files, \
        .open = open_, .ask = ask_, .close = robocodegen_close                                              \
    }

#endif
