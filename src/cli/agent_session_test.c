#include "cli/agent_session.h"

#include <math.h>

#include "base/scratch_test.h"
#include "corpus/instruct.h"

static char no_sandbox[ERROR_TEXT_MAX]; /* why this host has none; "" where it has */

#define NEEDS_SANDBOX                                    \
    (void)state;                                         \
    if (*no_sandbox) {                                   \
        print_message("SKIP sandbox: %s\n", no_sandbox); \
        skip();                                          \
    }

#define PY(code) "{\"text\": \"```python\\n" code "\\n```\"}\n"
#define SAYS(text) "{\"text\": \"" text "\"}\n"

static AgentSession *session;
static ChatModel *model;
static Workbench *bench;
static char *out, *notes;
static size_t out_n, notes_n;
static FILE *out_file, *notes_file;
static const char *const *answers; /* to the questions, NULL-terminated */
static char questions[4096];

static Status ask(void *context, const char *question, const char *begun, Span *answer)
{
    (void)context;
    size_t n = strlen(questions);
    snprintf(questions + n, sizeof questions - n, "%s[%s]", question, begun ? begun : "");
    *answer = *answers ? span(*answers++) : (Span){NULL, 0};
    return ST_OK;
}

static void begin(const char *script, AgentSessionSetup setup)
{
    scratch_text("script.jsonl", script);
    assert_int_equal(chatmodel_script_open(&model, in_scratch("script.jsonl"), SCRIPT_IN_ORDER), ST_OK);
    if (!*no_sandbox && workbench_open(&bench, &(WorkbenchSetup){0}) != ST_OK)
        fail_msg("%s", error_text());
    questions[0] = 0;
    out_file = open_memstream(&out, &out_n);
    notes_file = open_memstream(&notes, &notes_n);
    setup.assistant.model = model;
    setup.assistant.bench = bench;
    setup.assistant.call = chatmodel_call(NULL);
    setup.assistant.tools[TOOL_PYTHON] = setup.assistant.tools[TOOL_BASH] = true;
    if (setup.assistant.observation_role == CHAT_SYSTEM) /* 0: it does not matter */
        setup.assistant.observation_role = CHAT_USER;
    setup.assistant.max_steps = 4;
    setup.sampling.repetition_penalty = 1; /* as its default */
    setup.sampling.top_p = 1;
    setup.out = out_file;
    setup.notes = notes_file;
    setup.guard = true;
    if (agent_session_open(&session, &setup) != ST_OK)
        fail_msg("%s", error_text());
}

static void end(void)
{
    agent_session_close(session);
    workbench_close(bench);
    chatmodel_close(model);
    fclose(out_file);
    fclose(notes_file);
    free(out);
    free(notes);
    bench = NULL;
}

/* What the line brings. */
static void expect(const char *line, Status st, const char *says, const char *notes_have)
{
    fflush(out_file);
    fflush(notes_file);
    size_t out_from = out_n, notes_from = notes_n;
    bool over;
    Status got = agent_session_take(session, span(line), &over);
    fflush(out_file);
    fflush(notes_file);
    if (got != st)
        fail_msg("%s: %s, %s", line, status_name(got), error_text());
    assert_string_equal(out + out_from, says);
    if (!strstr(notes + notes_from, notes_have))
        fail_msg("'%s' is not in '%s'", notes_have, notes + notes_from);
}

static void answers_and_steps_go_their_ways(void **state)
{
    NEEDS_SANDBOX
    begin(PY("6 * 7") SAYS("It is \\u001b[2J42.") PY("'\\\\x1b[31m' + chr(0x202e)") SAYS("b") PY("1/0")
              PY("print('x' * 10)") PY("2") PY("3") PY("4"),
          (AgentSessionSetup){0});
    expect("6 * 7?", ST_OK, "It is ^[[2J42.\n",
           "```python\n6 * 7\n```\n  | Out[1]: 42\n  (step 1 of 4: python");
    assert_int_equal(agent_session_end(session), ASSISTANT_ANSWERED);
    expect("//a", ST_OK, "b\n", "(1 step, 0 + 0 tokens");
    expect("more", ST_OK, "```python\n4\n```\n", "(all steps are used");
    assert_int_equal(agent_session_end(session), ASSISTANT_STEPS);
    expect("x", ST_LIMIT, "", "has run out");
    end();
}

