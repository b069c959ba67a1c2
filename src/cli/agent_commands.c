/* The commands of an agent's session: a table, and a function for each. */
#include <string.h>

#include "base/mem.h"
#include "cli/agent_state.h"
#include "cli/slash.h"

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
    agent_note(s, assistant_approves(s->assistant) ? "(you are asked before a block runs)"
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
    agent_note(s, "(a new Python, and the shell is in /work; files and the conversation stay)");
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
    bool there = agent_transcript_is(&s->transcript, path); /* its line is there: it would be a second one */
    Status st = there ? ST_OK : agent_transcript_open(&fresh, path);
    mem_free(path);
    TRY(st);
    if (!there) {
        agent_transcript_drop(&s->transcript);
        s->transcript = fresh;
    }
    TRY(agent_write_transcript(s));
    agent_note(s, "(the conversation %s a line of %s, and is kept there from now on)",
               s->rated.n ? "is" : "becomes", s->transcript.path);
    return ST_OK;
}

static Status rate(AgentSession *s, int rated)
{
    if (!s->transcript.path)
        return fail(ST_ARG, "there is no transcript to write it into: /save FILE first, or start with "
                            "--transcript FILE");
    if (!s->rated.n)
        return fail(ST_ARG, "there is no turn to rate");
    s->rated.at[s->rated.n - 1] = rated;
    TRY(agent_write_transcript(s));
    agent_note(s, "(\"success\": %s in %s)", rated > 0 ? "true" : "false", s->transcript.path);
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

static Status do_undo(void *self, Span words, bool *over)
{
    AgentSession *s = self;
    (void)words, (void)over;
    if (!assistant_undo(s->assistant))
        return fail(ST_ARG, "there is nothing to take back");
    s->rated.n--;
    s->in_talk = false;
    agent_note(s, "(the last turn is taken back; what it did to files and variables stays)");
    return agent_write_transcript(s);
}

static Status do_retry(void *self, Span words, bool *over)
{
    AgentSession *s = self;
    (void)words, (void)over;
    if (!s->task.n)
        return fail(ST_ARG, "there was no task yet");
    return agent_take_task(s, str_span(&s->task), s->in_talk);
}

static Status do_clear(void *self, Span words, bool *over)
{
    AgentSession *s = self;
    (void)words, (void)over;
    assistant_clear(s->assistant);
    agent_transcript_next(&s->transcript);
    s->has_last = s->in_talk = false;
    s->rated.n = 0;
    str_clear(&s->task);
    agent_note(s, "(a new conversation; files and variables stay, /reset begins a new Python)");
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
        agent_note(s, "/work is your folder, and what blocks change in it stays");
    else
        agent_note(s, "/work is private and goes at the end%s%s%s", folder ? "; " : "", folder ? folder : "",
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

Status agent_command(AgentSession *s, Span line, bool *over)
{
    return slash_run(commands, s, line, over);
}
