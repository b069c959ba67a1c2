/* What Python's eval makes of an answer: numbers, strings, lists and the operators between them.  Calls,
 * attributes, indices and comprehensions are recognised and not carried out: PYTHON_BEYOND says so.
 *
 * Never runs a program: safe on any text.  Depth and work are bounded by the text's length. */
#ifndef EVAL_PYTHON_VALUE_H
#define EVAL_PYTHON_VALUE_H

#include "base/arena.h"
#include "base/str.h"

typedef enum {
    PYTHON_RAISES, /* eval raises: no expression, an unknown name, a division by zero ...      */
    PYTHON_BEYOND, /* perhaps an expression; its value needs a Python                          */
    PYTHON_BOOL,
    PYTHON_INT,
    PYTHON_BIG, /* an int outside int64_t, known as real only                              */
    PYTHON_FLOAT,
    PYTHON_COMPLEX, /* its real part is known                                                  */
    PYTHON_STR,
    PYTHON_LIST,
    PYTHON_TUPLE,
    PYTHON_SET,  /* in the order of the text; equal numbers once                               */
    PYTHON_OTHER /* None, a dict, bytes, a function, a module                                  */
} PythonKind;

typedef struct PythonValue PythonValue;
struct PythonValue {
    PythonKind kind;
    int64_t whole; /* of BOOL and INT                      */
    double real;   /* of BOOL to COMPLEX                   */
    Span text;     /* of STR; at is NULL where not known   */
    const PythonValue *items;
    size_t n;
};

/* eval(text) with the names that mint-bench's reasoning.py knows: the built-in ones, its imports (re, ast,
 * np, Rational ...), its own; not math.  The value lives as long as the arena and the text. */
PythonValue python_eval(Arena *arena, Span text);

bool python_is_number(const PythonValue *v); /* isinstance(v, (int, float)) */

#endif
