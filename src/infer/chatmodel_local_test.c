#include <stdatomic.h>

#include "base/array.h"
#include "base/thread.h"
#include "infer/chatmodel.h"
#include "infer/cycle_test.h"
#include "infer/engine.h"
#include "model/decoder.h"

/* The model of cycle_test.h: an answer goes on where the last message ends, if the template puts nothing
 * between. */
typedef struct {
    Device *dev;
    Model *weights;
    Decoder *decoder;
    Tokenizer *tokenizer;
    ChatTemplate *tmpl;
    Engine *engine;
    ChatModel *m;
    Conversation c;
    ChatCall call;
    ChatAnswer a;
} Fixture;

enum { CONTEXT = 64 };

static void begin(Fixture *f, int64_t pages)
{
    static const int32_t ends[] = {CYCLE_END};
    memset(f, 0, sizeof *f);
    f->call = chatmodel_call(NULL);
    assert_int_equal(device_open_cpu(&f->dev, 1), ST_OK);
    assert_int_equal(ops_attach(f->dev, NULL), ST_OK);
    f->weights = cycle_model(f->dev, CYCLE_V, CONTEXT);
    f->tokenizer = cycle_tokenizer();
    assert_int_equal(chat_template_open(&f->tmpl, "plain"), ST_OK);
    DecoderSetup decoder = {
        .max_rows = 64, .max_logits = 8, .pages = pages, .context = CONTEXT, .compute = DTYPE_F32};
    EngineSetup engine = {.threads = 1};
    if (decoder_open_model(&f->decoder, f->weights, &decoder) != ST_OK ||
        engine_open(&f->engine, f->decoder, f->tokenizer, &engine) != ST_OK)
        fail_msg("%s", error_text());
    ChatLocalSetup setup = {.engine = f->engine,
                            .tokenizer = f->tokenizer,
                            .tmpl = f->tmpl,
                            .ends = ends,
                            .ends_n = 1,
                            .name = "cycle"};
    chatmodel_local_open(&f->m, &setup);
}

static void end(Fixture *f)
{
    chatmodel_close(f->m);
    engine_close(f->engine);
    decoder_close(f->decoder);
    chat_template_free(f->tmpl);
    tokenizer_close(f->tokenizer);
    model_close(f->weights);
    device_close(f->dev);
    chatmodel_answer_drop(&f->a);
    conversation_drop(&f->c);
}

static Status ask(Fixture *f, const char *text)
{
    conversation_clear(&f->c);
    conversation_add(&f->c, CHAT_USER, span(text));
    f->call.messages = &f->c;
    return chatmodel_ask(f->m, &f->call, &f->a);
}

static void expect(Fixture *f, const char *text, const char *says, ChatFinish finish)
{
    if (ask(f, text) != ST_OK)
        fail_msg("%s", error_text());
    assert_string_equal(str_c(&f->a.text), says);
    assert_int_equal(f->a.finish, finish);
    assert_true(f->a.counted && f->a.seconds > 0);
}

static void the_engine_answers(void **state)
{
    (void)state;
    static const char *const stops[] = {"hi", "x"};
    Fixture f;
    begin(&f, 4);
    assert_string_equal(chatmodel_name(f.m), "cycle");
    expect(&f, "a", "bcdefghijklmnopqrst\xC3\xA9", CHAT_FINISH_STOP);
    assert_int_equal(f.a.prompt_tokens, 3);
    assert_int_equal(f.a.completion_tokens, 21);
    f.call.max_tokens = 4;
    expect(&f, "a", "bcde", CHAT_FINISH_LENGTH);
    assert_int_equal(f.a.completion_tokens, 4);
    f.call = chatmodel_call(NULL);
    f.call.stops = stops;
    f.call.stops_n = 2;
    expect(&f, "a", "bcdefg", CHAT_FINISH_STOP);
    end(&f);
}

static void a_full_context_is_told(void **state)
{
    (void)state;
    char text[CONTEXT + 1];
    Fixture f;
    begin(&f, 4);
    memset(text, 'a', CONTEXT);
    text[CONTEXT] = 0;
    text[CONTEXT - 4] = 0; /* and two more: begin, space */
    expect(&f, text, "bcd", CHAT_FINISH_LENGTH);
    text[CONTEXT - 4] = 'a';
    assert_int_equal(ask(&f, text), ST_LIMIT);
    assert_int_equal(f.a.finish, CHAT_FINISH_CONTEXT);
    assert_int_equal(f.a.prompt_tokens, CONTEXT + 2);
    assert_non_null(strstr(error_text(), "the messages take 66 tokens and the context has 64"));
    end(&f);
}

static bool at_once(void *context)
{
    (void)context;
    return true;
}

static void deadlines_and_callers_end_calls(void **state)
{
    (void)state;
    Fixture f;
    begin(&f, 4);
    f.call.deadline_s = 1e-9;
    assert_int_equal(ask(&f, "a"), ST_LIMIT);
    assert_int_equal(f.a.finish, CHAT_FINISH_DEADLINE);
    assert_int_equal(f.a.text.n, 0);
    f.call = chatmodel_call(NULL);
    f.call.stopped = at_once;
    assert_int_equal(ask(&f, "a"), ST_CANCELLED);
    assert_int_equal(f.a.finish, CHAT_FINISH_CANCELLED);
    f.call = chatmodel_call(NULL);
    expect(&f, "s", "t\xC3\xA9", CHAT_FINISH_STOP);
    end(&f);
}

static void what_a_template_refuses_is_told(void **state)
{
    (void)state;
    Fixture f;
    begin(&f, 4);
    conversation_add(&f.c, CHAT_USER, span("a"));
    conversation_add(&f.c, CHAT_TOOL, span("b"));
    f.call.messages = &f.c;
    assert_int_equal(chatmodel_ask(f.m, &f.call, &f.a), ST_ARG);
    assert_int_equal(f.a.finish, CHAT_FINISH_FAILED);
    assert_true(error_text()[0] != 0);
    end(&f);
}

typedef struct {
    ChatModel *m;
    _Atomic int right;
} Crowd;

static void ask_one(void *context, int64_t task, int thread)
{
    Crowd *crowd = context;
    Conversation c = {0};
    ChatAnswer a = {0};
    char text[] = {(char)('a' + task % 10), 0};
    (void)thread;
    conversation_add(&c, CHAT_USER, span(text));
    ChatCall call = chatmodel_call(&c);
    bool right = chatmodel_ask(crowd->m, &call, &a) == ST_OK && a.text.at[0] == text[0] + 1;
    crowd->right += right && str_span(&a.text).n == 20 - (size_t)(task % 10) + 1;
    chatmodel_answer_drop(&a);
    conversation_drop(&c);
}

static void many_ask_at_once(void **state)
{
    (void)state;
    Fixture f;
    begin(&f, 4);
    Crowd crowd = {.m = f.m};
    thread_each(40, 8, ask_one, &crowd);
    assert_int_equal(crowd.right, 40);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_answers),
        cmocka_unit_test(a_full_context_is_told),
        cmocka_unit_test(deadlines_and_callers_end_calls),
        cmocka_unit_test(what_a_template_refuses_is_told),
        cmocka_unit_test(many_ask_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
