#include "cli/agent_session.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/agent_state.h"
#include "cli/show.h"

enum { SHOWN_LINES = 40 };

void agent_note(const AgentSession *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    show_note(s->setup.notes, s->setup.out, fmt, args);
    va_end(args);
}

/* What is shown of a turn -------------------------------------------------------------------------------- */

static void show_answer(AgentSession *s, Span text)
{
    show_text(s->setup.out, text, s->setup.guard);
    if (text.n)
        s->line_open = text.at[text.n - 1] != '\n';
    fflush(s->setup.out);
}

static void end_answer(AgentSession *s)
{
    if (s->line_open)
        fputc('\n', s->setup.out);
    s->line_open = false;
    fflush(s->setup.out);
}

static void on_say(void *self, const char *text, size_t n)
{
    show_answer(self, (Span){text, n});
}

static void on_answered(void *self, const ChatAnswer *answer, bool streamed)
{
    AgentSession *s = self;
    s->answers++;
    if (!s->setup.live) {
        str_clear(&s->pending);
        str_add(&s->pending, str_c(&answer->text), answer->text.n);
        return;
    }
    if (!streamed)
        show_answer(s, str_span(&answer->text));
    end_answer(s);
}

/* Once a block follows, the answer was not the last. */
static void flush_pending(AgentSession *s)
{
    show_lines(s->setup.notes, str_span(&s->pending), "", 0, s->setup.guard);
    str_clear(&s->pending);
}

static void on_observed(void *self, const AssistantAction *action, const WorkbenchResult *r, Span told)
{
    AgentSession *s = self;
    flush_pending(s);
    fflush(s->setup.out);
    show_lines(s->setup.notes, told, "  | ", SHOWN_LINES, s->setup.guard);
    if (r)
        agent_note(s, "  (step %d of %d: %s, %.2f s%s)", action->step, action->max_steps,
                   tool_name(action->tool), r->seconds, r->truncated ? ", cut" : "");
}

static bool on_stopped(void *self)
{
    const AgentSession *s = self;
    return s->setup.stopped && s->setup.stopped();
}

/* Approval ----------------------------------------------------------------------------------------------- */

static Status ask(AgentSession *s, const char *question, const char *begun, Span *answer)
{
    *answer = (Span){NULL, 0};
    fflush(s->setup.notes);
    return s->setup.ask ? s->setup.ask(s->setup.ask_context, question, begun, answer) : ST_OK;
}

/* False: ask again. */
static bool take_edit(AgentSession *s, const AssistantAction *action, Str *words)
{
    Span answer;
    char *begun = mem_strn(action->code.at, action->code.n);
    Status st = ask(s, "edit> ", begun, &answer);
    mem_free(begun);
    if (st != ST_OK || !answer.at || !span_trim(answer).n)
        return false;
    str_add(words, answer.at, answer.n);
    return true;
}

static void take_reason(AgentSession *s, Str *words)
{
    Span answer;
    if (ask(s, "why, for the model (Enter: no word)> ", NULL, &answer) == ST_OK && answer.at)
        str_add(words, answer.at, answer.n);
}

static Approval on_approve(void *self, const AssistantAction *action, Str *words)
{
    AgentSession *s = self;
    Span answer;
    flush_pending(s);
    agent_note(s, "step %d of %d, %s:", action->step, action->max_steps, tool_name(action->tool));
    show_lines(s->setup.notes, action->code, "  > ", 0, s->setup.guard);
    for (;;) {
        Status st = ask(s, "run it? [y]es [n]o [e]dit [t]his turn [a]lways [s]top> ", NULL, &answer);
        if (st != ST_OK || !answer.at)
            return APPROVE_STOP;
        answer = span_trim(answer);
        switch (answer.n ? tolower((unsigned char)answer.at[0]) : 0) {
        case 'y': return APPROVE_RUN;
        case 't': return APPROVE_TURN;
        case 'a': return APPROVE_ALWAYS;
        case 's': return APPROVE_STOP;
        case 'n': take_reason(s, words); return APPROVE_SKIP;
        case 'e':
            if (take_edit(s, action, words))
                return APPROVE_EDIT;
        }
    }
}

/* Turns -------------------------------------------------------------------------------------------------- */

static void say_end(const AgentSession *s, const AssistantTurn *t)
{
    if (t->end == ASSISTANT_STEPS)
        agent_note(s,
                   "(all steps are used; \"go on\" gives it as many again, --steps N more from the start)");
    else if (t->end == ASSISTANT_CUT)
        agent_note(s, "(the answer is cut off: --max-tokens, or the context is full)");
    else if (t->end == ASSISTANT_STOPPED)
        agent_note(s, "(stopped)");
    agent_note(s, "(%d step%s, %lld + %lld tokens, %.1f s of the model, %.1f s of running)", t->steps,
               t->steps == 1 ? "" : "s", (long long)t->prompt_tokens, (long long)t->completion_tokens,
               t->model_seconds, t->act_seconds);
}

static json_t *text_json(Span text)
{
    Str valid = {0};
    str_add_valid(&valid, text.at ? text.at : "", text.n);
    json_t *value = json_stringn(str_c(&valid), valid.n);
    str_drop(&valid);
    return value;
}

