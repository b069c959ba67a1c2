/* lemur chat: a conversation with a model. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/chat_console.h"
#include "cli/chat_session.h"
#include "cli/chat_template_find.h"
#include "cli/cmd.h"
#include "cli/model_folder.h"
#include "cli/talk_signals.h"
#include "infer/bundle.h"
#include "infer/engine.h"

typedef struct {
    int64_t context, threads;
    char *dtype;
} ChatConfig;

static const char *const dtype_names[] = {"auto", "bf16", "f32", NULL};
static const Field chat_fields[] = {
    F_INT(ChatConfig, context, 0, 0, 1e7, "positions; 0: the model's own, at most 4096"),
    F_INT(ChatConfig, threads, 0, 0, 4096, "0: all this process may use"),
    F_CHOICE(ChatConfig, dtype, "auto", dtype_names,
             "of weights and products; auto: bf16 where it has kernels, else f32"),
};
static const FieldTable chat_table = FIELD_TABLE(chat_fields);

static const Flag flags[] = {
    {"model", 'm', "PATH", "model folder, training run's folder, or GGUF file"},
    {"adapter", 0, "PATH", "merge this LoRA adapter in: a PEFT folder, or a run of lemur tune --lora"},
    {"max-tokens", 'n', "N", "of an answer, at most (what the context has room for)"},
    {"context-shift", 0, NULL, "where the context is full, let the oldest turns go"},
    {"system", 's', "TEXT", "system prompt"},
    {"template", 0, "NAME",
     "how messages are put to it (chatml, llama-2, llama-3, llama-3.1, tulu, zephyr, alpaca, plain; the "
     "model's own)"},
    {"load", 0, "FILE", "go on with a saved conversation; --system takes the place of its system prompt"},
    {"stop", 0, "TEXT", "ends an answer where this would appear; may be given more than once"},
    {"private", 0, NULL, "neither read nor keep a history of what is typed"},
};

/* What the words of the command line come to. */
typedef struct {
    ChatConfig config;
    SamplingConfig sampling;
    ChatSettings settings;
    const Args *args;
    Array(const char *) stops;
    bool terminal; /* somebody types */
    Status failed; /* what went wrong, which the session has said: the exit status */
} Job;

/* The engine as a back end ------------------------------------------------------------------------------- */

enum { LOOK_MS = 50 }; /* how often an answer is asked whether it was stopped */

static RequestSpec spec_of(const ChatAsk *ask)
{
    RequestSpec spec = request_spec(ask->prompt, ask->prompt_n);
    spec.max_tokens = ask->max_tokens;
    spec.sampler = ask->sampler;
    spec.stops = ask->stops;
    spec.stops_n = ask->stops_n;
    spec.ends = ask->ends;
    spec.ends_n = ask->ends_n;
    return spec;
}

static Status answer(void *self, const ChatAsk *ask, RequestResult *result)
{
    Request *r;
    RequestEvent event = {.kind = EVENT_TOKEN};
    RequestSpec spec = spec_of(ask);
    bool cancelled = false;
    TRY(engine_submit(self, &spec, &r));
    while (event.kind != EVENT_END) {
        if (!cancelled && ask->stopped(ask->context)) {
            request_cancel(r);
            cancelled = true;
        }
        if (!request_next(r, &event, LOOK_MS / 1000.0))
            continue;
        ask->say(ask->context, event.text.at, event.text.n);
        if (event.kind == EVENT_TOKEN)
            ask->wrote(ask->context, event.id);
    }
    Status st = request_result(r, result);
    request_close(r);
    return st;
}

/* The chat ----------------------------------------------------------------------------------------------- */

/* A line is over or wrong: a script goes on and fails in the end, as one of a shell without -e would not. */
static Status take(Job *job, ChatSession *s, Span line, bool *over)
{
    Status st = chat_session_take(s, line, over);
    if (!chat_session_survives(st)) {
        job->failed = st;
        *over = true;
        return ST_OK;
    }
    if (!job->terminal && job->failed == ST_OK)
        job->failed = st;
    return talk_interrupted() && !job->terminal ? fail(ST_CANCELLED, "interrupted") : ST_OK;
}

static Status take_lines(Job *job, ChatSession *s, ChatConsole *console)
{
    Span message;
    bool over = false;
    while (!over) {
        TRY(chat_console_next(console, &message));
        if (!message.at || (talk_interrupted() && !job->terminal))
            break;
        talk_interruption_clear(); /* at the prompt it was for the line */
        TRY(take(job, s, message, &over));
        if (ferror(stdout) || talk_leaving())
            break;
    }
    if (talk_leaving())
        return fail(ST_CANCELLED, "ended by a signal");
    return talk_interrupted() && !job->terminal ? fail(ST_CANCELLED, "interrupted") : ST_OK;
}

static bool command(Job *job, ChatSession *s, const char *name, const char *words)
{
    bool over;
    char *line = mem_format("%s %s", name, words);
    job->failed = chat_session_take(s, span(line), &over);
    mem_free(line);
    return job->failed == ST_OK;
}

/* False: the saved conversation is not to be had, and there is nothing to go on with.  A system prompt of the
 * command line takes the place of its own. */
