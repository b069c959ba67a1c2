#include "agent/episode.h"

#include <string.h>
#include <time.h>

#include "agent/scripted_test.h"
#include "base/scratch_test.h"

/* A world whose code prints itself and whose only right solution is 42. */
static Status act(void *self, Span code, EpisodeOutcome *out)
{
    (*(int *)self)++;
    str_add(&out->observation, code.at, code.n);
    out->error = span_starts(code, "raise");
    return span_is(code, "no sandbox") ? ST_UNSUPPORTED : ST_OK;
}

static Status propose(void *self, Span solution, EpisodeOutcome *out)
{
    (void)self;
    out->none = true;
    out->solved = span_is(solution, "42");
    return ST_OK;
}

typedef struct {
    Scripted script;
    ChatModel *model;
    int acted;
    Episode e;
} Fixture;

static Status run(Fixture *f, const char *const *lines, EpisodeSetup setup)
{
    f->script.lines = lines;
    if (f->script.fails == ST_OK)
        f->script.fails = ST_PEER;
    f->model = scripted_model(&f->script);
    setup.model = f->model;
    setup.call = chatmodel_call(NULL);
    setup.call.max_tokens = 50;
    if (!setup.max_steps)
        setup.max_steps = 5, setup.max_propose = 2;
    EpisodeWorld world = {&f->acted, act, propose};
    return episode_run(&f->e, &setup, &world, span("Task:\nwhat is it?"));
}

static void drop(Fixture *f)
{
    episode_drop(&f->e);
    chatmodel_close(f->model);
}

static const char *message(const Fixture *f, size_t i)
{
    static char text[4096];
    assert_true(i < f->e.messages.messages.n);
    Span s = f->e.messages.messages.at[i].content;
    memcpy(text, s.at, s.n);
    text[s.n] = 0;
    return text;
}

static void solves_after_code_and_a_wrong_solution(void **state)
{
    (void)state;
    Fixture f = {0};
    static const char *const lines[] = {"<execute>print(6)</execute> \n", "<solution>41</solution>",
                                        "Assistant: <solution>42</solution>", NULL};
    assert_int_equal(run(&f, lines, (EpisodeSetup){0}), ST_OK);
    assert_int_equal(f.e.turns.end, TURNS_SOLVED);
    assert_int_equal(f.e.messages.messages.n, 6); /* nothing is said behind the last answer */
    assert_string_equal(message(&f, 1), "Assistant:\n<execute>print(6)</execute>\n");
    assert_string_equal(message(&f, 2), "Observation:\nprint(6)\nYou have 4 steps left and 2 chances to propose "
                                        "solution left.\n");
    assert_string_equal(message(&f, 4), "Observation:\nYour answer is wrong.\nYou have 3 steps left and 1 chances "
                                        "to propose solution left.\n");
    assert_string_equal(message(&f, 5), "Assistant: <solution>42</solution>\n");
    assert_int_equal(f.e.steps.n, 3);
    assert_int_equal(f.e.steps.at[1].completion_tokens, 10);
    assert_true(f.e.steps.at[2].solved);
    drop(&f);
}

static void transcript_is_what_tune_reads(void **state)
{
    (void)state;
    Fixture f = {0};
    Conversation read = {0};
    static const char *const lines[] = {"", "<solution>42</solution>", NULL};
    assert_int_equal(run(&f, lines, (EpisodeSetup){.empty_system = true}), ST_OK);
    json_t *t = episode_transcript(&f.e, "mint_gsm8k", "7");
    assert_int_equal(json_integer_value(json_object_get(t, "transcript")), 1);
    assert_true(json_is_true(json_object_get(t, "success")));
    assert_string_equal(json_string_value(json_object_get(t, "end")), "task_success");
    assert_int_equal(json_array_size(json_object_get(t, "steps")), 2);
    assert_int_equal(conversation_from_json(&read, t), ST_OK);
    /* system, opening, what the empty answer was told, the solution; the empty answer left no message */
    assert_int_equal(read.messages.n, 4);
    assert_int_equal(chatmodel_hash(&read), chatmodel_hash(&f.e.messages));
    conversation_drop(&read);
    json_decref(t);
    drop(&f);
}

static void budgets_end_it(void **state)
{
    (void)state;
    static const char *const lines[] = {"<execute>a</execute>", "<execute>raise b</execute>",
                                        "<solution>1</solution>", NULL};
    Fixture steps = {0}, tokens = {0}, time = {0};
    assert_int_equal(run(&steps, lines, (EpisodeSetup){.max_steps = 2, .max_propose = 2}), ST_OK);
    assert_int_equal(steps.e.turns.end, TURNS_NO_STEPS);
    assert_true(steps.e.steps.at[1].error);
    assert_int_equal(run(&tokens, lines, (EpisodeSetup){.max_tokens = 15}), ST_OK);
    assert_int_equal(tokens.e.end, EPISODE_TOKENS);
    assert_int_equal(tokens.e.steps.n, 2);
    assert_int_equal(tokens.script.call.max_tokens, 5); /* what was left of the budget */
    json_t *t = episode_transcript(&tokens.e, "x", "1");
    assert_string_equal(json_string_value(json_object_get(t, "end")), "max_tokens");
    json_decref(t);
    assert_int_equal(run(&time, lines, (EpisodeSetup){.max_seconds = 1e-9}), ST_OK);
    assert_int_equal(time.e.end, EPISODE_TIME);
    assert_int_equal(time.e.steps.n, 0);
    drop(&steps), drop(&tokens), drop(&time);
}

