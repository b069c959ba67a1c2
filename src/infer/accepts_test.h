/* What a constraint allows, for tests: of a regular expression or a schema, byte by byte and at random. */
#ifndef INFER_ACCEPTS_TEST_H
#define INFER_ACCEPTS_TEST_H

#include <string.h>

#include "base/rng.h"
#include "infer/json_schema.h"
#include "infer/pushdown.h"
#include "infer/regex.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

typedef struct {
    Grammar *g;
    Pushdown *p;
    TokenTrie none; /* bytes need no tokens */
} Accepts;

static inline Status accepts_finish(Accepts *a, Status st, int32_t start)
{
    if (st == ST_OK)
        st = grammar_finish(a->g, start);
    if (st == ST_OK)
        a->p = pushdown_new(a->g, &a->none);
    return st;
}

static inline Status accepts_regex(Accepts *a, const char *pattern, RegexMode mode)
{
    Regex *r = NULL;
    int32_t start = GRAMMAR_NOTHING;
    *a = (Accepts){.g = grammar_new()};
    Status st = regex_parse(&r, span(pattern), mode);
    if (st == ST_OK)
        start = regex_build(r, a->g, grammar_chars, grammar_return(a->g));
    regex_free(r);
    return accepts_finish(a, st, start);
}

static inline Status accepts_schema(Accepts *a, const char *schema, bool compact)
{
    int32_t start = GRAMMAR_NOTHING;
    *a = (Accepts){.g = grammar_new()};
    Status st = json_schema_build(a->g, span(schema), compact, grammar_return(a->g), &start);
    return accepts_finish(a, st, start);
}

static inline void accepts_drop(Accepts *a)
{
    pushdown_free(a->p);
    grammar_free(a->g);
}

static inline bool accepts_bytes(Accepts *a, Span text)
{
    PushState s;
    assert_int_equal(pushdown_start(a->p, &s), ST_OK);
    assert_int_equal(pushdown_step(a->p, s, text, &s), ST_OK);
    return s && pushdown_may_end(a->p, s);
}

static inline bool accepts(Accepts *a, const char *text)
{
    return accepts_bytes(a, span(text));
}

static inline bool regex_takes(const char *pattern, const char *text)
{
    Accepts a;
    if (accepts_regex(&a, pattern, REGEX_WHOLE) != ST_OK)
        fail_msg("%s: %s", pattern, error_text());
    bool yes = accepts(&a, text);
    accepts_drop(&a);
    return yes;
}

static inline bool schema_takes(const char *schema, const char *text)
{
    Accepts a;
    if (accepts_schema(&a, schema, false) != ST_OK)
        fail_msg("%s: %s", schema, error_text());
    bool yes = accepts(&a, text);
    accepts_drop(&a);
    return yes;
}

static inline void expect_refusal(Accepts *a, Status got, Status expected, const char *source,
                                  const char *words)
{
    accepts_drop(a);
    if (got != expected || !strstr(error_text(), words))
        fail_msg("%s: %s \"%s\" instead of %s \"%s\"", source, status_name(got), got ? error_text() : "",
                 status_name(expected), words);
}

static inline void regex_refused(const char *pattern, Status expected, const char *words)
{
    Accepts a;
    Status st = accepts_regex(&a, pattern, REGEX_WHOLE);
    expect_refusal(&a, st, expected, pattern, words);
}

static inline void schema_refused(const char *schema, Status expected, const char *words)
{
    Accepts a;
    Status st = accepts_schema(&a, schema, false);
    expect_refusal(&a, st, expected, schema, words);
}

/* A text that the constraint allows, each byte at random; a quote is as likely as all others together, so
 * that strings end, and so is an end.  False where it grew past `most` bytes. */
static inline bool accepts_random(Accepts *a, Rng *rng, Str *text, size_t most)
{
    PushState s;
    assert_int_equal(pushdown_start(a->p, &s), ST_OK);
    str_clear(text);
    while (!(pushdown_may_end(a->p, s) && (rng_below(rng, 2) || !pushdown_may_go_on(a->p, s)))) {
        ByteSet set = pushdown_bytes(a->p, s);
        unsigned byte = '"';
        if (!byteset_has(&set, '"') || rng_below(rng, 2))
            do
                byte = (unsigned)rng_below(rng, rng_below(rng, 4) ? 128 : 256);
            while (!byteset_has(&set, byte) && (set.bits[0] | set.bits[1]));
        if (!byteset_has(&set, byte))
            do
                byte = 128 + (unsigned)rng_below(rng, 128);
            while (!byteset_has(&set, byte));
        str_addc(text, (char)byte);
        if (text->n > most)
            return false;
        assert_int_equal(pushdown_step(a->p, s, (Span){text->at + text->n - 1, 1}, &s), ST_OK);
        assert_true(s != 0);
    }
    return true;
}

#endif