static bool load(Job *job, ChatSession *s)
{
    const char *file = args_value(job->args, "load"), *system = args_value(job->args, "system");
    return !file || (command(job, s, "/load", file) && (!system || command(job, s, "/system", system)));
}

static Status talk(Job *job, ChatSession *s)
{
    ChatConsole *console;
    if (!load(job, s))
        return ST_OK;
    char *history = args_has(job->args, "private") ? NULL : chat_console_history_path();
    ChatConsoleSetup setup = {.terminal = job->terminal,
                              .history = history,
                              .commands = chat_session_commands(),
                              .settings = chat_session_settings(),
                              .leaving = talk_leaving};
    Status st = chat_console_open(&console, &setup);
    if (st == ST_OK) {
        struct sigaction before;
        talk_reads(&before);
        st = take_lines(job, s, console);
        talk_reads_end(&before);
        chat_console_close(console);
    }
    mem_free(history);
    return st;
}

static Status with_engine(Job *job, const Bundle *b, Engine *engine, ChatTemplate *tmpl)
{
    ChatSession *s;
    ChatSessionSetup setup = {
        .tokenizer = b->tokenizer,
        .tmpl = tmpl,
        .system = args_value(job->args, "system"),
        .backend = {engine, engine_context(engine), answer},
        .ends = b->ends.at,
        .ends_n = b->ends.n,
        .stops = job->stops.at,
        .stops_n = job->stops.n,
        .sampling = job->sampling,
        .settings = job->settings,
        .out = stdout,
        .notes = stderr,
        .stopped = talk_interrupted,
        .guard = isatty(STDOUT_FILENO) == 1,
    };
    TRY(chat_session_open(&s, &setup));
    if (job->terminal)
        log_info("%s, template %s, %lld tokens of context; /help lists the commands", b->path,
                 chat_template_name(tmpl), (long long)setup.backend.context);
    /* On a terminal nothing but the answer is to end: a write that is cut short would look like
     * a closed terminal. */
    TalkSignals before;
    talk_signals_catch(&before, job->terminal ? SA_RESTART : 0);
    Status st = talk(job, s);
    talk_signals_restore(&before);
    chat_session_close(s);
    return st;
}

static Status open_all(Job *job, const char *path)
{
    Bundle b;
    Engine *engine = NULL;
    EngineSetup engine_setup = {0};
    ChatTemplate *tmpl = NULL;
    BundleSetup setup = {
        .threads = (int)job->config.threads, .context = job->config.context, .compute = DTYPE_COUNT};
    if (strcmp(job->config.dtype, "auto") != 0)
        setup.compute = strcmp(job->config.dtype, "bf16") == 0 ? DTYPE_BF16 : DTYPE_F32;
    setup.adapter = args_value(job->args, "adapter");
    TRY(bundle_open(&b, path, &setup));
    Status st = chat_template_find(&tmpl, &b, args_value(job->args, "template"));
    if (st == ST_OK)
        st = engine_open(&engine, b.decoder, b.tokenizer, &engine_setup);
    if (st == ST_OK) {
        st = with_engine(job, &b, engine, tmpl);
        engine_close(engine);
    }
    chat_template_free(tmpl);
    bundle_close(&b);
    return st;
}

/* The settings that /set changes later. */
static Status read_settings(Job *job)
{
    config_defaults(&chat_settings_table, &job->settings);
    job->settings.context_shift = args_has(job->args, "context-shift");
    return cmd_number(&job->settings.max_tokens, job->args, "max-tokens", 0, 1000000000);
}

static Status run(const Args *args, void *context)
{
    Job *job = context;
    char *path;
    job->args = args;
    TRY(read_settings(job));
    job->terminal = isatty(STDIN_FILENO) == 1;
    size_t place = 0;
    for (const char *stop; (stop = args_next(args, "stop", &place));)
        array_push(&job->stops, stop);
    for (size_t i = 0; i < job->stops.n; i++)
        if (!*job->stops.at[i])
            return fail(ST_ARG, "--stop is empty");
    if (!args_value(args, "model"))
        return fail(ST_ARG, "which model? name its folder or GGUF file with -m PATH");
    if (args_value(args, "template")) { /* before the model is read */
        ChatTemplate *named;
        TRY(chat_template_open(&named, args_value(args, "template")));
        chat_template_free(named);
    }
    TRY(model_path_find(&path, args_value(args, "model")));
    Status st = open_all(job, path);
    mem_free(path);
    return st;
}

int cmd_chat(int argc, char **argv)
{
    Job job = {0};
    const ArgsTable tables[] = {{&sampling_table, &job.sampling}, {&chat_table, &job.config}};
    const Command c = {
        .usage = "-m PATH [flags]",
        .about =
            "Talks with a model.  On a terminal: lines are edited, Ctrl-C stops an answer, Ctrl-D leaves,\n"
            "/help lists the commands.  Else each line of standard input is a message and its answer\n"
            "goes to standard output, so that a script can ask; what a line asks for in vain makes the\n"
            "exit status 1 (2: a wrong command or setting).\n"
            "example: echo 'Why is the sky blue?' | lemur chat -m model.gguf --temp 0",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables),
    };
    int code = cmd_run(&c, argc, argv, run, &job);
    array_drop(&job.stops);
    return code == EXIT_DONE ? cmd_exit_code(job.failed) : code;
}
