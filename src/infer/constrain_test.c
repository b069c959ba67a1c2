#include "infer/constrain.h"

#include <jansson.h>

#include "base/rng.h"
#include "base/thread.h"
#include "infer/cycle_test.h"
#include "infer/validator_test.h"

static const int32_t cycle_ends[] = {CYCLE_END};

/* A tokenizer of the data folder, or NULL. */
static Tokenizer *real_tokenizer(void)
{
    Tokenizer *t = NULL;
    return tokenizer_open(&t, "../shared/data/tokenizer/llama2") == ST_OK ? t : NULL;
}

static Constraint *regex(const ConstrainVocab *v, const char *pattern)
{
    Constraint *c = NULL;
    if (constrain_regex(&c, v, span(pattern), NULL) != ST_OK)
        fail_msg("%s", error_text());
    return c;
}

static Constraint *schema(const ConstrainVocab *v, const char *text, const ConstrainOptions *o)
{
    Constraint *c = NULL;
    if (constrain_json_schema(&c, v, span(text), o) != ST_OK)
        fail_msg("%s", error_text());
    return c;
}

/* How many bits are set; the first one in *id. */
static int count(const uint64_t *mask, int32_t vocab, int32_t *id)
{
    int n = 0;
    for (int32_t i = vocab - 1; i >= 0; i--)
        if (constrain_allows(mask, i)) {
            n++;
            *id = i;
        }
    return n;
}

static void masks_follow_the_text(void **state)
{
    (void)state;
    Tokenizer *t = cycle_tokenizer();
    ConstrainVocab *v = constrain_vocab_new(t, cycle_ends, 1);
    Constraint *c = regex(v, "ab?\xC3\xA9|b");
    ConstrainState *s = constrain_start(c);
    uint64_t mask[CYCLE_TOKENS / 64 + 1];
    int32_t id = -1;
    assert_int_equal(constrain_mask_words(v), (CYCLE_TOKENS + 63) / 64);
    assert_int_equal(constrain_mask(s, mask), ST_OK);
    /* the letters a and b, and their bytes */
    assert_int_equal(count(mask, CYCLE_TOKENS, &id), 4);
    assert_true(constrain_allows(mask, CYCLE_A) && constrain_allows(mask, CYCLE_BYTES + 'b'));
    assert_int_equal(constrain_advance(s, CYCLE_A + 2), ST_ARG);
    assert_int_equal(constrain_advance(s, CYCLE_END), ST_ARG);
    assert_int_equal(constrain_advance(s, 1), ST_ARG); /* <s> has no text */
    assert_int_equal(constrain_advance(s, -1), ST_ARG);
    assert_int_equal(constrain_advance(s, 1 << 20), ST_ARG);
    assert_int_equal(constrain_advance(s, CYCLE_A), ST_OK);
    ConstrainState *other = constrain_copy(s);
    assert_int_equal(constrain_advance(s, CYCLE_BYTES + 0xC3), ST_OK); /* half a character */
    assert_int_equal(constrain_mask(s, mask), ST_OK);
    assert_int_equal(count(mask, CYCLE_TOKENS, &id), 1);
    assert_int_equal(id, CYCLE_BYTES + 0xA9);
    assert_false(constrain_may_end(s));
    assert_int_equal(constrain_advance(s, id), ST_OK);
    assert_true(constrain_may_end(s) && constrain_done(s));
    assert_int_equal(constrain_mask(s, mask), ST_OK);
    assert_int_equal(count(mask, CYCLE_TOKENS, &id), 1);
    assert_int_equal(id, CYCLE_END);
    assert_int_equal(constrain_advance(s, CYCLE_END), ST_OK);
    assert_int_equal(constrain_advance(s, CYCLE_A), ST_ARG);
    assert_int_equal(constrain_advance(other, CYCLE_A + 1), ST_OK); /* the copy stands where it stood */
    constrain_free(other);
    constrain_free(s);
    constraint_free(c);
    constrain_vocab_free(v);
    tokenizer_close(t);
}

