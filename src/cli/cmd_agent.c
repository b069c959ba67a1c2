/* lemur agent: a model that acts, in a sandbox, before its user's eyes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/agent_session.h"
#include "cli/chat_console.h"
#include "cli/chatmodel_open.h"
#include "cli/cmd.h"
#include "cli/talk_signals.h"

enum { SYSTEM_LIMIT = 1 << 20, TASK_LIMIT = 16 << 20 };

typedef struct {
    int64_t steps, max_tokens, output_bytes;
    double block_seconds;
    char *observations;
} AgentConfig;

static const char *const observation_names[] = {"auto", "tool", "user", NULL};
static const Field agent_fields[] = {
    F_INT(AgentConfig, steps, 20, 1, 10000, "blocks that run in a turn, at most"),
    F_INT(AgentConfig, max_tokens, 0, 0, 1e9,
          "of an answer; 0: what the context has room for, or the server's"),
    F_FLOAT(AgentConfig, block_seconds, 60, 0.1, 86400, "that a block may run"),
    F_INT(AgentConfig, output_bytes, 16000, 200, 1e6, "of what a block prints that the model is told"),
    F_CHOICE(AgentConfig, observations, "auto", observation_names,
             "whose message that is; auto: a tool's where the model's template has one, else the user's"),
};
static const FieldTable agent_table = FIELD_TABLE(agent_fields);

static const Flag flags[] = {
    {"model", 'm', "PATH", "model folder, run folder, GGUF file, http(s):// server, or script:FILE"},
    {"folder", 0, "DIR", "a folder of yours that it may read, at its own path"},
    {"write", 0, NULL, "it may change that folder, which is then /work"},
    {"approve", 0, NULL, "ask before each block runs: run, edit, skip, stop"},
    {"python", 0, NULL, "Python blocks alone run"},
    {"bash", 0, NULL, "shell blocks alone run"},
    {"no-tools", 0, NULL, "nothing runs: it only talks"},
    {"prompt", 'p', "TEXT", "one task ('-': standard input), its answer, and the end"},
    {"system", 0, "FILE", "the system prompt, instead of the one that explains the blocks"},
    {"transcript", 0, "FILE", "add the conversation to this JSONL file, which lemur tune reads"},
    {"json", 0, NULL, "a JSON object for each turn instead of its answer"},
    {"private", 0, NULL, "neither read nor keep a history of what is typed"},
};

typedef struct {
    AgentConfig config;
    ChatModelConfig model;
    SamplingConfig sampling;
    const Args *args;
    ChatModelOpened opened;
    Workbench *bench;
    ChatConsole *console;
    Str system, task;
    bool terminal; /* somebody can be asked */
    bool talks;    /* ... and types the tasks: the session goes on whatever happens */
    Status failed; /* what the session has said already: the exit status */
    bool unsolved; /* the last turn did not end with an answer */
    bool catches;  /* signals, which did this before:          */
    TalkSignals before;
} Job;

static bool bench_stopped(void *context)
{
    (void)context;
    return talk_interrupted();
}

/* The conversation --------------------------------------------------------------------------------------- */

static void take(Job *job, AgentSession *s, Span line, bool *over)
{
    if (job->talks) /* at the prompt it was for the line */
        talk_interruption_clear();
    Status st = agent_session_take(s, line, over);
    if (job->failed == ST_OK && (!job->talks || !agent_session_survives(st)))
        job->failed = st;
    job->unsolved = agent_session_end(s) != ASSISTANT_ANSWERED;
    if (!agent_session_survives(st) || talk_leaving())
        *over = true;
    if (talk_interrupted() && !job->talks) {
        job->failed = ST_CANCELLED;
        *over = true;
    }
}

static Status take_lines(Job *job, AgentSession *s)
{
    Span message;
    bool over = false;
    while (!over) {
        TRY(chat_console_next(job->console, &message));
        if (!message.at || ferror(stdout))
            break;
        take(job, s, message, &over);
    }
    if (talk_leaving())
        return fail(ST_CANCELLED, "ended by a signal");
    bool waited = !over && !job->talks; /* for a line; else it is said */
    return waited && talk_interrupted() ? fail(ST_CANCELLED, "interrupted") : ST_OK;
}

static Status read_lines(Job *job, AgentSession *s)
{
    struct sigaction before;
    talk_reads(&before);
    Status st = take_lines(job, s);
    talk_reads_end(&before);
    return st;
}

static Status ask_user(void *context, const char *question, const char *begun, Span *answer)
{
    const Job *job = context;
    Status st = chat_console_ask(job->console, question, begun, answer);
    talk_interruption_clear(); /* Ctrl-C at the question has been answered by ending it */
    return st;
}