static void live_answers_are_all_shown(void **state)
{
    NEEDS_SANDBOX
    begin(PY("print('|'.join('ab'))") SAYS("done"), (AgentSessionSetup){.live = true});
    expect("go", ST_OK, "```python\nprint('|'.join('ab'))\n```\ndone\n", "  | a|b\n");
    end();
}

static void approval_is_asked_for(void **state)
{
    NEEDS_SANDBOX
    AgentSessionSetup setup = {.ask = ask, .assistant.approve = true};
    const char *const said[] = {"what?", "n", "not now", "e", "1 + 2", "e", NULL};
    answers = said;
    begin(PY("'a'") SAYS("ok") PY("x = '\\u202e\\\\u001b'") SAYS("three") PY("5") SAYS("never") PY("6")
              PY("7") SAYS("both") PY("8") SAYS("eight"),
          setup);
    expect("a", ST_OK, "ok\n", "[Not run: the user declined: not now]");
    assert_non_null(strstr(questions, "run it? [y]es [n]o [e]dit [t]his turn [a]lways [s]top> []run it?"));
    assert_non_null(strstr(questions, "why, for the model"));
    expect("b", ST_OK, "three\n",
           "  > x = '<U+202E>\\u001b'\n"); /* what runs cannot look like something else */
    assert_non_null(strstr(questions, "edit> [x = '"));
    assert_non_null(strstr(notes, "[The user changed the block; this ran:]\n  | 1 + 2\n"));
    expect("c", ST_OK, "", "(stopped)"); /* Ctrl-C in the edited line, and at the question */
    assert_int_equal(agent_session_end(session), ASSISTANT_STOPPED);
    const char *const more[] = {"t", "A", NULL};
    answers = more;
    end();
    begin(PY("6") PY("7") SAYS("both") PY("8") SAYS("eight") PY("9") SAYS("nine") PY("10") SAYS("ten"),
          setup);
    expect("d", ST_OK, "both\n", "Out[2]: 7");
    expect("e", ST_OK, "eight\n", "Out[3]: 8");
    expect("/approve", ST_OK, "", "without a question");
    expect("f", ST_OK, "nine\n", "Out[4]: 9"); /* nobody was asked: there are no answers left */
    expect("/approve on", ST_OK, "", "you are asked");
    expect("/approve maybe", ST_ARG, "", "/approve on or /approve off");
    expect("g", ST_OK, "", "(stopped)");
    end();
}

static void commands_change_the_session(void **state)
{
    NEEDS_SANDBOX
    begin(PY("x = 5") SAYS("one") PY("x") SAYS("two") PY("x") SAYS("three") SAYS("four"),
          (AgentSessionSetup){0});
    expect("/undo", ST_ARG, "", "nothing to take back");
    expect("/retry", ST_ARG, "", "no task yet");
    expect("a", ST_OK, "one\n", "");
    expect("/retry", ST_OK, "two\n", "Out[2]: 5");
    expect("/reset", ST_OK, "", "a new Python");
    expect("b", ST_OK, "three\n", "NameError");
    expect("/good", ST_ARG, "", "/save FILE first");
    char *save = mem_format("/save %s", in_scratch("kept.jsonl"));
    expect(save, ST_OK, "", "is a line of");
    expect(save, ST_OK, "", "is a line of"); /* it is there already: no second one */
    mem_free(save);
    expect("/undo", ST_OK, "", "taken back");
    expect("/approve on", ST_ARG, "", "needs a terminal");
    expect("/set temp 0.3", ST_OK, "", "temp                 0.3");
    expect("/set tmep 0.3", ST_ARG, "", "do you mean temp?");
    expect("/where", ST_OK, "", "/work is private");
    expect("/help", ST_OK, "", "/approve [on|off]");
    expect("/nothing", ST_ARG, "", "there is no command /nothing");
    expect("/clear", ST_OK, "", "a new conversation");
    expect("c", ST_OK, "four\n", "");
    expect("/bad", ST_OK, "", "\"success\": false");
    Str kept = scratch_read("kept.jsonl");
    const char *second = strchr(kept.at, '\n') + 1;
    json_t *first = json_loads(kept.at, JSON_DISABLE_EOF_CHECK, NULL),
           *last = json_loads(second, JSON_DISABLE_EOF_CHECK, NULL);
    assert_int_equal(json_array_size(json_object_get(first, "messages")), 5); /* a's second try */
    assert_null(json_object_get(first, "success"));
    assert_int_equal(json_array_size(json_object_get(last, "messages")), 3);
    assert_true(json_is_false(json_object_get(last, "success")));
    assert_int_equal(kept.at + kept.n - strchr(second, '\n'), 1);
    json_decref(first);
    json_decref(last);
    str_drop(&kept);
    end();
}

