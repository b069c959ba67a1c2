#include "infer/constrain_trigger.h"

#include "infer/cycle_test.h"

enum { CALL = 3, CLOSE = 4, OTHER = 5, BYTE_0 = 6, TOKENS = BYTE_0 + 256 };

/* Bytes, and special tokens that spell a call's beginning and end. */
static Tokenizer *with_marks(void)
{
    static const char *const names[] = {"<unk>", "<s>", "</s>", "<call>", "</call>", "<other>"};
    Span pieces[TOKENS];
    int32_t kinds[TOKENS];
    float scores[TOKENS] = {0};
    char bytes[256][8];
    for (int i = 0; i < TOKENS; i++) {
        if (i >= BYTE_0)
            snprintf(bytes[i - BYTE_0], sizeof bytes[0], "<0x%02X>", (unsigned)(i - BYTE_0) & 255u);
        pieces[i] = span(i < BYTE_0 ? names[i] : bytes[i - BYTE_0]);
        kinds[i] = i == 0 ? PIECE_UNKNOWN : i < BYTE_0 ? PIECE_CONTROL : PIECE_BYTE;
    }
    VocabArrays v = {.kind = VOCAB_SPM,
                     .n = TOKENS,
                     .pieces = pieces,
                     .scores = scores,
                     .kinds = kinds,
                     .bos = 1,
                     .eos = 2,
                     .unk = 0,
                     .pad = -1};
    Tokenizer *t = NULL;
    if (tokenizer_from_arrays(&t, &v) != ST_OK)
        fail_msg("%s", error_text());
    return t;
}

static void type(ConstrainState *s, const char *text)
{
    for (; *text; text++)
        if (constrain_advance(s, BYTE_0 + (unsigned char)*text) != ST_OK)
            fail_msg("at \"%s\": %s", text, error_text());
}

static bool allowed(ConstrainState *s, int32_t id)
{
    uint64_t mask[TOKENS / 64 + 1];
    assert_int_equal(constrain_mask(s, mask), ST_OK);
    return constrain_allows(mask, id);
}

static void special_tokens_stand_for_what_they_spell(void **state)
{
    (void)state;
    static const int32_t end = 2;
    Tokenizer *t = with_marks();
    ConstrainVocab *v = constrain_vocab_new(t, &end, 1);
    ConstrainOptions o = {.trigger = "<call>\n", .closing = "\n</call>"};
    Constraint *c = NULL;
    assert_int_equal(constrain_json_schema(&c, v, span("{\"type\":\"string\"}"), &o), ST_OK);
    ConstrainState *s = constrain_start(c);
    type(s, "I call: <ca");
    assert_true(allowed(s, CALL) && allowed(s, end));
    assert_false(allowed(s, OTHER) || allowed(s, CLOSE) || allowed(s, 1) || allowed(s, 0));
    assert_false(allowed(s, BYTE_0 + 0xFF)); /* it would pose as a special token */
    assert_int_equal(constrain_advance(s, CALL), ST_OK);
    assert_false(allowed(s, end) || allowed(s, BYTE_0 + 'x'));
    type(s, "\n\"<call>");
    assert_false(allowed(s, CALL) || allowed(s, CLOSE)); /* inside a string */
    type(s, "\"\n");
    assert_true(allowed(s, CLOSE) && allowed(s, BYTE_0 + '<'));
    assert_int_equal(constrain_advance(s, CLOSE), ST_OK);
    assert_true(constrain_may_end(s) && allowed(s, CALL));
    type(s, "and <call>\n\"\"\n</call>"); /* in letters */
    assert_true(constrain_may_end(s));
    constrain_free(s);
    constraint_free(c);
    constrain_vocab_free(v);
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_tokens_stand_for_what_they_spell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
