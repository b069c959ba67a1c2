/* Numbers as Python 3 prints them. */
#ifndef BASE_PYTHON_REPR_H
#define BASE_PYTHON_REPR_H

#include "base/str.h"

/* repr(float): the fewest digits that give the number back; 1e+16 and 1e-05 with an exponent, 1.0 with a
 * point; inf, -inf, nan.  (CPython 3.11 Objects/floatobject.c, float_repr: format code 'r'.) */
void python_repr_real(Str *out, double real);

#endif