/* A transcript as lemur tune reads it. */
static void expect_learnable(const char *path)
{
    InstructExamples all = {0};
    InstructOptions options = {.language = "", .min_reward = -INFINITY};
    Str text = scratch_read(path);
    json_t *record = json_loads(str_c(&text), 0, NULL);
    assert_int_equal(instruct_recognise(record), INSTRUCT_TRANSCRIPT);
    instruct_convert(&all, &options, INSTRUCT_TRANSCRIPT, record);
    assert_int_equal(all.n, 1);
    if (all.at[0].reason != REJECT_NONE)
        fail_msg("%s", str_c(&all.at[0].why));
    assert_int_equal(all.at[0].conversation.messages.n, 9);
    options.min_reward = 1;
    instruct_convert(&all, &options, INSTRUCT_TRANSCRIPT, record);
    assert_int_equal(all.at[0].reason, REJECT_LOW_REWARD); /* nobody said that it was good */
    json_object_set_new(record, "success", json_true());
    instruct_convert(&all, &options, INSTRUCT_TRANSCRIPT, record);
    assert_int_equal(all.at[0].reason, REJECT_NONE);
    instruct_examples_drop(&all);
    json_decref(record);
    str_drop(&text);
}

static void transcripts_can_be_learned_from(void **state)
{
    NEEDS_SANDBOX
    static const ChatRole roles[] = {CHAT_USER, CHAT_TOOL};
    for (size_t i = 0; i < 2; i++) {
        const char *name = i ? "tool.jsonl" : "user.jsonl";
        begin(PY("x = 1") PY("x") SAYS("one") SAYS("bye"),
              (AgentSessionSetup){.transcript = in_scratch(name), .assistant.observation_role = roles[i]});
        expect("a", ST_OK, "one\n", "");
        expect("b", ST_OK, "bye\n", "");
        end();
        expect_learnable(name);
    }
}

static void json_is_alone_on_out(void **state)
{
    NEEDS_SANDBOX
    json_t *identity = json_pack("{s:s}", "kind", "script");
    begin(PY("1") SAYS("one \\u00e9"), (AgentSessionSetup){.json = true, .identity = identity});
    bool over;
    assert_int_equal(agent_session_take(session, span("a"), &over), ST_OK);
    fflush(out_file);
    json_t *o = json_loads(out, 0, NULL);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "answer")), "one \xC3\xA9");
    assert_string_equal(json_string_value(json_object_get(o, "end")), "answered");
    assert_int_equal(json_integer_value(json_object_get(o, "steps")), 1);
    assert_true(json_equal(json_object_get(o, "model"), identity));
    json_decref(o);
    json_decref(identity);
    end();
}

static void a_failed_turn_is_told_once(void **state)
{
    NEEDS_SANDBOX
    begin("{\"error\": \"the server fell over\"}\n" SAYS("again") "{\"error\": \"and again\"}\n",
          (AgentSessionSetup){0});
    expect("a", ST_PEER, "", "the server fell over\n");
    expect("/retry", ST_OK, "again\n", "");
    expect("/retry", ST_PEER, "", "and again; the turn before is kept as it was\n");
    assert_null(strstr(strstr(notes, "and again") + 1, "and again"));
    assert_true(agent_session_survives(ST_PEER) && !agent_session_survives(ST_UNSUPPORTED));
    end();
}

/* The transcript's only line; NULL: it has none. */
static json_t *only_line(void)
{
    Str kept = scratch_read("undone.jsonl");
    json_t *line = kept.n ? json_loads(str_c(&kept), 0, NULL) : NULL;
    assert_int_equal(kept.n > 0, line != NULL);
    str_drop(&kept);
    return line;
}

