/* Literals of Python: numbers and strings. */
#ifndef EVAL_PYTHON_LITERAL_H
#define EVAL_PYTHON_LITERAL_H

#include "eval/python_reader.h"

/* Where the quote of a string literal stands when one begins here, else NULL. */
const char *python_quote_at(const PythonReader *p);
/* One that begins here. */
PythonValue python_read_number(PythonReader *p);
PythonValue python_read_strings(PythonReader *p); /* literals side by side are one */

#endif
