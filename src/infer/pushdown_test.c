#include "infer/accepts_test.h"
#include "infer/cycle_test.h"

static void begin(Accepts *a, const char *schema, const Tokenizer *t)
{
    assert_int_equal(accepts_schema(a, schema, true), ST_OK);
    pushdown_free(a->p);
    token_trie_init(&a->none, t, NULL, 0);
    a->p = pushdown_new(a->g, &a->none);
}

static PushState after(Accepts *a, const char *text)
{
    PushState s;
    assert_int_equal(pushdown_start(a->p, &s), ST_OK);
    assert_int_equal(pushdown_step(a->p, s, span(text), &s), ST_OK);
    assert_true(s != 0);
    return s;
}

static bool byte_allowed(const uint64_t *mask, unsigned char byte)
{
    int32_t id = CYCLE_BYTES + byte;
    return mask[id / 64] >> (id % 64) & 1;
}

/* The same place in different callers: the string's mask is made once, what follows it is the caller's. */
static void rules_are_masked_in_their_callers(void **state)
{
    (void)state;
    Tokenizer *t = cycle_tokenizer();
    Accepts a;
    begin(&a,
          "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\",\"maximum\":9,\"minimum\":0},{\"type\":"
          "\"array\","
          "\"minItems\":2,\"items\":{\"type\":\"integer\",\"maximum\":9,\"minimum\":0}}]}",
          t);
    uint64_t mask[CYCLE_TOKENS / 64 + 1] = {0}, inner[CYCLE_TOKENS / 64 + 1] = {0};
    assert_int_equal(pushdown_mask(a.p, after(&a, "[5"), mask), ST_OK);
    assert_true(byte_allowed(mask, ',') && byte_allowed(mask, ']'));
    assert_int_equal(pushdown_mask(a.p, after(&a, "[5,[7"), inner), ST_OK);
    assert_true(byte_allowed(inner, ','));
    assert_false(byte_allowed(inner, ']') || byte_allowed(inner, '7'));
    token_trie_drop(&a.none);
    accepts_drop(&a);
    tokenizer_close(t);
}

static void a_saved_state_outlives_its_generation(void **state)
{
    (void)state;
    Tokenizer *t = cycle_tokenizer();
    Accepts a;
    begin(&a, "{\"type\":\"string\",\"maxLength\":1000000}", t);
    PushState s = after(&a, "\"abc");
    SavedState saved = {0};
    pushdown_save(a.p, s, &saved);
    int64_t generation = pushdown_generation(a.p);
    pushdown_trim(a.p);
    assert_int_equal(pushdown_generation(a.p), generation); /* nothing to forget yet */
    for (int i = 0; pushdown_memory(a.p) <= PUSHDOWN_MEMORY; i++) {
        assert_true(i < 1000000);
        assert_int_equal(pushdown_step(a.p, s, span("x"), &s), ST_OK);
    }
    pushdown_trim(a.p);
    assert_int_equal(pushdown_generation(a.p), generation + 1);
    s = pushdown_restore(a.p, &saved);
    assert_int_equal(pushdown_step(a.p, s, span("d\""), &s), ST_OK);
    assert_true(pushdown_may_end(a.p, s));
    array_drop(&saved);
    token_trie_drop(&a.none);
    accepts_drop(&a);
    tokenizer_close(t);
}

/* As deep as frames reach, and not deeper: a mask never allows what leads into nothing. */
static void nesting_has_a_limit(void **state)
{
    (void)state;
    Tokenizer *t = cycle_tokenizer();
    Accepts a;
    begin(&a, "{}", t);
    PushState s;
    int depth = 0;
    assert_int_equal(pushdown_start(a.p, &s), ST_OK);
    for (;; depth++) {
        uint64_t mask[CYCLE_TOKENS / 64 + 1] = {0};
        assert_int_equal(pushdown_mask(a.p, s, mask), ST_OK);
        if (!byte_allowed(mask, '['))
            break;
        assert_int_equal(pushdown_step(a.p, s, span("["), &s), ST_OK);
        assert_true(s != 0);
    }
    assert_true(depth >= 300 && depth <= PUSHDOWN_DEPTH + 1);
    for (; depth > 0; depth--)
        assert_int_equal(pushdown_step(a.p, s, span("]"), &s), ST_OK);
    assert_true(pushdown_may_end(a.p, s));
    token_trie_drop(&a.none);
    accepts_drop(&a);
    tokenizer_close(t);
}

/* Counts far from both bounds share one mask; near a bound each has its own. */
static void counts_matter_near_their_bounds(void **state)
{
    (void)state;
    Tokenizer *t = cycle_tokenizer();
    Accepts a;
    begin(&a, "{\"type\":\"string\",\"maxLength\":1000,\"minLength\":900}", t);
    Str text = {0};
    str_adds(&text, "\"");
    size_t before = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t mask[CYCLE_TOKENS / 64 + 1] = {0};
        assert_int_equal(pushdown_mask(a.p, after(&a, str_c(&text)), mask), ST_OK);
        assert_int_equal(byte_allowed(mask, '"'), i >= 900);
        assert_true(byte_allowed(mask, 'x'));
        if (i == 10)
            before = pushdown_memory(a.p);
        str_addc(&text, 'x');
    }
    uint64_t mask[CYCLE_TOKENS / 64 + 1] = {0};
    assert_int_equal(pushdown_mask(a.p, after(&a, str_c(&text)), mask), ST_OK);
    assert_true(byte_allowed(mask, '"'));
    assert_false(byte_allowed(mask, 'x'));
    assert_true(before > 0 && pushdown_memory(a.p) - before < 1 << 20);
    str_drop(&text);
    token_trie_drop(&a.none);
    accepts_drop(&a);
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_masked_in_their_callers),
        cmocka_unit_test(a_saved_state_outlives_its_generation),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(counts_matter_near_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