static void an_end_is_allowed_where_the_text_may_end(void **state)
{
    (void)state;
    Tokenizer *t = cycle_tokenizer();
    ConstrainVocab *v = constrain_vocab_new(t, cycle_ends, 1);
    Constraint *c = regex(v, "a*");
    ConstrainState *s = constrain_start(c);
    uint64_t mask[CYCLE_TOKENS / 64 + 1];
    assert_int_equal(constrain_mask(s, mask), ST_OK);
    assert_true(constrain_allows(mask, CYCLE_END) && constrain_may_end(s));
    assert_false(constrain_done(s));
    assert_int_equal(constrain_advance(s, CYCLE_END), ST_OK);
    assert_true(constrain_done(s));
    constrain_free(s);
    constraint_free(c);
    constrain_vocab_free(v);
    tokenizer_close(t);
}

/* Letters only: the é of the pattern has no token. */
static void a_vocabulary_that_cannot_go_on_is_told(void **state)
{
    (void)state;
    static const char letters[][2] = {"a", "b"};
    Span pieces[] = {span("<unk>"), span("</s>"), span(letters[0]), span(letters[1])};
    int32_t kinds[] = {PIECE_UNKNOWN, PIECE_CONTROL, PIECE_NORMAL, PIECE_NORMAL}, end = 1;
    float scores[4] = {0};
    VocabArrays arrays = {.kind = VOCAB_SPM,
                          .n = 4,
                          .pieces = pieces,
                          .scores = scores,
                          .kinds = kinds,
                          .bos = -1,
                          .eos = 1,
                          .unk = 0,
                          .pad = -1};
    Tokenizer *t = NULL;
    assert_int_equal(tokenizer_from_arrays(&t, &arrays), ST_OK);
    ConstrainVocab *v = constrain_vocab_new(t, &end, 1);
    Constraint *c = regex(v, "a[0-9]+");
    ConstrainState *s = constrain_start(c);
    uint64_t mask[1];
    assert_int_equal(constrain_mask(s, mask), ST_OK);
    assert_int_equal(mask[0], 1 << 2);
    assert_int_equal(constrain_advance(s, 2), ST_OK);
    assert_int_equal(constrain_mask(s, mask), ST_UNSUPPORTED);
    assert_non_null(strstr(error_text(), "'0', '1'"));
    constrain_free(s);
    constraint_free(c);
    constrain_vocab_free(v);
    /* And one without an end. */
    v = constrain_vocab_new(t, NULL, 0);
    c = regex(v, "a");
    s = constrain_start(c);
    assert_int_equal(constrain_advance(s, 2), ST_OK);
    assert_true(constrain_done(s));
    assert_int_equal(constrain_mask(s, mask), ST_UNSUPPORTED);
    assert_non_null(strstr(error_text(), "no end token"));
    constrain_free(s);
    constraint_free(c);
    constrain_vocab_free(v);
    tokenizer_close(t);
}

static int32_t draw(const uint64_t *mask, int32_t vocab, Rng *rng)
{
    int n = 0;
    int32_t id = -1;
    for (int32_t i = 0; i < vocab; i++)
        if (constrain_allows(mask, i) && rng_below(rng, (uint64_t)++n) == 0)
            id = i;
    return id;
}

/* Tokens at random until the end; *text gets their text.  False where it grew past `most` tokens. */
static bool sample(Constraint *c, const Tokenizer *t, int32_t end, Rng *rng, Str *text, int most)
{
    int32_t vocab = tokenizer_vocab_size(t);
    uint64_t *mask = mem_array(uint64_t, vocab / 64 + 1);
    ConstrainState *s = constrain_start(c);
    str_clear(text);
    while (!constrain_done(s) && most-- > 0) {
        if (constrain_mask(s, mask) != ST_OK)
            fail_msg("%s", error_text());
        int32_t id = draw(mask, vocab, rng);
        int32_t quote = tokenizer_find(t, "\"");
        if (constrain_allows(mask, end))
            id = end;
        else if (quote >= 0 && constrain_allows(mask, quote) && rng_below(rng, 3) == 0)
            id = quote; /* strings end */
        assert_true(id == end || !tokenizer_is_special(t, id));
        assert_int_equal(constrain_advance(s, id), ST_OK);
        if (id != end)
            str_add(text, tokenizer_text(t, id).at, tokenizer_text(t, id).n);
    }
    bool done = constrain_done(s);
    constrain_free(s);
    mem_free(mask);
    return done;
}

