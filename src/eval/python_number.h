/* Python's arithmetic on the values of python_value.h. */
#ifndef EVAL_PYTHON_NUMBER_H
#define EVAL_PYTHON_NUMBER_H

#include "eval/python_value.h"

PythonValue python_int(int64_t whole);
PythonValue python_bool(bool truth);
PythonValue python_real(double real);

/* `a op b` for op of + - * / // % ** @ | & ^ << >>; PYTHON_RAISES where Python raises. */
PythonValue python_binary(Arena *arena, Span op, PythonValue a, PythonValue b);
/* op of + - ~ */
PythonValue python_unary(char op, PythonValue a);
/* op of < > <= >= == != between numbers; all else is PYTHON_BEYOND. */
PythonValue python_compare(Span op, PythonValue a, PythonValue b);

#endif