static Status converse(Job *job, AgentSession *s)
{
    bool over = false;
    if (!args_value(job->args, "prompt"))
        return read_lines(job, s);
    if (span_starts(str_span(&job->task), "/")) { /* a task, never a command */
        Str doubled = {0};
        str_addf(&doubled, "/%s", str_c(&job->task));
        take(job, s, str_span(&doubled), &over);
        str_drop(&doubled);
    } else {
        take(job, s, str_span(&job->task), &over);
    }
    if (job->failed == ST_OK && job->unsolved)
        job->failed = ST_LIMIT;
    return ST_OK;
}

/* What the template bears -------------------------------------------------------------------------------- */

static bool renders(const Job *job, ChatRole first, ChatRole last)
{
    Conversation c = {0};
    Ids ids = {0};
    conversation_add(&c, first, span("?"));
    if (first == CHAT_USER)
        conversation_add(&c, CHAT_ASSISTANT, span("?"));
    conversation_add(&c, last, span("?"));
    bool good = chat_render(job->opened.tokenizer, job->opened.tmpl, &c, CHAT_GENERATE, &ids, NULL) == ST_OK;
    array_drop(&ids);
    conversation_drop(&c);
    return good;
}

static ChatRole observation_role(const Job *job)
{
    if (strcmp(job->config.observations, "auto") != 0)
        return strcmp(job->config.observations, "tool") == 0 ? CHAT_TOOL : CHAT_USER;
    return job->opened.tmpl && renders(job, CHAT_USER, CHAT_TOOL) ? CHAT_TOOL : CHAT_USER;
}

static AgentSessionSetup session_setup(Job *job)
{
    const Args *a = job->args;
    bool one = args_has(a, "python") != args_has(a, "bash"), tty = isatty(STDOUT_FILENO) == 1;
    AssistantSetup assistant = {
        .model = job->opened.chat,
        .call = chatmodel_call(NULL),
        .bench = job->bench,
        .tools = {!one || args_has(a, "python"), !one || args_has(a, "bash")},
        .max_steps = (int)job->config.steps,
        .system = args_value(a, "system") ? str_c(&job->system) : NULL,
        .system_in_user = job->opened.tmpl && !renders(job, CHAT_SYSTEM, CHAT_USER),
        .observation_role = observation_role(job),
        .approve = args_has(a, "approve"),
    };
    assistant.call.max_tokens = job->config.max_tokens;
    return (AgentSessionSetup){
        .assistant = assistant,
        .sampling = job->sampling,
        .out = stdout,
        .notes = stderr,
        .live = job->talks && tty && !args_has(a, "json"),
        .guard = tty || isatty(STDERR_FILENO) == 1,
        .json = args_has(a, "json"),
        .identity = job->opened.identity,
        .ask = job->terminal ? ask_user : NULL,
        .ask_context = job,
        .stopped = talk_interrupted,
        .transcript = args_value(a, "transcript"),
    };
}

static void greet(const Job *job, const AgentSessionSetup *setup)
{
    const char *folder = job->bench ? workbench_folder(job->bench) : NULL;
    bool both = setup->assistant.tools[TOOL_PYTHON] && setup->assistant.tools[TOOL_BASH];
    log_info("%s; %s%s%s%s; /help lists the commands", chatmodel_name(job->opened.chat),
             !job->bench                           ? "nothing runs"
             : both                                ? "Python and bash in the sandbox"
             : setup->assistant.tools[TOOL_PYTHON] ? "Python in the sandbox"
                                                   : "bash in the sandbox",
             folder ? ", with " : "", folder ? folder : "",
             folder && strcmp(folder, "/work") == 0 ? " (your folder, writable)"
             : folder                               ? " read-only"
                                                    : "");
}

static Status with_session(Job *job)
{
    AgentSession *s;
    AgentSessionSetup setup = session_setup(job);
    TRY(agent_session_open(&s, &setup));
    char *history = args_has(job->args, "private") || !job->talks ? NULL : chat_console_history_path();
    ChatConsoleSetup console = {.terminal = job->terminal,
                                .history = history,
                                .commands = agent_session_commands(),
                                .settings = agent_session_settings(),
                                .leave = true,
                                .leaving = talk_leaving};
    Status st = chat_console_open(&job->console, &console);
    if (st == ST_OK) {
        TalkSignals opening;
        if (job->talks)
            greet(job, &setup);
        /* On a terminal nothing but what is under way is to end: a write that is cut short would look like a
         * closed terminal. */
        talk_signals_catch(&opening, job->talks ? SA_RESTART : 0);
        st = converse(job, s);
        talk_signals_restore(&opening);
        chat_console_close(job->console);
    }
    mem_free(history);
    agent_session_close(s);
    return st;
}

/* Opening ------------------------------------------------------------------------------------------------ */