static const char person[] = "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\","
                             "\"maxLength\":20},\"note\":{\"type\":\"string\"},"
                             "\"when\":{\"type\":\"string\",\"format\":\"date\"},\"tags\":{\"type\":"
                             "\"array\",\"items\":{\"enum\":[\"a\",\"bc\"]},"
                             "\"maxItems\":3},\"x\":{\"type\":\"number\",\"minimum\":-1.5,\"maximum\":2.25}},"
                             "\"required\":[\"name\",\"note\",\"when\"]}";

static void sampled_tokens_are_valid(void **state)
{
    (void)state;
    Tokenizer *t = real_tokenizer();
    Rng rng;
    Str text = {0};
    int done = 0;
    if (!t) {
        printf("SKIP ../shared/data/tokenizer is not there\n");
        skip();
    }
    rng_seed(&rng, 3);
    int32_t end = tokenizer_eos(t);
    ConstrainVocab *v = constrain_vocab_new(t, &end, 1);
    static const char *const schemas[] = {person, "{\"type\":\"object\"}",
                                          "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}"};
    for (int i = 0; i < 3; i++) {
        Constraint *c = schema(v, schemas[i], NULL);
        json_t *root = json_loads(schemas[i], 0, NULL);
        for (int k = 0; k < 12; k++) {
            if (!sample(c, t, end, &rng, &text, 300))
                continue;
            json_t *value = json_loadb(text.at, text.n, JSON_DECODE_ANY, NULL);
            if (!value || !valid(root, root, value))
                fail_msg("%s allows %s", schemas[i], str_c(&text));
            json_decref(value);
            done++;
        }
        json_decref(root);
        constraint_free(c);
    }
    assert_true(done > 18);
    static const char pattern[] = "[A-Z][^\\x00-\\x40]{2,6}(-\\d{2}){1,3}";
    Constraint *c = regex(v, pattern);
    for (int k = 0; k < 30; k++) {
        assert_true(sample(c, t, end, &rng, &text, 100));
        if (!pcre_matches(pattern, text.at, text.n, true))
            fail_msg("%s does not match %s", pattern, str_c(&text));
    }
    constraint_free(c);
    constrain_vocab_free(v);
    tokenizer_close(t);
    str_drop(&text);
}

/* Every token of the tokenizer's own way to write a valid document is allowed, and then the end. */
static void expect_allowed(Constraint *c, const ConstrainVocab *v, const Tokenizer *t, int32_t end,
                           const char *text)
{
    Ids ids = {0};
    uint64_t *mask = mem_array(uint64_t, constrain_mask_words(v));
    ConstrainState *s = constrain_start(c);
    assert_int_equal(tokenizer_encode(t, &ids, text, strlen(text), TOK_RAW), ST_OK);
    for (size_t i = 0; i < ids.n; i++) {
        assert_int_equal(constrain_mask(s, mask), ST_OK);
        if (!constrain_allows(mask, ids.at[i]))
            fail_msg("token %zu of %s is not allowed", i, text);
        assert_int_equal(constrain_advance(s, ids.at[i]), ST_OK);
    }
    assert_int_equal(constrain_mask(s, mask), ST_OK);
    assert_true(constrain_allows(mask, end) && constrain_may_end(s));
    constrain_free(s);
    mem_free(mask);
    array_drop(&ids);
}

