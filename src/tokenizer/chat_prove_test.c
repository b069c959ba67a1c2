/* Masks that are wrong in one way each, and what the proof says of them. */
#include "base/scratch_test.h"
#include "tokenizer/chat.h"

static Tokenizer *tokenizer;
static ChatTemplate *template;
static Conversation talk;
static Ids ids;
static ChatMask mask;

static void begin(const char *style, int flags)
{
    assert_int_equal(chat_template_open(&template, style), ST_OK);
    conversation_add(&talk, CHAT_SYSTEM, span("Be kind."));
    conversation_add(&talk, CHAT_USER, span("the same words"));
    conversation_add(&talk, CHAT_ASSISTANT, span("the same words"));
    conversation_add(&talk, CHAT_USER, span("And now?"));
    conversation_add(&talk, CHAT_ASSISTANT, span("Now \xC3\xA9."));
    assert_int_equal(chat_render(tokenizer, template, &talk, flags, &ids, &mask), ST_OK);
}

static void finish(void)
{
    chat_template_free(template);
    conversation_drop(&talk);
    array_drop(&ids);
    array_drop(&mask);
}

static void assert_proved(int flags)
{
    if (chat_prove(tokenizer, template, &talk, flags, ids.at, mask.at, ids.n) != ST_OK)
        fail_msg("%s", error_text());
}

static void assert_wrong(size_t n, const char *words)
{
    assert_int_equal(chat_prove(tokenizer, template, &talk, 0, ids.at, mask.at, n), ST_ARG);
    if (!strstr(error_text(), words))
        fail_msg("'%s' does not say '%s'", error_text(), words);
}

/* The i-th place where learning begins (or ends). */
static size_t edge(int i, int what)
{
    for (size_t k = 1; k < mask.n; k++)
        if (mask.at[k] == what && mask.at[k - 1] != what && i-- == 0)
            return k;
    fail_msg("no such edge");
    return 0;
}

static void test_wrong(const char *style)
{
    begin(style, 0);
    assert_proved(0);
    size_t first = edge(0, 1), end = edge(0, 0), second = edge(1, 1);
    mask.at[end - 1] = 0;
    assert_wrong(ids.n, "message 3 (assistant): its end marker");
    mask.at[end - 1] = 1;
    mask.at[first - 1] = 1;
    assert_wrong(ids.n, "message 3 (assistant)");
    mask.at[first - 1] = 0;
    mask.at[first] = 0;
    assert_wrong(ids.n, "message 3 (assistant)");
    mask.at[first] = 1;
    mask.at[end] = 1; /* goes on into what follows */
    assert_wrong(ids.n, "");
    mask.at[end] = 0;
    mask.at[0] = 1;
    assert_wrong(ids.n, "message 3 (assistant)");
    mask.at[0] = 0;
    memset(mask.at + second, 0, ids.n - second);
    assert_wrong(ids.n, "message 5 (assistant): nothing of it is learned");
    memset(mask.at, 0, ids.n);
    assert_wrong(ids.n, "message 3 (assistant): nothing of it is learned");
    finish();
}

static void test_masks(void **state)
{
    (void)state;
    static const char *const styles[] = {"chatml", "llama-2", "tulu", "alpaca", "plain", "zephyr"};
    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++)
        test_wrong(styles[i]);
}

static void test_cut_short(void **state)
{
    (void)state;
    begin("chatml", 0);
    size_t second = edge(1, 1);
    assert_wrong(
        ids.n - 2,
        "message 5 (assistant): its end marker <|im_end|> is not learned; the example was cut short");
    assert_wrong(second, "message 5 (assistant): nothing of it is learned; the example was cut short");
    assert_wrong(0, "nothing of it is learned");
    finish();
}

/* The user's words, in place of an answer that says the same. */
static void test_wrong_speaker(void **state)
{
    (void)state;
    begin("chatml", 0);
    size_t from = edge(0, 1), n = edge(0, 0) - from, user = 0;
    while (user + n < from && memcmp(ids.at + user, ids.at + from, n * sizeof *ids.at) != 0)
        user++;
    assert_true(user + n < from);
    memset(mask.at + from, 0, n);
    memset(mask.at + user, 1, n);
    assert_wrong(ids.n, "not the assistant's turn where learning begins");
    finish();
}

static void test_switches(void **state)
{
    (void)state;
    begin("chatml", CHAT_LAST_ONLY);
    assert_proved(CHAT_LAST_ONLY);
    assert_wrong(ids.n, "message 3 (assistant)"); /* which was to be learned, too */
    finish();
    begin("chatml", 0);
    talk.messages.at[2].mute = true;
    assert_wrong(ids.n, "message 5 (assistant)"); /* rendered before it was switched off */
    ids.n = mask.n = 0;
    assert_int_equal(chat_render(tokenizer, template, &talk, 0, &ids, &mask), ST_OK);
    assert_proved(0);
    talk.messages.at[4].mute = true;
    assert_wrong(ids.n, "nothing is learned: no message of the assistant, or all of them are switched off");
    finish();
}

/* A special token inside of an answer would end it in the middle. */
static void test_leak(void **state)
{
    (void)state;
    begin("chatml", 0);
    ids.at[edge(0, 1)] = tokenizer_find(tokenizer, "<|im_end|>");
    assert_wrong(ids.n, "message 3 (assistant)");
    finish();
}

static int open_tokenizer(void **state)
{
    (void)state;
    return tokenizer_open(&tokenizer, "tests/golden/chat/lemur.json") != ST_OK;
}

static int close_tokenizer(void **state)
{
    (void)state;
    tokenizer_close(tokenizer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),         cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_wrong_speaker), cmocka_unit_test(test_switches),
        cmocka_unit_test(test_leak),
    };
    return cmocka_run_group_tests(tests, open_tokenizer, close_tokenizer);
}
