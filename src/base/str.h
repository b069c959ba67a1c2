/* Text as (pointer, length), and a growing text buffer that is always NUL-terminated. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Borrowed bytes; not NUL-terminated; may hold any byte. */
typedef struct {
    const char *at;
    size_t n;
} Span;

Span span(const char *s); /* of a C string */
bool span_is(Span s, const char *text);
bool span_starts(Span s, const char *prefix);
bool span_ends(Span s, const char *suffix);
Span span_trim(Span s);           /* without ASCII white space at both ends */
Span words_next(const char **at); /* the next word of "a list of words"; n is 0 at the end */
/* The next item of "a, list,with commas", trimmed, maybe empty; false at the end, behind a last comma too,
 * and where *at is NULL. */
bool list_next(Span *item, const char **at);

/* A growing buffer.  {0} is an empty one.  `at` is NULL until the first append. */
typedef struct {
    char *at;
    size_t n, cap;
} Str;

void str_reserve(Str *s, size_t more);
void str_add(Str *s, const void *bytes, size_t n);
void str_adds(Str *s, const char *text);
void str_addc(Str *s, char c);
void str_addf(Str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_add_utf8(Str *s, uint32_t codepoint);          /* invalid code points become U+FFFD */
void str_add_valid(Str *s, const char *text, size_t n); /* each byte that is no UTF-8 becomes U+FFFD */
void str_clear(Str *s);                                 /* keeps the memory */
void str_drop(Str *s);
Span str_span(const Str *s);
const char *str_c(const Str *s); /* NUL-terminated view, "" when empty */

/* Decodes one UTF-8 character of s[0..n) into *codepoint; returns its length in bytes, or 0 when the bytes
 * are not valid UTF-8 (over-long forms, surrogates and values above U+10FFFF are not). */
int utf8_decode(uint32_t *codepoint, const char *s, size_t n);
/* Bytes the sequence that starts with `first` should have: 1..4, 0 for a continuation or impossible byte. */
int utf8_length(unsigned char first);
bool utf8_valid(const char *s, size_t n);

/* "1.5 GB", "23.0 M", "1 h 02 min": for people; the buffer is the caller's and returned. */
const char *human_bytes(char buf[32], double bytes);
const char *human_count(char buf[32], double count);
const char *human_time(char buf[32], double seconds);

/* Whole-string conversions: ST_ARG with a sentence where text remains or the value is out of range. */
/* Decimal, with an optional suffix k, M or G (powers of 1000).  ST_ARG. */
MUST_CHECK Status parse_int(int64_t *out, const char *text);
MUST_CHECK Status parse_double(double *out, const char *text);

/* Nearest of names[0..n) to `word` by edit distance, or NULL when none is near: for "did you mean". */
const char *nearest_name(const char *word, const char *const *names, size_t n);

#endif
