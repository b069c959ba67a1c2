/* Where a reader of Python's expressions stands, and the words and marks there.  For python_literal.c and
 * python_value.c, which read the rest.
 *
 * Three flags end in two answers.  `broken` (no expression) and `raised` (evaluating it raises) are both
 * PYTHON_RAISES, so which comes first does not matter; `beyond` (a construct whose names are bound inside it)
 * gives up at once.  What may not be evaluated (the right side of a decided `and`, the other side of an `if`)
 * is read with `unasked`, where nothing raises. */
#ifndef EVAL_PYTHON_READER_H
#define EVAL_PYTHON_READER_H

#include "eval/python_value.h"

typedef struct {
    Arena *arena;
    const char *at, *end;
    int brackets, depth, unasked;
    bool broken, beyond, raised;
} PythonReader;

extern const PythonValue python_beyond, python_other; /* values of these kinds */

bool python_stopped(const PythonReader *p);
/* No expression; what its value would be.  A construct that is given up; likewise.  An operation that raises. */
PythonValue python_break_off(PythonReader *p);
PythonValue python_give_up(PythonReader *p);
PythonValue python_fails(PythonReader *p);
/* A value that an operation gave; PYTHON_RAISES is noted and goes on as unknown. */
PythonValue python_noted(PythonReader *p, PythonValue v);

/* Blanks, comments and joined lines; line ends inside brackets. */
void python_skip_space(PythonReader *p);
bool python_is_name_char(char c);
bool python_is_digit(char c);
bool python_is_among(Span word, const char *const *words);
Span python_word_at(const PythonReader *p); /* a name or keyword; n is 0 where there is none */
bool python_take_word(PythonReader *p, const char *word);
Span python_operator_at(PythonReader *p); /* the longest one, behind blanks; n is 0 where there is none */
bool python_take(PythonReader *p, const char *op);
char python_next_char(PythonReader *p); /* behind blanks; 0 at the end */

#endif
