/* Sets of characters that regular expressions name. */
#ifndef INFER_REGEX_CLASS_H
#define INFER_REGEX_CLASS_H

#include "infer/grammar.h"

void ranges_add(CodeRanges *r, uint32_t first, uint32_t last);
void ranges_add_all(CodeRanges *r, const CodeRanges *more);
void ranges_normalise(CodeRanges *r); /* sorted, apart, without surrogates */
void ranges_negate(CodeRanges *r);    /* of a normalised one; so is the result */

/* One of d D w W s S.  Dialects differ between ASCII and Unicode: `wide` adds what any of them matches, else
 * what all of them match. */
void ranges_add_shorthand(CodeRanges *r, char letter, bool wide);
/* "L", "Lu", ...: a general category or all that begin with a letter.  False: no such name. */
bool ranges_add_category(CodeRanges *r, Span name);
/* What a dot matches in every dialect. */
void ranges_add_dot(CodeRanges *r);

#endif
