/* Text in columns, as wide as their widest cell, for people.
 *
 *     Columns c = {.align = "lrr"};          // a letter a column: l(eft), r(ight)
 *     columns_add(&c, "%s", name);  columns_add(&c, "%.4f", score);  columns_add(&c, "");
 *     columns_print(&c, stdout);  columns_drop(&c);
 *
 * With `.wrap` the last column goes on below itself where a line would be longer.
 * Cells come row by row.  Widths count characters, not bytes; control characters become blanks. */
#ifndef BASE_COLUMNS_H
#define BASE_COLUMNS_H

#include <stdio.h>

#include "base/array.h"
#include "base/str.h"

typedef struct {
    const char *align; /* borrowed; at most 16 columns */
    size_t wrap;       /* characters of a line, as columns_width says; 0: as many as there are */
    Array(char *) cells;
} Columns;

/* Characters of a line of the terminal behind `out`; `otherwise` where it is none. */
size_t columns_width(FILE *out, size_t otherwise);

void columns_add(Columns *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void columns_end_row(Columns *c); /* fills what is left of the row with empty cells */
/* Two blanks between columns, none at the ends of lines. */
void columns_text(const Columns *c, Str *out);
void columns_print(const Columns *c, FILE *out);
void columns_drop(Columns *c);

#endif