static void a_full_context_is_an_end(void **state)
{
    (void)state;
    Fixture f = {.script = {.fails = ST_LIMIT, .finish = CHAT_FINISH_CONTEXT}};
    static const char *const lines[] = {"<execute>a</execute>", NULL};
    assert_int_equal(run(&f, lines, (EpisodeSetup){0}), ST_OK);
    assert_int_equal(f.e.turns.end, TURNS_ERROR);
    assert_int_equal(f.e.end, EPISODE_CONTEXT);
    drop(&f);
}

/* Of the model or of the feedback's: the server takes other questions. */
static void refused_messages_are_an_end(void **state)
{
    (void)state;
    static const char *const lines[] = {"<execute>a</execute>", NULL}, *const none[] = {NULL};
    Scripted expert = {.lines = none, .fails = ST_ARG, .finish = CHAT_FINISH_REFUSED};
    ChatModel *m = scripted_model(&expert);
    Feedback feedback = {.model = m, .template = span("{in_context_example}{tool_desc}{trajectory}{correct_solution}")};
    for (int i = 0; i < 2; i++) {
        Fixture f = {.script = {.fails = ST_ARG, .finish = CHAT_FINISH_REFUSED}};
        assert_int_equal(run(&f, lines, (EpisodeSetup){.feedback = i ? &feedback : NULL}), ST_OK);
        assert_int_equal(f.e.end, EPISODE_REFUSED);
        assert_int_equal(f.e.steps.n, 1);
        assert_int_equal(f.e.steps.at[0].feedback_prompt_tokens, i ? 100 : 0);
        assert_non_null(strstr(str_c(&f.e.refusal), "the lines are used up"));
        json_t *t = episode_transcript(&f.e, "x", "1");
        assert_string_equal(json_string_value(json_object_get(t, "end")), "refused");
        json_decref(t);
        drop(&f);
    }
    chatmodel_close(m);
}

/* A model that takes two seconds, but for its deadline. */
static Status say_late(void *self, const ChatCall *call, ChatAnswer *out)
{
    bool late = call->deadline_s > 0 && call->deadline_s < 2;
    double seconds = late ? call->deadline_s : 2;
    ++*(int *)self;
    nanosleep(&(struct timespec){(time_t)seconds, (long)(1e9 * (seconds - (time_t)seconds))}, NULL);
    str_adds(&out->text, "Go on.");
    out->finish = late ? CHAT_FINISH_DEADLINE : CHAT_FINISH_STOP;
    return late ? ST_LIMIT : ST_OK;
}

static void forget(void *self)
{
    (void)self;
}

/* What is left of the episode bounds the expert, too. */
static void late_feedback_ends_with_the_episode(void **state)
{
    (void)state;
    static const ChatModelKind slow = {say_late, forget};
    static const char *const lines[] = {"<execute>a</execute>", "<execute>b</execute>", NULL};
    int asked = 0;
    Fixture f = {0};
    ChatModel *m;
    chatmodel_open(&m, &slow, &asked, "slow");
    Feedback feedback = {.model = m, .template = span("{in_context_example}{tool_desc}{trajectory}{correct_solution}")};
    assert_int_equal(run(&f, lines, (EpisodeSetup){.feedback = &feedback, .max_seconds = 0.2}), ST_OK);
    assert_int_equal(f.e.end, EPISODE_TIME);
    assert_int_equal(asked, 1);
    assert_int_equal(f.e.steps.n, 1);
    assert_true(f.e.steps.at[0].feedback_asked && !f.e.steps.at[0].feedback);
    assert_true(f.e.seconds < 1.5);
    drop(&f);
    chatmodel_close(m);
}

static void failures_are_no_results(void **state)
{
    (void)state;
    Fixture peer = {0}, sandbox = {0};
    static const char *const none[] = {NULL}, *const code[] = {"<execute>no sandbox</execute>", NULL};
    assert_int_equal(run(&peer, none, (EpisodeSetup){0}), ST_PEER);
    assert_int_equal(run(&sandbox, code, (EpisodeSetup){0}), ST_UNSUPPORTED);
    drop(&peer), drop(&sandbox);
}

static void unreadable_answers_never_act(void **state)
{
    (void)state;
    Fixture f = {0};
    static const char *const lines[] = {"well", "<solution>42", "<solution> </solution>", NULL};
    assert_int_equal(run(&f, lines, (EpisodeSetup){0}), ST_OK);
    assert_int_equal(f.acted, 0);
    assert_int_equal(f.e.turns.unreadable, 1);
    assert_int_equal(f.e.turns.end, TURNS_NO_PROPOSALS);
    drop(&f);
}