static void expect_line(size_t messages, int rated, const char *end_name)
{
    json_t *line = only_line(), *success = json_object_get(line, "success");
    assert_int_equal(json_array_size(json_object_get(line, "messages")), messages);
    assert_int_equal(success ? (json_is_true(success) ? 1 : -1) : 0, rated);
    assert_string_equal(json_string_value(json_object_get(line, "end")), end_name);
    json_decref(line);
}

static void undone_turns_leave_no_trace(void **state)
{
    NEEDS_SANDBOX
    for (int system = 0; system < 2; system++) {
        scratch_text("undone.jsonl", "");
        begin("{\"text\": \"o\", \"finish\": \"length\", \"prompt_tokens\": 3, \"completion_tokens\": 1}\n"
              "{\"text\": \"two\", \"prompt_tokens\": 5, \"completion_tokens\": 1}\n"
              "{\"error\": \"it fell over\"}\n" SAYS("three"),
              (AgentSessionSetup){.transcript = in_scratch("undone.jsonl"),
                                  .assistant.system = system ? NULL : ""});
        size_t more = system ? 1 : 0;
        expect("/good", ST_ARG, "", "no turn to rate");
        expect("first", ST_OK, "o\n", "cut off");
        expect("/good", ST_OK, "", "\"success\": true");
        expect_line(2 + more, 1, "cut");
        expect("second", ST_OK, "two\n", "");
        expect_line(4 + more, 0, "answered");
        expect("/bad", ST_OK, "", "\"success\": false");
        expect("/undo", ST_OK, "", "taken back");
        expect_line(2 + more, 1, "cut"); /* as it was rated, and as it ended */
        json_t *line = only_line();
        assert_int_equal(json_integer_value(json_object_get(json_object_get(line, "counts"), "prompt_tokens")), 3);
        json_decref(line);
        expect("third", ST_PEER, "", "it fell over");
        expect_line(2 + more, 1, "cut"); /* it is no part of the conversation */
        expect("/undo", ST_OK, "", "taken back");
        assert_null(only_line());
        expect("/good", ST_ARG, "", "no turn to rate");
        assert_null(only_line());
        expect("fourth", ST_OK, "three\n", "");
        expect_line(2 + more, 0, "answered");
        end();
    }
}

static void a_retry_that_fails_keeps_the_turn(void **state)
{
    NEEDS_SANDBOX
    scratch_text("undone.jsonl", "");
    begin(PY("6 * 7") SAYS("one") "{\"error\": \"it fell over\"}\n" SAYS("two") SAYS("three"),
          (AgentSessionSetup){.transcript = in_scratch("undone.jsonl")});
    expect("first", ST_OK, "one\n", "");
    expect("/good", ST_OK, "", "\"success\": true");
    json_t *before = only_line();
    expect("/retry", ST_PEER, "", "it fell over; the turn before is kept as it was\n");
    json_t *after = only_line();
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    expect("/retry", ST_OK, "two\n", ""); /* in its place */
    expect_line(3, 0, "answered");
    expect("/undo", ST_OK, "", "taken back");
    assert_null(only_line());
    expect("/retry", ST_OK, "three\n", "");
    expect_line(3, 0, "answered");
    end();
}

static int start(void **state)
{
    Str says = {0};
    if (scratch_make(state) != 0)
        return -1;
    if (sandbox_probe(&says) != ST_OK)
        snprintf(no_sandbox, sizeof no_sandbox, "%s", error_text());
    str_drop(&says);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_steps_go_their_ways),
        cmocka_unit_test(live_answers_are_all_shown),
        cmocka_unit_test(approval_is_asked_for),
        cmocka_unit_test(commands_change_the_session),
        cmocka_unit_test(json_is_alone_on_out),
        cmocka_unit_test(transcripts_can_be_learned_from),
        cmocka_unit_test(a_failed_turn_is_told_once),
        cmocka_unit_test(undone_turns_leave_no_trace),
        cmocka_unit_test(a_retry_that_fails_keeps_the_turn),
    };
    return cmocka_run_group_tests(tests, start, scratch_remove);
}
