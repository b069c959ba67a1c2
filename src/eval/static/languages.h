/* Programming languages: how a program of one file is compiled and run in the sandbox, and how its end is
 * read. Commands and verdicts are those of MultiPL-E's container (nuprl/MultiPL-E, evaluation/src/eval_*.py,
 * containerized_eval.py, safe_subprocess), as Debian's packages have the tools.
 *
 * The sandbox shows /usr only: what is installed elsewhere (rustup and cargo below a home folder, /opt, a
 * Julia or Swift that was unpacked by hand) is not there. */
#ifndef EVAL_STATIC_LANGUAGES_H
#define EVAL_STATIC_LANGUAGES_H

#include "eval/static/code_task.h"

/* Commands are the shell's, with the private folder as working folder; NULL where there is none. */
typedef struct {
    const char *name;  /* in names of MultiPL-E's files: "cpp" */
    const char *key;   /* in its "language"; NULL: the name    */
    const char *title; /* for people: "C++"                    */
    const char *file;  /* what the program is called           */
    const char *compile, *run;
    const char *program;  /* that must be in the sandbox's /usr; the first of those that run */
    const char *probe;    /* succeeds where the tool works and has the libraries that tests use */
    const char *package;  /* of Debian 12; NULL: it has none */
    const char *shows;    /* absolute host paths, separated by blanks, that the tool reads beside /usr */
    const char *bad_word; /* in what is printed: the tests failed, whatever the exit status */
    bool quiet;           /* a program that writes to stderr has failed */
    const char *syntax;   /* in what is printed by one that failed: it is no program */
    const char *fences;   /* names of its code blocks, separated by blanks */
} Language;
extern const Language languages[]; /* name NULL at the end */
/* By "language" or name, in its own spelling; NULL: unknown. */
const Language *language_find(const char *key);

/* ST_OK: it can be used here.  ST_UNSUPPORTED: not, the sentence says what is missing and which package has
 * it. Others: of the sandbox. */
MUST_CHECK Status language_probe(const Language *l);

/* Compiles within LANGUAGE_COMPILE_SECONDS and runs for at most `seconds`; `verdict` is CODE_WRONG where it
 * ended with a failure.  Fills verdict and says. */
enum { LANGUAGE_COMPILE_SECONDS = 45 };
MUST_CHECK Status language_run(CodeMark *out, const Language *l, Span program, double seconds);

#endif