static void feedback_stands_behind_the_observation(void **state)
{
    (void)state;
    Fixture f = {0};
    static const char *const lines[] = {"<solution>1</solution>", "<solution>42</solution>", NULL};
    static const char *const words[] = {"Count again.", NULL};
    Scripted expert = {.lines = words, .fails = ST_PEER};
    ChatModel *m = scripted_model(&expert);
    Feedback feedback = {.model = m, .template = span("{in_context_example}|{tool_desc}|{trajectory}|{correct_solution}")};
    assert_int_equal(run(&f, lines, (EpisodeSetup){.feedback = &feedback}), ST_OK);
    assert_int_equal(f.e.turns.end, TURNS_SOLVED); /* none was asked for behind the last turn */
    assert_string_equal(message(&f, 2),
                        "Observation:\nYour answer is wrong.\nYou have 4 steps left and 1 chances to propose "
                        "solution left.\n\nExpert feedback:\nCount again.\n");
    assert_int_equal(f.e.steps.at[0].feedback_completion_tokens, 10);
    drop(&f);
    chatmodel_close(m);
}

/* What came of an action is told to nobody but the expert. */
static void observations_can_be_withheld(void **state)
{
    (void)state;
    Fixture f = {0};
    static const char *const lines[] = {"<execute>print(6)</execute>", "well", "<solution>1</solution>",
                                        "<solution>42</solution>", NULL};
    static const char *const words[] = {"Go on.", "Act.", "Count again.", NULL};
    static const char *const left[] = {"4 steps left and 2", "3 steps left and 2", "2 steps left and 1"};
    Scripted expert = {.lines = words, .fails = ST_PEER};
    ChatModel *m = scripted_model(&expert);
    Feedback feedback = {.model = m, .template = span("{in_context_example}{tool_desc}{trajectory}{correct_solution}")};
    assert_int_equal(run(&f, lines, (EpisodeSetup){.feedback = &feedback, .withhold = true}), ST_OK);
    assert_int_equal(f.e.turns.end, TURNS_SOLVED);
    for (size_t i = 0; i < 3; i++) {
        char *told = mem_format("Observation:\nWhat came of it is not shown. The task is not solved yet.\nYou have %s "
                                "chances to propose solution left.\n\nExpert feedback:\n%s\n",
                                left[i], words[i]);
        assert_string_equal(message(&f, 2 + 2 * i), told);
        mem_free(told);
    }
    const ChatMessage *asked = &expert.asked.messages.at[0];
    assert_true(memmem(asked->content.at, asked->content.n, "Your answer is wrong.", 21));
    drop(&f);
    chatmodel_close(m);
}

static void hints_stand_there_as_well(void **state)
{
    (void)state;
    Fixture f = {0};
    static const char *const lines[] = {"<solution>1</solution>", "<execute>6 * 7</execute>",
                                        "<solution>42</solution>", NULL};
    Hints *hints = NULL;
    scratch_text("hints.jsonl", "{\"contains\": \"what is it\", \"hints\": [{\"over\": \"answer\", \"has\": "
                                "\"is wrong\", \"hint\": \"Count again.\"}], \"otherwise\": \"Take 42.\"}");
    assert_int_equal(hints_open(&hints, in_scratch("hints.jsonl")), ST_OK);
    Feedback feedback = {.hints = hints, .solution = span("42")};
    assert_int_equal(run(&f, lines, (EpisodeSetup){.feedback = &feedback}), ST_OK);
    assert_string_equal(message(&f, 2),
                        "Observation:\nYour answer is wrong.\nYou have 4 steps left and 1 chances to propose "
                        "solution left.\n\nExpert feedback:\nCount again.\n");
    assert_null(strstr(message(&f, 4), "Expert")); /* it would give 42 away */
    assert_true(f.e.steps.at[0].feedback && !f.e.steps.at[1].feedback);
    json_t *line = episode_transcript(&f.e, "x", "1");
    const json_t *steps = json_object_get(line, "steps");
    assert_true(json_is_true(json_object_get(json_array_get(steps, 0), "feedback")));
    assert_null(json_object_get(json_array_get(steps, 1), "feedback"));
    json_decref(line);
    drop(&f);
    hints_close(hints);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solves_after_code_and_a_wrong_solution),
        cmocka_unit_test(transcript_is_what_tune_reads),
        cmocka_unit_test(budgets_end_it),
        cmocka_unit_test(a_full_context_is_an_end),
        cmocka_unit_test(refused_messages_are_an_end),
        cmocka_unit_test(late_feedback_ends_with_the_episode),
        cmocka_unit_test(failures_are_no_results),
        cmocka_unit_test(unreadable_answers_never_act),
        cmocka_unit_test(feedback_stands_behind_the_observation),
        cmocka_unit_test(observations_can_be_withheld),
        cmocka_unit_test(hints_stand_there_as_well),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
