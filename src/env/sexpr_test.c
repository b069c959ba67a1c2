/* Trees of parentheses: small ones, refused ones, and random bytes. */
#include "env/sexpr.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h> /* needs those above */
/* clang-format on */

/* The tree written again, with the line of each word. */
static void show(Str *out, const Sexpr *s)
{
    for (; s; s = s->next) {
        if (out->n && out->at[out->n - 1] != '(')
            str_addc(out, ' ');
        if (s->word) {
            str_addf(out, "%s@%d", s->word, s->line);
            continue;
        }
        str_addc(out, '(');
        show(out, s->first);
        str_addc(out, ')');
    }
}

static void trees(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"()", "()"},
        {"(a)", "(a@1)"},
        {" ; first\n( A (b\tC)\r\n;(no)\n d )\n; last", "(a@2 (b@2 c@2) d@4)"},
        {"(a,b , ?X-y ;\n:z)", "(a@1 b@1 ?x-y@1 :z@2)"},
        {"(a(b)(()c))", "(a@1 (b@1) (() c@1))"},
        {"(a;)\n)", "(a@1)"},
        {"(\xC3\xA4)", "(\xC3\xA4@1)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena arena = {0};
        Sexpr *s;
        Str shown = {0};
        if (sexpr_read(&s, &arena, span(cases[i].text), "t") != ST_OK)
            fail_msg("%s: %s", cases[i].text, error_text());
        show(&shown, s);
        assert_string_equal(str_c(&shown), cases[i].shown);
        str_drop(&shown);
        arena_drop(&arena);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "t: empty"},
        {" \n;(\n", "t: empty"},
        {"a (b)", "t: line 1: '(' expected, not \"a\""},
        {"\n)", "t: line 2: ')' without '('"},
        {"(a)\n)", "t: line 2: text behind the last parenthesis"},
        {"(a)\n(b)", "t: line 2: text behind the last parenthesis"},
        {"(a\n (b)\n (c\n", "t: line 3: '(' is never closed"},
        {"(a ;)", "t: line 1: '(' is never closed"},
        {"(a\nb\1)", "t: line 2: a control character"},
        {"(\x7F)", "t: line 1: a control character"},
    };
    Arena arena = {0};
    Sexpr *s;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(sexpr_read(&s, &arena, span(cases[i].text), "t"), ST_FORMAT);
        assert_string_equal(error_text(), cases[i].why);
    }
    assert_int_equal(sexpr_read(&s, &arena, (Span){"(a\0b)", 5}, "t"), ST_FORMAT);
    arena_drop(&arena);
}

/* SEXPR_DEPTH_MAX lists within each other are read, one more is not; nor are too many bytes. */
static void too_large(void **state)
{
    (void)state;
    Arena arena = {0};
    Sexpr *s;
    Str text = {0};
    for (int more = 0; more < 2; more++) {
        str_clear(&text);
        for (int i = 0; i < SEXPR_DEPTH_MAX + more; i++)
            str_adds(&text, "(\n");
        for (int i = 0; i < SEXPR_DEPTH_MAX + more; i++)
            str_adds(&text, ")");
        assert_int_equal(sexpr_read(&s, &arena, str_span(&text), "t"), more ? ST_LIMIT : ST_OK);
    }
    assert_string_equal(error_text(), "t: line 65: deeper than 64 lists");
    str_clear(&text);
    for (int i = 0; i <= SEXPR_BYTES_MAX; i++)
        str_addc(&text, i ? ' ' : '(');
    assert_int_equal(sexpr_read(&s, &arena, str_span(&text), "t"), ST_LIMIT);
    assert_string_equal(error_text(), "t: 8388609 bytes, more than 8388608");
    str_drop(&text);
    arena_drop(&arena);
}

/* A tree or a sentence, for bytes that end without a NUL. */
static void any_bytes(void **state)
{
    (void)state;
    static const char bytes[] = "(((())))ab?- ,;\n\n\xff\1";
    Rng rng;
    int read = 0;
    rng_seed(&rng, 3);
    for (int round = 0; round < 20000; round++) {
        Arena arena = {0};
        size_t n = rng_below(&rng, 12);
        char *text = malloc(n ? n : 1);
        for (size_t i = 0; i < n; i++)
            text[i] = bytes[rng_below(&rng, sizeof bytes - 1)];
        Sexpr *s;
        Status st = sexpr_read(&s, &arena, (Span){text, n}, "t");
        if (st == ST_OK) {
            read++;
            assert_true(!s->word && !s->next && s->line >= 1);
        } else {
            assert_int_equal(st, ST_FORMAT);
            assert_int_equal(strncmp(error_text(), "t: ", 3), 0);
        }
        free(text);
        arena_drop(&arena);
    }
    assert_true(read > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),
        cmocka_unit_test(refused),
        cmocka_unit_test(too_large),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
