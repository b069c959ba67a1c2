#include "infer/chatmodel.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last; (fail) is ours. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

/* A kind of its own: says what it is told to. */
typedef struct {
    const char *text;
    Status st;
    ChatFinish finish;
    int asked, closed;
} Parrot;

static Status parrot_ask(void *self, const ChatCall *call, ChatAnswer *out)
{
    Parrot *p = self;
    (void)call;
    p->asked++;
    assert_int_equal(out->text.n, 0);
    assert_int_equal(out->completion_tokens, 0);
    usleep(1000);
    str_adds(&out->text, p->text);
    out->finish = p->finish;
    out->completion_tokens = 3;
    return p->st == ST_OK ? ST_OK : (fail)(p->st, "the parrot is silent");
}

static void parrot_close(void *self)
{
    ((Parrot *)self)->closed++;
}

static const ChatModelKind parrot = {parrot_ask, parrot_close};

typedef struct {
    Parrot p;
    ChatModel *m;
    Conversation c;
    ChatCall call;
    ChatAnswer a;
} Fixture;

static void begin(Fixture *f)
{
    memset(f, 0, sizeof *f);
    chatmodel_open(&f->m, &parrot, &f->p, "parrot");
    conversation_add(&f->c, CHAT_USER, span("hello"));
    f->call = chatmodel_call(&f->c);
    f->p.text = "hello";
}

static void end(Fixture *f)
{
    chatmodel_close(f->m);
    assert_int_equal(f->p.closed, 1);
    chatmodel_answer_drop(&f->a);
    conversation_drop(&f->c);
}

static void answers_are_passed_on(void **state)
{
    (void)state;
    Fixture f;
    begin(&f);
    assert_string_equal(chatmodel_name(f.m), "parrot");
    for (int i = 0; i < 2; i++) {
        f.p.finish = CHAT_FINISH_LENGTH;
        assert_int_equal(chatmodel_ask(f.m, &f.call, &f.a), ST_OK);
        assert_string_equal(str_c(&f.a.text), "hello");
        assert_int_equal(f.a.finish, CHAT_FINISH_LENGTH);
        assert_int_equal(f.a.completion_tokens, 3);
        assert_true(f.a.seconds > 0 && f.a.seconds < 10);
    }
    assert_string_equal(chatmodel_finish_name(CHAT_FINISH_FAILED), "failed");
    chatmodel_close(NULL);
    end(&f);
}

static void failures_have_a_kind_and_no_text(void **state)
{
    (void)state;
    static const struct {
        Status st;
        ChatFinish said, seen;
    } cases[] = {
        {ST_PEER, CHAT_FINISH_STOP, CHAT_FINISH_FAILED},
        {ST_CANCELLED, CHAT_FINISH_STOP, CHAT_FINISH_CANCELLED},
        {ST_LIMIT, CHAT_FINISH_CONTEXT, CHAT_FINISH_CONTEXT},
        {ST_LIMIT, CHAT_FINISH_DEADLINE, CHAT_FINISH_DEADLINE},
    };
    Fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        f.p.st = cases[i].st;
        f.p.finish = cases[i].said;
        assert_int_equal(chatmodel_ask(f.m, &f.call, &f.a), cases[i].st);
        assert_int_equal(f.a.finish, cases[i].seen);
        assert_int_equal(f.a.text.n, 0);
        assert_int_equal(f.a.completion_tokens, 3); /* what it cost stays */
    }
    end(&f);
}

static void stop_strings_cut_in_any_case(void **state)
{
    (void)state;
    static const char *const stops[] = {"</execute>", "\n\nUser:"};
    Fixture f;
    begin(&f);
    f.call.stops = stops;
    f.call.stops_n = 2;
    f.p.finish = CHAT_FINISH_LENGTH;
    f.p.text = "<execute>1\n\nUser: 2</execute> 3";
    assert_int_equal(chatmodel_ask(f.m, &f.call, &f.a), ST_OK);
    assert_string_equal(str_c(&f.a.text), "<execute>1");
    assert_int_equal(f.a.finish, CHAT_FINISH_STOP);
    f.p.text = "<execute>1";
    assert_int_equal(chatmodel_ask(f.m, &f.call, &f.a), ST_OK);
    assert_string_equal(str_c(&f.a.text), "<execute>1");
    assert_int_equal(f.a.finish, CHAT_FINISH_LENGTH);
    f.p.text = "";
    assert_int_equal(chatmodel_ask(f.m, &f.call, &f.a), ST_OK);
    end(&f);
}

static void expect_refused(Fixture *f, Status st, const char *words)
{
    int asked = f->p.asked;
    assert_int_equal(chatmodel_ask(f->m, &f->call, &f->a), st);
    assert_int_equal(f->p.asked, asked);
    assert_int_equal(f->a.finish, CHAT_FINISH_FAILED);
    if (!strstr(error_text(), words))
        fail_msg("\"%s\" does not say \"%s\"", error_text(), words);
    f->call = chatmodel_call(&f->c);
}

static void wrong_calls_are_refused(void **state)
{
    (void)state;
    static const char *const empty[] = {""};
    Conversation none = {0};
    Fixture f;
    begin(&f);
    f.call.messages = &none;
    expect_refused(&f, ST_ARG, "no message");
    f.call.max_tokens = -1;
    expect_refused(&f, ST_ARG, "-1 tokens");
    f.call.deadline_s = -1;
    expect_refused(&f, ST_ARG, "deadline of -1");
    f.call.deadline_s = NAN;
    expect_refused(&f, ST_ARG, "deadline");
    f.call.stops = empty;
    f.call.stops_n = 1;
    expect_refused(&f, ST_ARG, "stop string is empty");
    f.call.sampler.top_p = 3;
    expect_refused(&f, ST_ARG, "top-p");
    conversation_add(&f.c, CHAT_ASSISTANT, span(""))->tool_calls = json_array();
    expect_refused(&f, ST_UNSUPPORTED, "message 2 has tool calls");
    conversation_pop(&f.c);
    f.c.tools = json_pack("[{}]");
    expect_refused(&f, ST_UNSUPPORTED, "tools");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_passed_on),
        cmocka_unit_test(failures_have_a_kind_and_no_text),
        cmocka_unit_test(stop_strings_cut_in_any_case),
        cmocka_unit_test(wrong_calls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
