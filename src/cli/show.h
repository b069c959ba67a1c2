/* Text that a program or a model wrote, on a terminal that it must not govern. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/str.h"

/* Writes the text.  `guard`: control characters but line ends and tabs show as ^X and do nothing (they move
 * the cursor, rename the window, answer in the user's name), and so do, as <U+202E>, those that turn the
 * direction of writing, by which code can look like other code. */
void show_text(FILE *out, Span text, bool guard);
/* The same, each line with `margin` in front, at most `lines` of them (0: all), then how many are left out;
 * ends with a line end unless there is nothing. */
void show_lines(FILE *out, Span text, const char *margin, size_t lines, bool guard);

/* A line of this program's own, always guarded: it may quote models and files.  What was written to `out`
 * comes first. */
void show_note(FILE *notes, FILE *out, const char *fmt, va_list args);

#endif