static void warn_of_home(const char *folder)
{
    const char *home = getenv("HOME");
    char *shown = realpath(folder, NULL), *own = home ? realpath(home, NULL) : NULL;
    size_t n = shown ? strlen(shown) : 0;
    if (own && shown && strncmp(own, shown, n) == 0 && (own[n] == '/' || !own[n]))
        log_warn("--folder %s shows all of your home folder, keys and passwords too: name a folder below it",
                 folder);
    free(shown);
    free(own);
}

static Status open_bench(Job *job)
{
    WorkbenchSetup setup = {.folder = args_value(job->args, "folder"),
                            .write = args_has(job->args, "write"),
                            .seconds = job->config.block_seconds,
                            .output_bytes = (size_t)job->config.output_bytes,
                            .stopped = bench_stopped};
    if (args_has(job->args, "no-tools"))
        return ST_OK;
    if (setup.folder)
        warn_of_home(setup.folder);
    Status st = workbench_open(&job->bench, &setup);
    if (st != ST_UNSUPPORTED)
        return st;
    Error why = error_take();
    return fail(st,
                "%s; lemur doctor says what else is missing, and --no-tools talks without running anything",
                why.text);
}

/* What was stopped half way may have failed for that. */
static Status open_all(Job *job)
{
    Status st = open_bench(job); /* before a large model is read */
    if (st == ST_OK && !talk_interrupted())
        st = chatmodel_open_named(&job->opened, args_value(job->args, "model"), &job->model, 1);
    return talk_interrupted() ? fail(ST_CANCELLED, "stopped before the first task") : st;
}

static Status read_words(Job *job)
{
    const Args *a = job->args;
    const char *task = args_value(a, "prompt");
    if (!args_value(a, "model"))
        return fail(ST_ARG, "which model? name its folder or GGUF file, a server's http:// address, or "
                            "script:FILE with -m");
    if (args_has(a, "write") && !args_value(a, "folder"))
        return fail(ST_ARG, "--write wants --folder DIR as well: the folder that may be changed");
    if (args_has(a, "no-tools") && (args_value(a, "folder") || args_has(a, "python") || args_has(a, "bash")))
        return fail(ST_ARG, "--no-tools runs nothing: leave --folder, --python and --bash away");
    job->terminal = isatty(STDIN_FILENO) == 1 && !(task && strcmp(task, "-") == 0);
    job->talks = job->terminal && !task;
    if (args_has(a, "approve") && !job->terminal)
        return fail(ST_ARG, "--approve asks on a terminal, and standard input is none");
    if (args_value(a, "system"))
        TRY(file_read(&job->system, args_value(a, "system"), SYSTEM_LIMIT));
    if (task && strcmp(task, "-") == 0)
        TRY(cmd_read_input(&job->task, "-", TASK_LIMIT));
    else if (task)
        str_adds(&job->task, task);
    if (task && !span_trim(str_span(&job->task)).n)
        return fail(ST_ARG, "the task is empty");
    return ST_OK;
}

static Status run(const Args *args, void *context)
{
    Job *job = context;
    job->args = args;
    TRY(read_words(job));
    /* From before the private folder is made until it is gone.  Who asks twice does not wait for a model. */
    talk_signals_catch(&job->before, SA_RESTART | SA_RESETHAND);
    job->catches = true;
    TRY(open_all(job));
    Status st = with_session(job);
    if (job->talks && job->bench && workbench_holds_files(job->bench))
        log_info("the files in the private /work are gone; --folder DIR --write keeps them");
    return st;
}

int cmd_agent(int argc, char **argv)
{
    Job job = {0};
    const ArgsTable tables[] = {
        {&agent_table, &job.config}, {&chatmodel_table, &job.model}, {&sampling_table, &job.sampling}};
    const Command c = {
        .usage = "-m MODEL [flags]",
        .about =
            "A model that acts: the Python and bash blocks of its answers run in a sandbox, what they give "
            "goes\n"
            "back to it, and you watch.  On a terminal: Ctrl-C stops an answer or a block, twice at the "
            "prompt\n"
            "or Ctrl-D leaves, /help lists the commands.  With -p one task, its answer on standard output, "
            "its\n"
            "steps on stderr; exit status 0 where it ended with an answer, else 1.  Without a terminal each\n"
            "line of standard input is a task.  /work inside is private and goes at the end; --folder shows "
            "a\n"
            "folder of yours, --write lets it change that.  docs/agent.md says what this cannot stop.\n"
            "example: lemur agent -m model.gguf --folder ~/data -p 'Which month in sales.csv sold most?'",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables),
    };
    int code = cmd_run(&c, argc, argv, run, &job);
    chatmodel_close_opened(&job.opened);
    workbench_close(job.bench);
    if (job.catches)
        talk_signals_restore(&job.before);
    str_drop(&job.system);
    str_drop(&job.task);
    return code == EXIT_DONE ? cmd_exit_code(job.failed) : code;
}
