/* Sessions with a scripted model. */
#include "cli/chat_session.h"

#include <string.h>

#include "base/file.h"
#include "base/scratch_test.h"

enum { CONTEXT = 300 };

/* What the model says, and what it was asked. */
typedef struct {
    const char *says[8];
    size_t said;
    int32_t ids[4];    /* ... written with these; 0 ends */
    Str prompt;        /* of the last request, decoded */
    ChatAsk ask;       /* of the last request          */
    Finish finish;     /* of the next one              */
    bool stop_at_once; /* Ctrl-C before the first word */
    Status fails;
} Script;

static Script script;
static Tokenizer *tokenizer;
static ChatTemplate *template;
static ChatSession *session;
static FILE *out_file, *notes_file;
static char *out_text, *notes_text;
static size_t out_n, notes_n;
static bool stop_wanted;

static bool stopped(void)
{
    return stop_wanted;
}

static Status answer(void *self, const ChatAsk *ask, RequestResult *result)
{
    Script *s = self;
    const char *text = s->says[s->said] ? s->says[s->said++] : "";
    s->ask = *ask;
    str_clear(&s->prompt);
    assert_int_equal(tokenizer_decode(tokenizer, &s->prompt, ask->prompt, (size_t)ask->prompt_n, true),
                     ST_OK);
    if (s->fails != ST_OK)
        return s->fails;
    stop_wanted = s->stop_at_once;
    size_t n = ask->stopped(ask->context) ? 0 : strlen(text), half = n / 2;
    for (int i = 0; s->ids[i]; i++)
        ask->wrote(ask->context, s->ids[i]);
    if (n) {
        ask->say(ask->context, text, half);
        ask->say(ask->context, text + half, n - half);
    }
    *result = (RequestResult){.finish = s->stop_at_once ? FINISH_CANCELLED : s->finish,
                              .prompt_tokens = ask->prompt_n,
                              .tokens = (int64_t)n,
                              .cached_tokens = 3,
                              .prompt_s = 0.5,
                              .tokens_s = 2};
    stop_wanted = false;
    return ST_OK;
}

static bool guard;

static void begin(const char *name, const char *system)
{
    ChatSessionSetup setup = {.tokenizer = tokenizer,
                              .system = system,
                              .backend = {&script, CONTEXT, answer},
                              .stopped = stopped,
                              .guard = guard};
    script = (Script){.finish = FINISH_TOKEN};
    assert_int_equal(chat_template_open(&template, name), ST_OK);
    setup.tmpl = template;
    setup.out = out_file = open_memstream(&out_text, &out_n);
    setup.notes = notes_file = open_memstream(&notes_text, &notes_n);
    config_defaults(&sampling_table, &setup.sampling);
    config_defaults(&chat_settings_table, &setup.settings);
    assert_int_equal(chat_session_open(&session, &setup), ST_OK);
}

static void finish(void)
{
    chat_session_close(session);
    chat_template_free(template);
    str_drop(&script.prompt);
    fclose(out_file);
    fclose(notes_file);
    free(out_text);
    free(notes_text);
}

static bool take(Status wanted, const char *line)
{
    bool over;
    Status st = chat_session_take(session, span(line), &over);
    if (st != wanted)
        fail_msg("'%s': %s, and not %s: %s", line, status_name(st), status_name(wanted), error_text());
    return over;
}

static void assert_note(const char *words)
{
    fflush(notes_file);
    if (!strstr(notes_text, words))
        fail_msg("'%s' does not say '%s'", notes_text, words);
}

static void assert_no_note(const char *words)
{
    fflush(notes_file);
    if (strstr(notes_text, words))
        fail_msg("'%s' says '%s'", notes_text, words);
}

static void assert_said(const char *all)
{
    fflush(out_file);
    assert_string_equal(out_text, all);
}

static size_t messages(void)
{
    return chat_session_conversation(session)->messages.n;
}

static void assert_message(size_t i, ChatRole role, const char *content)
{
    const ChatMessage *m = &chat_session_conversation(session)->messages.at[i];
    assert_int_equal(m->role, role);
    assert_true(span_is(m->content, content));
}

