#include "infer/regex_class.h"

#include "infer/accepts_test.h"

static bool has(const CodeRanges *r, uint32_t code)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i].first <= code && code <= r->at[i].last)
            return true;
    return false;
}

static void lists_are_put_in_order(void **state)
{
    (void)state;
    CodeRanges r = {0};
    ranges_add(&r, 'm', 'z');
    ranges_add(&r, 'a', 'c');
    ranges_add(&r, 'd', 'f');
    ranges_add(&r, 'n', 'o');
    ranges_add(&r, 0xD000, 0xE005);
    ranges_normalise(&r);
    assert_int_equal(r.n, 4); /* a-f, m-z, both sides of the surrogates */
    assert_int_equal(r.at[0].last, 'f');
    assert_int_equal(r.at[1].last, 'z');
    assert_int_equal(r.at[2].last, 0xD7FF);
    assert_int_equal(r.at[3].first, 0xE000);
    ranges_negate(&r);
    assert_true(has(&r, 'g') && has(&r, 0) && has(&r, 0x10FFFF));
    assert_false(has(&r, 'a') || has(&r, 0xD800) || has(&r, 0xDFFF) || has(&r, 0xE000));
    ranges_negate(&r);
    assert_int_equal(r.n, 4);
    r.n = 0;
    ranges_negate(&r);
    assert_int_equal(r.n, 2);
    ranges_negate(&r);
    assert_int_equal(r.n, 0);
    array_drop(&r);
}

/* A shorthand and its negation never overlap, and what dialects disagree on is in neither. */
static void shorthands_are_what_all_agree_on(void **state)
{
    (void)state;
    static const struct {
        char letter, negated;
        uint32_t inside, outside, disputed;
    } all[] = {{'d', 'D', '7', 'x', 0x0663}, {'w', 'W', '_', '-', 0xE9}, {'s', 'S', '\t', 'x', 0xA0}};
    for (int i = 0; i < 3; i++) {
        CodeRanges yes = {0}, no = {0}, wide = {0};
        ranges_add_shorthand(&yes, all[i].letter, false);
        ranges_add_shorthand(&no, all[i].negated, false);
        ranges_add_shorthand(&wide, all[i].letter, true);
        assert_true(has(&yes, all[i].inside) && has(&no, all[i].outside));
        assert_false(has(&yes, all[i].disputed) || has(&no, all[i].disputed));
        assert_true(has(&wide, all[i].disputed));
        for (uint32_t c = 0; c < 0x3000; c++)
            assert_false(has(&yes, c) && has(&no, c));
        array_drop(&yes);
        array_drop(&no);
        array_drop(&wide);
    }
}

static void categories_have_names(void **state)
{
    (void)state;
    CodeRanges r = {0};
    assert_true(ranges_add_category(&r, span("Lu")));
    assert_true(has(&r, 'A') && has(&r, 0xC9));
    assert_false(has(&r, 'a'));
    r.n = 0;
    assert_true(ranges_add_category(&r, span("L")));
    assert_true(has(&r, 'a') && has(&r, 0x65E5));
    assert_false(has(&r, '1'));
    r.n = 0;
    assert_false(ranges_add_category(&r, span("Greek")));
    assert_false(ranges_add_category(&r, span("Lx")));
    assert_false(ranges_add_category(&r, span("")));
    array_drop(&r);
}

static void a_dot_is_no_line_end(void **state)
{
    (void)state;
    CodeRanges r = {0};
    ranges_add_dot(&r);
    ranges_normalise(&r);
    assert_true(has(&r, 'a') && has(&r, 0x10FFFF) && has(&r, 0));
    assert_false(has(&r, '\n') || has(&r, '\r') || has(&r, 0x2028) || has(&r, 0x2029) || has(&r, 0x85));
    array_drop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_put_in_order),
        cmocka_unit_test(shorthands_are_what_all_agree_on),
        cmocka_unit_test(categories_have_names),
        cmocka_unit_test(a_dot_is_no_line_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
