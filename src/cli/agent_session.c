#include "cli/agent_session.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/agent_transcript.h"
#include "cli/show.h"
#include "cli/slash.h"

enum { SHOWN_LINES = 40, TASK_SHOWN = 60 };

struct AgentSession {
    AgentSessionSetup setup;
    Assistant *assistant;
    Str pending;  /* an answer that may be the last of its turn; not live */
    Str task;     /* the last one, for /retry */
    AssistantTurn last;
    bool has_last;
    bool in_talk;     /* the last turn is a part of the conversation */
    bool line_open;   /* the answer on `out` does not end its line   */
    bool said;        /* what went wrong was said already            */
    uint64_t answers; /* each draws with a seed of its own           */
    AgentTranscript transcript;
    int rated; /* 1 good, -1 bad, 0 nobody said */
};

static void note(const AgentSession *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void note(const AgentSession *s, const char *fmt, ...)
{
    va_list args;
    fflush(s->setup.out); /* the text ends before words about it begin */
    va_start(args, fmt);
    vfprintf(s->setup.notes, fmt, args);
    va_end(args);
    fputc('\n', s->setup.notes);
    fflush(s->setup.notes);
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
        note(s, "  (step %d of %d: %s, %.2f s%s)", action->step, action->max_steps, tool_name(action->tool),
             r->seconds, r->truncated ? ", cut" : "");
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
    note(s, "step %d of %d, %s:", action->step, action->max_steps, tool_name(action->tool));
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
        note(s, "(all steps are used; \"go on\" gives it as many again, --steps N more from the start)");
    else if (t->end == ASSISTANT_CUT)
        note(s, "(the answer is cut off: --max-tokens, or the context is full)");
    else if (t->end == ASSISTANT_STOPPED)
        note(s, "(stopped)");
    note(s, "(%d step%s, %lld + %lld tokens, %.1f s of the model, %.1f s of running)", t->steps,
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

static Status write_transcript(AgentSession *s)
{
    if (!s->transcript.path || !assistant_conversation(s->assistant)->messages.n)
        return ST_OK;
    json_t *o = assistant_transcript(s->assistant);
    if (s->rated)
        json_object_set_new(o, "success", json_boolean(s->rated > 0));
    if (s->setup.identity)
        json_object_set(o, "model", (json_t *)(uintptr_t)s->setup.identity);
    Status st = agent_transcript_write(&s->transcript, o);
    json_decref(o);
    return st;
}

static void show_turn(AgentSession *s, Status st)
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
        note(s, st == ST_CANCELLED ? "(stopped; what ran before is kept, and your next message goes on from there)"
                                   : "%s; what ran before is kept, and your next message goes on from there",
             error_text());
    else
        note(s, st == ST_CANCELLED ? "(stopped; the message is taken back)" : "%s", error_text());
}

static Status take_task(AgentSession *s, Span text)
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
    s->rated = 0;
    Status st = assistant_turn(s->assistant, &s->last, str_span(&s->task));
    s->in_talk = st == ST_OK || s->last.steps > 0;
    s->said = true;
    show_turn(s, st);
    Status kept = write_transcript(s);
    if (kept != ST_OK) {
        note(s, "the transcript is not written: %s", error_text());
        return st == ST_OK ? kept : st;
    }
    return st;
}

/* Commands ----------------------------------------------------------------------------------------------- */

static const SlashCommand commands[];

static Status do_help(void *self, Span words, bool *over)
{
    (void)words, (void)over;
    slash_help(((AgentSession *)self)->setup.notes, commands);
    return ST_OK;
}

static Status do_approve(void *self, Span words, bool *over)
{
    AgentSession *s = self;
    (void)over;
    if (words.n && !span_is(words, "on") && !span_is(words, "off"))
        return fail(ST_ARG, "say /approve on or /approve off");
    if (span_is(words, "on") && !s->setup.ask)
        return fail(ST_ARG, "nobody can be asked here: approval needs a terminal");
    if (words.n)
        assistant_set_approve(s->assistant, span_is(words, "on"));
    note(s, assistant_approves(s->assistant) ? "(you are asked before a block runs)"
                                             : "(blocks run without a question)");
    return ST_OK;
}

static Status do_reset(void *self, Span words, bool *over)
{
    AgentSession *s = self;
    (void)words, (void)over;
    if (!s->setup.assistant.bench)
        return fail(ST_ARG, "nothing runs here (--no-tools)");
    workbench_reset(s->setup.assistant.bench);
    note(s, "(a new Python, and the shell is in /work; files and the conversation stay)");
    return ST_OK;
}

static Status do_save(void *self, Span words, bool *over)
{
    AgentSession *s = self;
    AgentTranscript fresh;
    (void)over;
    if (!words.n)
        return fail(ST_ARG, "say which file: /save FILE");
    char *path = mem_strn(words.at, words.n);
    Status st = agent_transcript_open(&fresh, path);
    mem_free(path);
    TRY(st);
    agent_transcript_drop(&s->transcript);
    s->transcript = fresh;
    TRY(write_transcript(s));
    note(s, "(the conversation is a line of %s, and is kept there from now on)", s->transcript.path);
    return ST_OK;
}

static Status rate(AgentSession *s, int rated)
{
    if (!s->transcript.path)
        return fail(ST_ARG, "there is no transcript to write it into: /save FILE first, or start with "
                            "--transcript FILE");
    if (!s->has_last)
        return fail(ST_ARG, "there was no turn yet");
    s->rated = rated;
    TRY(write_transcript(s));
    note(s, "(\"success\": %s in %s)", rated > 0 ? "true" : "false", s->transcript.path);
    return ST_OK;
}

static Status do_good(void *self, Span words, bool *over)
{
    (void)words, (void)over;
    return rate(self, 1);
}

static Status do_bad(void *self, Span words, bool *over)
{
    (void)words, (void)over;
    return rate(self, -1);
}

static Status take_back(AgentSession *s)
{
    if (!assistant_undo(s->assistant))
        return fail(ST_ARG, "there is nothing to take back");
    s->in_talk = false;
    return ST_OK;
}

static Status do_undo(void *self, Span words, bool *over)
{
    AgentSession *s = self;
    (void)words, (void)over;
    TRY(take_back(s));
    note(s, "(the last turn is taken back; what it did to files and variables stays)");
    return write_transcript(s);
}

static Status do_retry(void *self, Span words, bool *over)
{
    AgentSession *s = self;
    (void)words, (void)over;
    if (!s->task.n)
        return fail(ST_ARG, "there was no task yet");
    if (s->in_talk)
        TRY(take_back(s));
    return take_task(s, str_span(&s->task));
}

static Status do_clear(void *self, Span words, bool *over)
{
    AgentSession *s = self;
    (void)words, (void)over;
    assistant_clear(s->assistant);
    agent_transcript_next(&s->transcript);
    s->has_last = s->in_talk = false;
    s->rated = 0;
    str_clear(&s->task);
    note(s, "(a new conversation; files and variables stay, /reset begins a new Python)");
    return ST_OK;
}

static Status do_set(void *self, Span words, bool *over)
{
    AgentSession *s = self;
    const ArgsTable table = {&sampling_table, &s->setup.sampling};
    (void)over;
    return slash_set(s->setup.notes, &table, 1, words);
}

static Status do_where(void *self, Span words, bool *over)
{
    const AgentSession *s = self;
    const Workbench *bench = s->setup.assistant.bench;
    (void)words, (void)over;
    if (!bench)
        return fail(ST_ARG, "nothing runs here (--no-tools)");
    const char *folder = workbench_folder(bench);
    if (folder && strcmp(folder, "/work") == 0)
        note(s, "/work is your folder, and what blocks change in it stays");
    else
        note(s, "/work is private and goes at the end%s%s%s", folder ? "; " : "", folder ? folder : "",
             folder ? " is read-only" : "");
    return ST_OK;
}

static Status do_quit(void *self, Span words, bool *over)
{
    (void)self, (void)words;
    *over = true;
    return ST_OK;
}

static const SlashCommand commands[] = {
    {"/help", "", "this list", do_help},
    {"/approve", "[on|off]", "be asked before a block runs, or not", do_approve},
    {"/reset", "", "a new Python; the shell goes to /work", do_reset},
    {"/retry", "", "take the last turn back and try its task again", do_retry},
    {"/undo", "", "take the last turn back", do_undo},
    {"/clear", "", "begin a new conversation", do_clear},
    {"/save", "FILE", "add the conversation to a file of transcripts, and keep it there", do_save},
    {"/good", "", "the transcript says that the task was done", do_good},
    {"/bad", "", "... that it was not", do_bad},
    {"/where", "", "which folders there are", do_where},
    {"/set", "[NAME VALUE]", "change a setting, as /set temp 0.7", do_set},
    {"/settings", "", "show all settings", do_set},
    {"/quit", "", "leave", do_quit},
    {"/exit", "", "leave", do_quit},
    {NULL, NULL, NULL, NULL},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] - 1 };

const char *const *agent_session_commands(void)
{
    static const char *names[COMMANDS + 1];
    slash_names(names, COMMANDS, commands);
    return names;
}

const char *const *agent_session_settings(void)
{
    static const char *names[32];
    const ArgsTable table = {&sampling_table, NULL};
    slash_setting_names(names, sizeof names / sizeof names[0] - 1, &table, 1);
    return names;
}

/* The session -------------------------------------------------------------------------------------------- */

Status agent_session_take(AgentSession *s, Span line, bool *over)
{
    *over = s->said = false;
    if (span_trim(line).n == 0)
        return ST_OK;
    if (line.at[0] != '/' || span_starts(line, "//"))
        return take_task(s, line.at[0] == '/' ? (Span){line.at + 1, line.n - 1} : line);
    Status st = slash_run(commands, s, span_trim(line), over);
    if (st != ST_OK && !s->said)
        note(s, "%s", error_text());
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
    mem_free(s);
}