static void print_json(const AgentSession *s, const AssistantTurn *t, Status st)
{
    json_t *o = json_object();
    json_object_set_new(o, "answer", text_json(t->answer));
    if (st == ST_OK)
        json_object_set_new(o, "end", json_string(assistant_end_name(t->end)));
    else
        json_object_set_new(o, "error", text_json(span(error_text())));
    json_object_set_new(o, "steps", json_integer(t->steps));
    json_object_set_new(o, "prompt_tokens", json_integer(t->prompt_tokens));
    json_object_set_new(o, "completion_tokens", json_integer(t->completion_tokens));
    json_object_set_new(o, "model_seconds", json_real(t->model_seconds));
    json_object_set_new(o, "act_seconds", json_real(t->act_seconds));
    json_object_set(o, "model", (json_t *)(uintptr_t)s->setup.identity);
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6));
    fprintf(s->setup.out, "%s\n", text);
    fflush(s->setup.out);
    free(text);
    json_decref(o);
}

Status agent_write_transcript(AgentSession *s)
{
    if (!s->transcript.path)
        return ST_OK;
    if (!s->rated.n)
        return agent_transcript_write(&s->transcript, NULL);
    int rated = s->rated.at[s->rated.n - 1];
    json_t *o = assistant_transcript(s->assistant);
    if (rated)
        json_object_set_new(o, "success", json_boolean(rated > 0));
    if (s->setup.identity)
        json_object_set(o, "model", (json_t *)(uintptr_t)s->setup.identity);
    Status st = agent_transcript_write(&s->transcript, o);
    json_decref(o);
    return st;
}

static void show_turn(AgentSession *s, Status st, bool again)
{
    if (s->setup.json)
        print_json(s, &s->last, st);
    else if (st == ST_OK && !s->setup.live)
        show_answer(s, str_span(&s->pending));
    end_answer(s);
    str_clear(&s->pending);
    if (st == ST_OK)
        say_end(s, &s->last);
    else if (s->last.steps)
        agent_note(s,
                   st == ST_CANCELLED
                       ? "(stopped; what ran before is kept, and your next message goes on from there)"
                       : "%s; what ran before is kept, and your next message goes on from there",
                   error_text());
    else if (again)
        agent_note(s, "%s; the turn before is kept as it was", st == ST_CANCELLED ? "stopped" : error_text());
    else
        agent_note(s, st == ST_CANCELLED ? "(stopped; the message is taken back)" : "%s", error_text());
}

/* The ratings of turns go with them. */
static void keep_turn(AgentSession *s, Status st, bool again)
{
    bool added = st == ST_OK || s->last.steps > 0;
    if (again && added)
        s->rated.n--;
    if (added)
        array_push(&s->rated, 0);
    s->in_talk = added || again;
}

Status agent_take_task(AgentSession *s, Span text, bool again)
{
    ChatCall *call = assistant_call(s->assistant);
    call->sampler = sampling_settings(&s->setup.sampling);
    call->sampler.seed += s->answers;
    if (text.at != s->task.at) {
        str_clear(&s->task);
        str_add(&s->task, text.at, text.n);
    }
    s->line_open = false;
    s->has_last = true;
    Status st = (again ? assistant_retry : assistant_turn)(s->assistant, &s->last, str_span(&s->task));
    keep_turn(s, st, again);
    s->said = true;
    show_turn(s, st, again);
    Status kept = agent_write_transcript(s);
    if (kept != ST_OK) {
        agent_note(s, "the transcript is not written: %s", error_text());
        return st == ST_OK ? kept : st;
    }
    return st;
}

/* The session -------------------------------------------------------------------------------------------- */

Status agent_session_take(AgentSession *s, Span line, bool *over)
{
    *over = s->said = false;
    if (span_trim(line).n == 0)
        return ST_OK;
    if (line.at[0] != '/' || span_starts(line, "//"))
        return agent_take_task(s, line.at[0] == '/' ? (Span){line.at + 1, line.n - 1} : line, false);
    Status st = agent_command(s, span_trim(line), over);
    if (st != ST_OK && !s->said)
        agent_note(s, "%s", error_text());
    return st;
}

bool agent_session_survives(Status st)
{
    return st == ST_OK || st == ST_ARG || st == ST_LIMIT || st == ST_IO || st == ST_FORMAT || st == ST_PEER ||
           st == ST_CANCELLED;
}

AssistantEnd agent_session_end(const AgentSession *s)
{
    return s->has_last ? s->last.end : ASSISTANT_STOPPED;
}

Status agent_session_open(AgentSession **out, const AgentSessionSetup *setup)
{
    AgentSession *s = mem_new(AgentSession);
    s->setup = *setup;
    AssistantSetup assistant = setup->assistant;
    assistant.hooks = (AssistantHooks){.self = s,
                                       .say = setup->live ? on_say : NULL,
                                       .answered = on_answered,
                                       .approve = setup->ask ? on_approve : NULL,
                                       .observed = on_observed,
                                       .stopped = on_stopped};
    assistant_open(&s->assistant, &assistant);
    Status st = setup->transcript ? agent_transcript_open(&s->transcript, setup->transcript) : ST_OK;
    if (st != ST_OK) {
        agent_session_close(s);
        return st;
    }
    *out = s;
    return ST_OK;
}

void agent_session_close(AgentSession *s)
{
    if (!s)
        return;
    assistant_close(s->assistant);
    agent_transcript_drop(&s->transcript);
    str_drop(&s->pending);
    str_drop(&s->task);
    array_drop(&s->rated);
    mem_free(s);
}