static void expect_documents(const char *vocabulary)
{
    static const char *const people[] = {
        "{\"name\":\"J\xC3\xBCrgen \xF0\x9F\xA6\x8A\",\"note\":\"likes \\\"quotes\\\" and \\n "
        "lines\",\"when\":\"2024-02-29\"}",
        "{\"name\": \"\", \"note\": \"\", \"when\": \"1999-12-31\", \"tags\": [], \"x\": -1.5}",
        "{\n  \"name\": \"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\",\n  \"note\": \"x\",\n  \"when\": "
        "\"2000-01-01\",\n  \"tags\": [\n    \"a\",\n    \"bc\"\n  ],\n  \"x\": 2.25\n}",
    };
    Tokenizer *t = NULL;
    if (tokenizer_open(&t, vocabulary) != ST_OK)
        fail_msg("%s", error_text());
    int32_t end = tokenizer_eos(t) >= 0 ? tokenizer_eos(t) : tokenizer_vocab_size(t) - 1;
    ConstrainVocab *v = constrain_vocab_new(t, &end, 1);
    Constraint *c = schema(v, person, NULL), *any = schema(v, "{}", NULL);
    for (int i = 0; i < 3; i++) {
        expect_allowed(c, v, t, end, people[i]);
        expect_allowed(any, v, t, end, people[i]);
    }
    constraint_free(any);
    constraint_free(c);
    constrain_vocab_free(v);
    tokenizer_close(t);
}

/* SentencePiece and byte-level BPE, small vocabularies in which characters come apart. */
static void encoded_documents_are_allowed(void **state)
{
    (void)state;
    expect_documents("tests/golden/tokenizer/llama.model");
    expect_documents("tests/golden/tokenizer/llama3.json");
    expect_documents("tests/golden/tokenizer/qwen2.json");
}

static void a_large_vocabulary_does_so_too(void **state)
{
    (void)state;
    Tokenizer *t = real_tokenizer();
    tokenizer_close(t);
    if (!t) {
        printf("SKIP ../shared/data/tokenizer is not there\n");
        skip();
    }
    expect_documents("../shared/data/tokenizer/llama2");
}

/* A mask is what trying every token gives. */
static void masks_agree_with_advance(void **state)
{
    (void)state;
    Tokenizer *t = real_tokenizer();
    Rng rng;
    if (!t) {
        printf("SKIP ../shared/data/tokenizer is not there\n");
        skip();
    }
    rng_seed(&rng, 4);
    int32_t end = tokenizer_eos(t), vocab = tokenizer_vocab_size(t);
    ConstrainVocab *v = constrain_vocab_new(t, &end, 1);
    uint64_t *mask = mem_array(uint64_t, constrain_mask_words(v));
    Constraint *all[] = {schema(v, person, NULL), schema(v, "{}", NULL),
                         regex(v, "(.|\\n){3,9}\\.|[^\"]{0,4}\xC3\xA9*"), regex(v, "(?:\\w{1,3}|\\s+){2,5}")};
    for (int i = 0; i < 4; i++) {
        ConstrainState *s = constrain_start(all[i]);
        for (int step = 0; step < 9 && !constrain_done(s); step++) {
            assert_int_equal(constrain_mask(s, mask), ST_OK);
            for (int32_t id = (int32_t)rng_below(&rng, 7); id < vocab; id += 7) {
                ConstrainState *trial = constrain_copy(s);
                if ((constrain_advance(trial, id) == ST_OK) != constrain_allows(mask, id))
                    fail_msg("constraint %d, step %d, token %d: the mask says %d", i, step, id,
                             constrain_allows(mask, id));
                constrain_free(trial);
            }
            assert_int_equal(constrain_advance(s, draw(mask, vocab, &rng)), ST_OK);
        }
        constrain_free(s);
        constraint_free(all[i]);
    }
    mem_free(mask);
    constrain_vocab_free(v);
    tokenizer_close(t);
}