static void test_turns(void **state)
{
    (void)state;
    begin("chatml", "Be kind.");
    script.says[0] = "\n Hello!";
    script.says[1] = "Bye\n";
    assert_false(take(ST_OK, "Hi"));
    take(ST_OK, "  ");
    take(ST_OK, "//x");
    assert_string_equal(str_c(&script.prompt),
                        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
                        "<|im_start|>assistant\n\n Hello!<|im_end|>\n"
                        "<|im_start|>user\n/x<|im_end|>\n<|im_start|>assistant\n");
    assert_said("Hello!\nBye\n");
    assert_int_equal(messages(), 5);
    assert_message(2, CHAT_ASSISTANT, "\n Hello!");
    assert_true(script.ask.ends_n >= 2 && script.ask.stops_n == 0);
    assert_int_equal(script.ask.max_tokens, CONTEXT - script.ask.prompt_n);
    assert_true(take(ST_OK, "/quit"));
    assert_true(take(ST_OK, "/exit"));
    finish();
}

/* The ids that a model wrote come back in the next turn, though the text would be encoded otherwise. */
static void test_written(void **state)
{
    (void)state;
    begin("chatml", NULL);
    int32_t t = tokenizer_find(tokenizer, "t"), h = tokenizer_find(tokenizer, "h");
    script.says[0] = "th";
    script.ids[0] = t;
    script.ids[1] = h;
    script.says[1] = "x";
    take(ST_OK, "a");
    script.ids[0] = 0;
    take(ST_OK, "b");
    size_t i = 0;
    Ids prompt = {0};
    assert_int_equal(chat_render(tokenizer, template, chat_session_conversation(session), 0, &prompt, NULL),
                     ST_OK);
    while (i + 2 < prompt.n && !(prompt.at[i] == t && prompt.at[i + 1] == h && prompt.at[i + 2] == 2))
        i++;
    assert_true(i + 2 < prompt.n); /* t, h, <|im_end|> */
    array_drop(&prompt);
    take(ST_OK, "/undo");
    script.finish = FINISH_LENGTH; /* cut: the text counts */
    take(ST_OK, "/retry");
    assert_int_equal(chat_session_conversation(session)->messages.at[1].ids_n, 0);
    finish();
}

static void test_guard(void **state)
{
    (void)state;
    static const char text[] = "a\033]0;x\a\tb\r\x7f\xC2\x9B"
                               "c\xC3\x9B\n";
    begin("chatml", NULL);
    script.says[0] = text;
    take(ST_OK, "x");
    assert_said(text);
    finish();
    guard = true;
    begin("chatml", NULL);
    script.says[0] = text;
    take(ST_OK, "x");
    assert_said("a^[]0;x^G\tb^M^?^?c\xC3\x9B\n");
    assert_message(1, CHAT_ASSISTANT, text); /* what was said is what is kept */
    guard = false;
    finish();
}

static void test_undo_and_retry(void **state)
{
    (void)state;
    begin("llama-2", NULL);
    for (int i = 0; i < 5; i++)
        script.says[i] = i % 2 ? "odd" : "even";
    take(ST_ARG, "/undo");
    assert_note("nothing to take back");
    take(ST_ARG, "/retry");
    take(ST_OK, "a");
    uint64_t seed = script.ask.sampler.seed;
    take(ST_OK, "/retry");
    assert_true(script.ask.sampler.seed != seed); /* the same draw would say the same */
    assert_int_equal(messages(), 2);
    assert_message(1, CHAT_ASSISTANT, "odd");
    take(ST_OK, "b");
    take(ST_OK, "/undo");
    assert_note("(taken back: b)");
    char long_text[102] = "x";
    for (int i = 0; i < 50; i++)
        strcat(long_text, "\xC3\xA4");
    script.says[script.said] = "even";
    take(ST_OK, long_text);
    take(ST_OK, "/undo");
    assert_note("\xC3\xA4...)"); /* cut between two characters: 59 bytes, of 60 that it may have */
    assert_int_equal(messages(), 2);
    take(ST_OK, "/set temp 0");
    take(ST_OK, "/retry");
    assert_note("temperature 0 gives the same answer");
    script.fails = ST_DEVICE; /* what was said before stays */
    take(ST_DEVICE, "/retry");
    assert_int_equal(messages(), 2);
    take(ST_DEVICE, "c");
    assert_int_equal(messages(), 2);
    assert_false(chat_session_survives(ST_DEVICE));
    finish();
}

static void test_stopped(void **state)
{
    (void)state;
    begin("chatml", NULL);
    script.says[0] = "par";
    script.says[1] = "tial";
    script.stop_at_once = true;
    take(ST_CANCELLED, "x");
    assert_note("taken back");
    assert_int_equal(messages(), 0);
    take(ST_ARG, "/continue");
    script.said = 0;
    script.stop_at_once = false;
    script.finish = FINISH_LENGTH;
    take(ST_OK, "x");
    assert_note("/continue goes on");
    script.finish = FINISH_TOKEN;
    take(ST_OK, "/continue");
    assert_string_equal(str_c(&script.prompt), "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\npar");
    assert_message(1, CHAT_ASSISTANT, "partial");
    finish();
}

