/* Regular expressions as constraints: what PCRE2, Python's re and ECMAScript write and mean alike.
 *
 *     Regex *r;
 *     TRY(regex_parse(&r, span("[a-z]+(-[0-9]{2})?"), REGEX_WHOLE));
 *     start = regex_build(r, g, grammar_chars, next);
 *     regex_free(r);
 *
 * Honoured: characters and classes (ranges, negation, \d \w \s \D \W \S, \p{L} and the other general
 * categories), dot, groups (plain, (?:...), named), alternation, * + ? {m} {m,} {m,n}, lazy forms (the
 * language is the same), escapes
 * (\t \n \r \f \v \0 \cX \xHH \x{H} \uHHHH \u{H}), and ^ and $ at the two ends.  Back references,
 * look-around, word boundaries, atomic groups, possessive quantifiers, flags and recursion are refused by
 * name.
 *
 * Where the dialects differ in what they match (\d is ASCII for one and Unicode for another; the dot stops at
 * "\n" or at U+2028 too), only that is allowed which all of them match. */
#ifndef INFER_REGEX_H
#define INFER_REGEX_H

#include "infer/grammar.h"

typedef struct Regex Regex;

enum { REGEX_DEPTH = 250, REGEX_REPEAT = 1000000, REGEX_BYTES = 1 << 20 };

typedef enum {
    REGEX_WHOLE,  /* the text is the match; ^ and $ at the ends say nothing new */
    REGEX_SEARCH, /* the match is somewhere in the text, as JSON Schema's "pattern" */
} RegexMode;

/* ST_ARG: not a regular expression.  ST_UNSUPPORTED: uses what is not honoured.  ST_LIMIT: groups too deep,
 * counts too large.  Each names the place. */
MUST_CHECK Status regex_parse(Regex **out, Span pattern, RegexMode mode);
void regex_free(Regex *r);

/* How one character of a list becomes nodes: grammar_chars or grammar_json_chars. */
typedef int32_t RegexChars(Grammar *g, const CodeRange *ranges, size_t n, int32_t next);
int32_t regex_build(const Regex *r, Grammar *g, RegexChars *chars, int32_t next);
/* How many characters its texts have, at least and at most; the latter GRAMMAR_FOREVER: none below it. */
void regex_lengths(const Regex *r, int32_t *min, int32_t *max);
/* Those texts of it that have min to max characters (GRAMMAR_FOREVER: any number from min on).  Grows with
 * the length; too much of it is the grammar's too_large. */
int32_t regex_build_bounded(const Regex *r, Grammar *g, RegexChars *chars, int32_t min, int32_t max,
                            int32_t next);

#endif
