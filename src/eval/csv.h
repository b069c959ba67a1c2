/* Comma-separated values, row by row: RFC 4180 as Python's csv module and pandas read it.
 *
 *     Csv c = csv_open(text);
 *     while ((st = csv_next(&c)) == ST_OK && c.fields)
 *         ... csv_field(&c, 0) ...
 *     csv_drop(&c);
 *
 * A field that begins with a quote ends at the next one that is not doubled, and may hold commas and line
 * ends; what follows it up to the comma belongs to the field.  A quote elsewhere is a quote.  Rows end with
 * "\n", "\r\n" or "\r"; empty lines are passed over, and a UTF-8 mark at the beginning too. */
#ifndef EVAL_CSV_H
#define EVAL_CSV_H

#include "base/array.h"
#include "base/str.h"

typedef struct {
    Span text; /* borrowed */
    size_t at;
    int64_t line;  /* of `at`, from 1 */
    size_t fields; /* of the row that was read; 0: there are no more */
    Str bytes;     /* the fields' texts, one behind the other */
    Array(size_t) ends;
} Csv;

Csv csv_open(Span text);
/* ST_FORMAT: a quote without its other before the end of the text, which was cut off; or a NUL byte.  The
 * sentence has the line.  Every later call says the same. */
MUST_CHECK Status csv_next(Csv *c);
Span csv_field(const Csv *c, size_t i); /* valid until the next csv_next */
void csv_drop(Csv *c);

#endif