static void test_settings(void **state)
{
    (void)state;
    begin("chatml", NULL);
    take(ST_OK, "/set top-k 7");
    take(ST_OK, "/set temp=0.5");
    take(ST_OK, "/set max_tokens 9");
    assert_note("max_tokens");
    take(ST_ARG, "/set temperatur 1");
    take(ST_ARG, "/set min-q 1");
    assert_note("do you mean min_p? /settings lists");
    take(ST_ARG, "/set wxyz 1");
    assert_note("'wxyz'; /settings lists");
    take(ST_ARG, "/set top_p 2");
    take(ST_ARG, "/set temp warm");
    script.says[0] = "y";
    take(ST_OK, "x");
    assert_int_equal(script.ask.max_tokens, 9);
    assert_int_equal(script.ask.sampler.top_k, 7);
    assert_true(script.ask.sampler.temperature == 0.5);
    take(ST_OK, "/settings");
    assert_note("context_shift");
    take(ST_OK, "/speed");
    assert_note("3 of them known from before");
    take(ST_OK, "/template");
    take(ST_OK, "/help");
    assert_note("/load FILE [LINE]");
    take(ST_ARG, "/sped");
    assert_note("do you mean /speed? /help lists");
    take(ST_ARG, "/undo now");
    finish();
}

static void test_system(void **state)
{
    (void)state;
    begin("chatml", NULL);
    script.says[0] = "a";
    script.says[1] = "b";
    take(ST_OK, "/system");
    assert_note("no system prompt");
    take(ST_OK, "x");
    take(ST_OK, "/system Rhyme, please.");
    assert_int_equal(messages(), 3);
    take(ST_OK, "y");
    assert_true(strstr(str_c(&script.prompt),
                       "<|im_start|>system\nRhyme, please.<|im_end|>\n<|im_start|>user\nx") != NULL);
    take(ST_OK, "/clear");
    assert_int_equal(messages(), 1);
    take(ST_OK, "/system off");
    assert_int_equal(messages(), 0);
    finish();
}

static void test_files(void **state)
{
    (void)state;
    char *path = path_join(scratch, "talk.jsonl"), line[300];
    begin("chatml", "Be \"brief\".");
    script.says[0] = "\xC3\xA9\n\"2\"";
    script.says[1] = "three";
    snprintf(line, sizeof line, "/save %s", path);
    take(ST_OK, "one");
    take(ST_OK, line);
    take(ST_OK, "two");
    take(ST_OK, line); /* its own file */
    snprintf(line, sizeof line, "/append %s", path);
    take(ST_OK, line);
    finish();

    Str text = {0};
    assert_int_equal(file_read(&text, path, 0), ST_OK);
    assert_true(strstr(str_c(&text),
                       "{\"messages\":[{\"role\":\"system\",\"content\":\"Be \\\"brief\\\".\"}") != NULL);
    str_drop(&text);

    begin("chatml", NULL);
    snprintf(line, sizeof line, "/load %s 1", path);
    take(ST_OK, line);
    assert_int_equal(messages(), 5);
    assert_message(2, CHAT_ASSISTANT, "\xC3\xA9\n\"2\"");
    snprintf(line, sizeof line, "/load %s 3", path);
    take(ST_ARG, line);
    assert_note("has 2 lines");
    assert_no_note("talk.jsonl: ");
    take(ST_IO, "/load absent.jsonl");
    assert_note("\ncannot open absent.jsonl: ");
    take(ST_IO, "/save absent/talk.jsonl");
    assert_note("\ncannot write absent/talk.jsonl: ");
    assert_int_equal(messages(), 5);
    snprintf(line, sizeof line, "/save %s", path); /* somebody else's file */
    take(ST_ARG, line);
    assert_note("/append");
    assert_int_equal(file_replace(path, "{\"messages\": 3}", 15), ST_OK);
    snprintf(line, sizeof line, "/load %s", path);
    take(ST_FORMAT, line);
    assert_note("talk.jsonl: ");
    assert_int_equal(messages(), 5);
    finish();
    mem_free(path);
}

