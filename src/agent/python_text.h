/* What Python's str and float do to text, where a rule of a benchmark is defined by them.
 * Text is UTF-8; bytes that are not stay as they are. */
#ifndef AGENT_PYTHON_TEXT_H
#define AGENT_PYTHON_TEXT_H

#include "base/str.h"

/* str.strip(): without white space, Unicode's too, at both ends; a view. */
Span python_strip(Span s);
/* str.strip(chars): without the ASCII characters `chars` at both ends; a view. */
Span python_strip_of(Span s, const char *chars);
/* Appends str.lower(). */
void python_lower(Str *out, Span s);
/* float(s): false where Python raises ValueError.  "1e3", " inf", "nan", "1_000" and other scripts' digits
 * are numbers; "1,000" and "0x10" are none. */
bool python_float(double *out, Span s);
/* str.isdigit() but for the superscripts, of which float makes nothing. */
bool python_is_digits(Span s);

/* `needle in hay`; the empty needle is in everything. */
bool python_in(Span needle, Span hay);
/* Where needle begins in hay, at or after `from`, or hay.n + 1 when it does not. */
size_t python_find(Span hay, Span needle, size_t from);
/* s.split(mark)[-1] */
Span python_after_last(Span s, const char *mark);

#endif