static void a_trigger_begins_the_constraint(void **state)
{
    (void)state;
    Tokenizer *t = cycle_tokenizer();
    ConstrainVocab *v = constrain_vocab_new(t, cycle_ends, 1);
    ConstrainOptions o = {.trigger = "aab", .closing = "ba"};
    static const struct {
        const char *text;
        bool may_end;
        int refused_at; /* byte; -1: none */
    } all[] = {{"", true, -1},          {"xaab", false, -1},        {"aaaab7", false, -1},
               {"aaab7ba", true, -1},   {"aab7bb", false, 5},       {"aab7bafree", true, -1},
               {"aabx", false, 3},      {"aab7baaab8ba", true, -1}, {"aab7bab\xFE", true, -1},
               {"aab7baaabx", false, 9}};
    Constraint *c = schema(v, "{\"type\":\"integer\"}", &o);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        ConstrainState *s = constrain_start(c);
        int refused = -1;
        for (int b = 0; all[i].text[b] && refused < 0; b++)
            if (constrain_advance(s, CYCLE_BYTES + (unsigned char)all[i].text[b]) != ST_OK)
                refused = b;
        if (refused != all[i].refused_at || (refused < 0 && constrain_may_end(s) != all[i].may_end))
            fail_msg("\"%s\": refused at %d, may end %d", all[i].text, refused, constrain_may_end(s));
        constrain_free(s);
    }
    constraint_free(c);
    o = (ConstrainOptions){.trigger = "a", .trigger_required = true};
    c = schema(v, "{\"type\":\"null\"}", &o);
    ConstrainState *s = constrain_start(c);
    assert_false(constrain_may_end(s));
    constrain_free(s);
    constraint_free(c);
    o.trigger = "";
    assert_int_equal(constrain_json_schema(&c, v, span("{}"), &o), ST_ARG);
    constrain_vocab_free(v);
    tokenizer_close(t);
}

static void a_space_may_stand_in_front(void **state)
{
    (void)state;
    Tokenizer *t = cycle_tokenizer();
    ConstrainVocab *v = constrain_vocab_new(t, cycle_ends, 1);
    ConstrainOptions o = {.leading_space = true};
    Constraint *c = schema(v, "{\"const\":1}", &o);
    ConstrainState *s = constrain_start(c);
    assert_int_equal(constrain_advance(s, CYCLE_SPACE), ST_OK);
    assert_int_equal(constrain_advance(s, CYCLE_SPACE), ST_ARG);
    assert_int_equal(constrain_advance(s, CYCLE_BYTES + '1'), ST_OK);
    assert_true(constrain_done(s));
    constrain_free(s);
    constraint_free(c);
    constrain_vocab_free(v);
    tokenizer_close(t);
}

typedef struct {
    Constraint *c;
    const Tokenizer *t;
    int failed[4];
} Shared;

static void follow_one(void *context, int64_t task, int thread)
{
    Shared *shared = context;
    uint64_t mask[CYCLE_TOKENS / 64 + 1];
    Rng rng;
    (void)thread;
    rng_seed(&rng, (uint64_t)task);
    ConstrainState *s = constrain_start(shared->c);
    for (int i = 0; i < 200 && !constrain_done(s); i++)
        if (constrain_mask(s, mask) != ST_OK || constrain_advance(s, draw(mask, CYCLE_TOKENS, &rng)) != ST_OK)
            shared->failed[task] = 1;
    constrain_free(s);
}

static void threads_share_a_constraint(void **state)
{
    (void)state;
    Tokenizer *t = cycle_tokenizer();
    ConstrainVocab *v = constrain_vocab_new(t, cycle_ends, 1);
    Shared shared = {.c = schema(v, "{}", NULL), .t = t};
    thread_each(4, 4, follow_one, &shared);
    for (int i = 0; i < 4; i++)
        assert_int_equal(shared.failed[i], 0);
    constraint_free(shared.c);
    constrain_vocab_free(v);
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_follow_the_text),
        cmocka_unit_test(an_end_is_allowed_where_the_text_may_end),
        cmocka_unit_test(a_vocabulary_that_cannot_go_on_is_told),
        cmocka_unit_test(sampled_tokens_are_valid),
        cmocka_unit_test(encoded_documents_are_allowed),
        cmocka_unit_test(a_large_vocabulary_does_so_too),
        cmocka_unit_test(masks_agree_with_advance),
        cmocka_unit_test(a_trigger_begins_the_constraint),
        cmocka_unit_test(a_space_may_stand_in_front),
        cmocka_unit_test(threads_share_a_constraint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