/* What is loaded is another conversation: /save does not write over the file of the one before. */
static void test_load_another(void **state)
{
    (void)state;
    char *mine = path_join(scratch, "mine.jsonl"), *other = path_join(scratch, "other 2"), line[300];
    static const char nul[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\\u0000\\u001b[2Jb\"}]}\n";
    assert_int_equal(file_replace(other, nul, sizeof nul - 1), ST_OK);
    begin("chatml", NULL);
    script.says[0] = "one";
    take(ST_OK, "x");
    snprintf(line, sizeof line, "/save %s", mine);
    take(ST_OK, line);
    char *load = mem_format("/load %s", other); /* a file's name, and no line */
    take(ST_OK, load);
    assert_int_equal(chat_session_conversation(session)->messages.at[0].content.n, 7);
    take(ST_ARG, line);
    assert_note("mine.jsonl is there already");
    take(ST_OK, "/system \033[31m");
    take(ST_OK, "/system");
    assert_note("^[[31m"); /* nor do words about what was said govern a terminal */
    assert_no_note("\033");
    finish();
    mem_free(load);
    mem_free(mine);
    mem_free(other);
}

static void test_context(void **state)
{
    (void)state;
    char long_text[200] = {0};
    memset(long_text, 'x', 150);
    begin("chatml", "S");
    script.says[0] = long_text;
    take(ST_OK, "first");
    take(ST_LIMIT, long_text);
    assert_note("at most 299 leave room for an answer");
    assert_note("/set context_shift true lets");
    assert_int_equal(messages(), 3);
    take(ST_OK, "/tokens");
    assert_note("of 300 tokens are used");
    script.says[1] = "second answer";
    take(ST_OK, "/set context_shift true");
    take(ST_OK, long_text);
    assert_note("no longer sees the oldest 2 messages");
    assert_null(strstr(str_c(&script.prompt), "first"));
    assert_non_null(strstr(str_c(&script.prompt), "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nxxx"));
    assert_int_equal(messages(), 5); /* all of it is there to be saved */
    memset(long_text, 'x', sizeof long_text - 1);
    char *longer = mem_format("%s%s%s", long_text, long_text, long_text);
    take(ST_LIMIT, longer); /* no turn that can go makes it fit */
    mem_free(longer);
    assert_int_equal(messages(), 5);
    take(ST_OK, "/undo");
    take(ST_OK, "/undo");
    assert_int_equal(messages(), 1);
    finish();
}

/* Turns that went for a message that is taken back are seen again. */
static void test_context_stopped(void **state)
{
    (void)state;
    char long_text[200] = {0};
    memset(long_text, 'x', 150);
    begin("chatml", "S");
    script.says[0] = script.says[1] = long_text;
    take(ST_OK, "/set context_shift true");
    take(ST_OK, "first");
    script.stop_at_once = true;
    take(ST_CANCELLED, long_text);
    assert_note("no longer sees the oldest 2 messages");
    script.stop_at_once = false;
    take(ST_OK, "/retry");
    assert_string_equal(str_c(&script.prompt),
                        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nfirst<|im_end|>"
                        "\n<|im_start|>assistant\n");
    finish();
}

/* An answer that fills the context, and the marks that end it. */
static void test_full(void **state)
{
    (void)state;
    char text[CONTEXT + 1] = {0};
    memset(text, 'x', CONTEXT);
    begin("chatml", NULL);
    script.says[0] = script.says[1] = text;
    script.finish = FINISH_CONTEXT;
    take(ST_OK, "a");
    assert_note("is full; /tokens, /undo, /clear, or /set context_shift true)");
    take(ST_OK, "/tokens");
    assert_note(" more than the context of 300; 2 messages");
    assert_no_note("are used");
    take(ST_OK, "/undo");
    finish();
    begin("chatml", NULL);
    script.says[0] = text;
    script.finish = FINISH_CONTEXT;
    take(ST_OK, "/set context_shift true");
    take(ST_OK, "a");
    assert_note("is full; the next message lets the oldest turns go)");
    take(ST_LIMIT, "/continue");
    assert_note("without its older turns the conversation takes");
    assert_no_note("/set context_shift");
    finish();
}

static int open_tokenizer(void **state)
{
    return scratch_make(state) != 0 || tokenizer_open(&tokenizer, "tests/golden/chat/lemur.json") != ST_OK;
}

static int close_tokenizer(void **state)
{
    tokenizer_close(tokenizer);
    return scratch_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns),        cmocka_unit_test(test_undo_and_retry),
        cmocka_unit_test(test_stopped),      cmocka_unit_test(test_settings),
        cmocka_unit_test(test_system),       cmocka_unit_test(test_files),
        cmocka_unit_test(test_context),      cmocka_unit_test(test_guard),
        cmocka_unit_test(test_written),      cmocka_unit_test(test_full),
        cmocka_unit_test(test_load_another), cmocka_unit_test(test_context_stopped),
    };
    return cmocka_run_group_tests(tests, open_tokenizer, close_tokenizer);
}
