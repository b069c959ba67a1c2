/* Source: xingyaoww/mint-bench, mint/agents/openai_feedback_agent.py (act, lm_output_to_action). */
#include "agent/feedback.h"

#include "agent/prompt.h"
#include "agent/python_text.h"
#include "base/mem.h"

enum { FEEDBACK_TOKENS = 1024 };
static const char *const feedback_stops[] = {"\nObservation:", "\nTask:", "\nAssistant:"};

static Span from(Span text, size_t at)
{
    return at > text.n ? text : (Span){text.at + at, text.n - at};
}

static void add(Str *out, Span text)
{
    str_add(out, text.at, text.n);
}

/* The opening without its first two parts, which are rules and example. */
static Span task_of(Span opening)
{
    for (int parts = 0; parts < 2; parts++) {
        size_t at = python_find(opening, span("---\n"), 0);
        if (at > opening.n)
            break;
        opening = from(opening, at + 4);
    }
    return opening;
}

/* The system message, where there is one, is no part of the episode. */
static void add_trajectory(Str *out, const Conversation *messages, Span observation)
{
    size_t i = 0;
    while (i < messages->messages.n && messages->messages.at[i].role == CHAT_SYSTEM)
        i++;
    if (i < messages->messages.n)
        add(out, task_of(messages->messages.at[i].content));
    str_addc(out, '\n');
    for (size_t first = ++i; i < messages->messages.n; i++) {
        if (i > first)
            str_addc(out, '\n');
        add(out, messages->messages.at[i].content);
    }
    str_addc(out, '\n');
    add(out, observation);
}

static void add_solution(Str *out, Span solution)
{
    str_adds(out, "Correct solution (please DO NOT disclose the correct solution to the assistant): ");
    add(out, solution.n ? python_strip(solution) : span("NOT GIVEN"));
    str_addc(out, '\n');
}

Status feedback_prompt(Str *out, const Feedback *f, const Conversation *messages, Span observation)
{
    Str trajectory = {0}, solution = {0};
    add_trajectory(&trajectory, messages, observation);
    add_solution(&solution, f->solution);
    Span whole = str_span(&trajectory);
    const PromptHole holes[] = {
        {"in_context_example", from(f->example, python_find(f->example, span("Task:"), 0))},
        {"tool_desc", f->tools},
        {"trajectory", from(whole, python_find(whole, span("Task:"), 0))},
        {"correct_solution", str_span(&solution)},
    };
    Status st = prompt_fill(out, f->template, holes, sizeof holes / sizeof *holes);
    str_drop(&trajectory);
    str_drop(&solution);
    return st;
}

/* The verdict stands in the first sentence; an answer without one is no feedback. */
static Span read_binary(Span text)
{
    size_t stop = python_find(text, span("."), 0);
    Span sentence = {text.at, stop};
    if (stop > text.n)
        return span("");
    if (python_in(span("GOOD"), sentence))
        return span("This is GOOD.");
    return span(python_in(span("BAD"), sentence) ? "This is BAD." : "");
}

static Status ask(ChatAnswer *answer, const Feedback *f, Span prompt)
{
    Conversation c = {0};
    conversation_add(&c, CHAT_USER, prompt);
    ChatCall call = chatmodel_call(&c);
    call.max_tokens = FEEDBACK_TOKENS;
    call.stops = feedback_stops;
    call.stops_n = sizeof feedback_stops / sizeof *feedback_stops;
    call.deadline_s = f->seconds;
    call.stopped = f->stopped;
    call.stopped_context = f->stopped_context;
    Status st = chatmodel_ask(f->model, &call, answer);
    conversation_drop(&c);
    return st;
}

Status feedback_ask(Str *out, ChatAnswer *answer, const Feedback *f, const Conversation *messages,
                    Span observation)
{
    Str prompt = {0};
    Status st = feedback_prompt(&prompt, f, messages, observation);
    if (st == ST_OK) {
        st = ask(answer, f, str_span(&prompt));
        if (st == ST_OK)
            add(out,
                f->form == FEEDBACK_BINARY ? read_binary(str_span(&answer->text)) : str_span(&answer->text));
        else if (answer->finish == CHAT_FINISH_CONTEXT)
            st = ST_OK;
    }
    str_drop(&prompt);
    return st == ST_OK ? ST_OK : fail_in(st, "asking for feedback");
}
