/* lemur env play: a person, a pipe or a policy in a world, one action a line. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/chat_console.h"
#include "cli/env.h"
#include "cli/show.h"
#include "cli/slash.h"
#include "env/policy.h"

enum { SAVED_LIMIT = 64 << 20 };

typedef struct {
    EnvPlace place;
    int64_t steps, seed;
    char *policy;
    bool json;
    const Args *args;
    Env *env;
    EnvState *state;
    Array(Str) before; /* saved states, the beginning first: what /undo and Ctrl-C go back to */
    ChatConsole *console;
    bool terminal, guard, told; /* told: how it ended */
} Game;

static const Field fields[] = {
    F_STRING(Game, policy, "", "watch this one play: expert, random, script:FILE; empty: you play"),
    F_INT(Game, steps, 0, 0, 1e9, "actions of an episode, at most; 0: the world's own limit"),
    F_INT(Game, seed, 1, 0, 1e18, "of chance"),
    F_BOOL(Game, json, false, "a JSON object a line instead of text: what a program that plays reads"),
};
static const FieldTable table = FIELD_TABLE(fields);
static const Flag flags[] = {{"load", 0, "FILE", "go on from a state that /save wrote"}};

/* Ctrl-C stops what the world is doing, and no more. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static bool was_interrupted(void *context)
{
    (void)context;
    return interrupted != 0;
}

/* Telling. ----------------------------------------------------------------------------------------------- */

static void tell_json(const Game *g, const char *action)
{
    const EnvTurn *t = env_turn(g->state);
    Str valid = {0};
    str_add_valid(&valid, str_c(&t->observation), t->observation.n);
    json_t *o = json_pack("{s:s, s:i, s:s#, s:f, s:b, s:b, s:b}", "task", env_task(g->state)->id, "step",
                          env_steps(g->state), "observation", str_c(&valid), (int)valid.n, "reward",
                          t->reward, "done", t->done, "solved", t->solved, "failed", t->failed);
    if (action) {
        str_clear(&valid);
        str_add_valid(&valid, action, strlen(action));
        json_object_set_new(o, "action", json_stringn(str_c(&valid), valid.n));
    }
    json_dumpf(o, stdout, JSON_COMPACT);
    fputc('\n', stdout);
    json_decref(o);
    str_drop(&valid);
}

static void tell(Game *g, const char *action)
{
    const EnvTurn *t = env_turn(g->state);
    if (g->json) {
        tell_json(g, action);
    } else {
        show_lines(stdout, str_span(&t->observation), "", 0, g->guard);
        if (action && t->reward != 0 && !t->solved)
            printf("(reward %.4g)\n", t->reward);
    }
    fflush(stdout);
    if (!t->done || g->told)
        return;
    g->told = true;
    if (t->solved)
        log_info("solved in %d steps", env_steps(g->state));
    else
        log_info("not solved: %d steps are used up or given up; best reward %.4g", env_steps(g->state),
                 env_best(g->state));
}

/* States. ------------------------------------------------------------------------------------------------ */

static void forget_before(Game *g)
{
    for (size_t i = 0; i < g->before.n; i++)
        str_drop(&g->before.at[i]);
    array_clear(&g->before);
}

static void take_state(Game *g, EnvState *s)
{
    env_free(g->state);
    g->state = s;
    g->told = false;
}

static Status begin(Game *g, size_t task)
{
    EnvState *s;
    TRY(env_reset(&s, g->env, task));
    if (g->steps)
        env_limit(s, (int)g->steps);
    forget_before(g);
    take_state(g, s);
    return ST_OK;
}

static Status go_back(Game *g)
{
    EnvState *s;
    Str *last = &g->before.at[g->before.n - 1];
    interrupted = 0;
    TRY(env_restore(&s, g->env, str_span(last)));
    take_state(g, s);
    str_drop(last);
    g->before.n--;
    return ST_OK;
}

static Status act(Game *g, Span action)
{
    Str saved = {0}, text = {0};
    env_save(g->state, &saved);
    array_push(&g->before, saved);
    interrupted = 0;
    Status st = env_step(g->state, action);
    if (st == ST_CANCELLED && interrupted) {
        TRY(go_back(g));
        log_info("stopped; as before that action");
        return ST_OK;
    }
    if (st != ST_OK)
        return st;
    str_add(&text, action.at, action.n);
    tell(g, str_c(&text));
    str_drop(&text);
    return ST_OK;
}

static Status load(Game *g, const char *path)
{
    Str text = {0};
    EnvState *s;
    Status st = file_read(&text, path, SAVED_LIMIT);
    if (st == ST_OK && (st = env_restore(&s, g->env, str_span(&text))) == ST_OK) {
        forget_before(g);
        take_state(g, s);
    } else {
        st = fail_in(st, "%s", path);
    }
    str_drop(&text);
    return st;
}

/* Commands. ---------------------------------------------------------------------------------------------- */

static const SlashCommand commands[];

static Status do_help(void *self, Span words, bool *over)
{
    const Game *g = self;
    (void)words, (void)over;
    fprintf(stderr, "An action is %s.\n", env_kind(g->env)->actions);
    slash_help(stderr, commands);
    return ST_OK;
}

static Status do_actions(void *self, Span words, bool *over)
{
    const Game *g = self;
    EnvActions all = {0};
    (void)over;
    TRY(env_admissible(g->state, &all));
    for (size_t i = 0; i < all.n; i++)
        if (!words.n || memmem(all.at[i], strlen(all.at[i]), words.at, words.n))
            fprintf(stderr, "  %s\n", all.at[i]);
    array_drop(&all);
    return ST_OK;
}

static Status do_expert(void *self, Span words, bool *over)
{
    const Game *g = self;
    Str action = {0};
    (void)words, (void)over;
    Status st = env_expert(g->state, &action);
    if (st == ST_OK)
        fprintf(stderr, "  %s\n", str_c(&action));
    str_drop(&action);
    return st;
}

static Status do_undo(void *self, Span words, bool *over)
{
    Game *g = self;
    (void)words, (void)over;
    if (!g->before.n)
        return fail(ST_ARG, "there is no action to take back");
    TRY(go_back(g));
    tell(g, NULL);
    return ST_OK;
}

static Status do_restart(void *self, Span words, bool *over)
{
    Game *g = self;
    size_t task = (size_t)(env_task(g->state) - env_tasks(g->env)->at);
    (void)words, (void)over;
    TRY(begin(g, task));
    tell(g, NULL);
    return ST_OK;
}

static Status do_save(void *self, Span words, bool *over)
{
    const Game *g = self;
    Str saved = {0};
    (void)over;
    if (!words.n)
        return fail(ST_ARG, "say which file: /save FILE");
    char *path = mem_strn(words.at, words.n);
    env_save(g->state, &saved);
    str_addc(&saved, '\n');
    Status st = file_replace(path, saved.at, saved.n);
    if (st == ST_OK)
        log_info("saved; lemur env play %s --load %s goes on, with the same --data or --games",
                 env_kind(g->env)->name, path);
    str_drop(&saved);
    mem_free(path);
    return st;
}

static Status do_load(void *self, Span words, bool *over)
{
    Game *g = self;
    (void)over;
    if (!words.n)
        return fail(ST_ARG, "say which file: /load FILE");
    char *path = mem_strn(words.at, words.n);
    Status st = load(g, path);
    mem_free(path);
    if (st == ST_OK)
        tell(g, NULL);
    return st;
}

static Status do_quit(void *self, Span words, bool *over)
{
    (void)self, (void)words;
    *over = true;
    return ST_OK;
}

static const SlashCommand commands[] = {
    {"/help", "", "this list, and what an action is", do_help},
    {"/actions", "[WORD]", "what can be done now, or those of it with that word", do_actions},
    {"/expert", "", "what one would do who knows the answer", do_expert},
    {"/undo", "", "take the last action back", do_undo},
    {"/restart", "", "begin the task again", do_restart},
    {"/save", "FILE", "keep this state", do_save},
    {"/load", "FILE", "go on from a state that was kept", do_load},
    {"/quit", "", "leave", do_quit},
    {NULL, NULL, NULL, NULL},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] - 1 };

/* The loop. ---------------------------------------------------------------------------------------------- */

/* A slip of a person's is told, and the game goes on. */
static Status take(Game *g, Span line, bool *over)
{
    if (!span_starts(line, "/") || span_starts(line, "//")) {
        Span action = span_starts(line, "//") ? (Span){line.at + 1, line.n - 1} : line;
        return act(g, action);
    }
    Status st = slash_run(commands, g, line, over);
    if (st == ST_OK || !g->terminal)
        return st;
    log_error("%s", error_text());
    return ST_OK;
}

static Status play_lines(Game *g)
{
    static const char *names[COMMANDS + 1];
    slash_names(names, COMMANDS, commands);
    ChatConsoleSetup setup = {.terminal = g->terminal, .commands = names, .leave = true};
    TRY(chat_console_open(&g->console, &setup));
    Status st = ST_OK;
    for (bool over = false; st == ST_OK && !over && !ferror(stdout);) {
        Span line;
        st = chat_console_next(g->console, &line);
        if (st != ST_OK || !line.at || (env_turn(g->state)->done && !g->terminal))
            break;
        st = take(g, line, &over);
    }
    chat_console_close(g->console);
    return st;
}

static Status play_policy(Game *g)
{
    Policy *p;
    Str action = {0};
    TRY(policy_open(&p, g->policy, (uint64_t)g->seed));
    PolicyPlayer player = policy_begin(p, (size_t)(env_task(g->state) - env_tasks(g->env)->at));
    Status st = ST_OK;
    for (bool has = true; st == ST_OK && !env_turn(g->state)->done && !ferror(stdout);) {
        st = policy_next(p, &player, g->state, &action, &has);
        if (st != ST_OK || !has)
            break;
        if (!g->json) {
            fputs("> ", stdout);
            show_lines(stdout, str_span(&action), "", 0, g->guard);
        }
        st = act(g, str_span(&action));
        if (interrupted)
            st = fail(ST_CANCELLED, "interrupted");
    }
    str_drop(&action);
    policy_close(p);
    return st;
}

/* Which task. -------------------------------------------------------------------------------------------- */

/* An id, or the first that begins so; without a word chance decides. */
static Status choose(size_t *out, const Game *g, const char *word)
{
    const EnvTasks *tasks = env_tasks(g->env);
    size_t begins = tasks->n;
    if (!word) {
        Rng rng;
        rng_seed(&rng, (uint64_t)g->seed);
        *out = rng_below(&rng, tasks->n);
        return ST_OK;
    }
    for (size_t i = tasks->n; i-- > 0;) {
        if (strcmp(tasks->at[i].id, word) == 0) {
            *out = i;
            return ST_OK;
        }
        begins = strncmp(tasks->at[i].id, word, strlen(word)) == 0 ? i : begins;
    }
    *out = begins;
    return begins < tasks->n ? ST_OK : env_task_find(out, g->env, word);
}

/* "WORLD TASK" or "WORLD/TASK". */
static Status open_game(Game *g, EnvOptions *options)
{
    const char *first = g->args->positional[0],
               *task = g->args->positional_n > 1 ? g->args->positional[1] : NULL;
    size_t n = task ? strlen(first) : strcspn(first, "/"), at;
    const EnvKind *kind;
    if (first[n])
        task = first + n + 1;
    TRY(env_kind_named(&kind, (Span){first, n}));
    TRY(env_open(&g->env, kind, options));
    if (args_value(g->args, "load"))
        return task ? fail(ST_ARG, "--load names the task already") : load(g, args_value(g->args, "load"));
    TRY(choose(&at, g, task));
    return begin(g, at);
}

static Status run(const Args *args, void *context)
{
    Game *g = context;
    EnvOptions options = env_place_options(&g->place);
    options.stopped = was_interrupted;
    g->args = args;
    g->terminal = isatty(STDIN_FILENO) == 1 && !*g->policy;
    g->guard = isatty(STDOUT_FILENO) == 1;
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, before;
    TRY(open_game(g, &options));
    if (g->terminal)
        log_info("%s, task %s; an action is %s; /help lists the commands", env_kind(g->env)->name,
                 env_task(g->state)->id, env_kind(g->env)->actions);
    tell(g, NULL);
    sigaction(SIGINT, &stop, &before);
    Status st = *g->policy ? play_policy(g) : play_lines(g);
    sigaction(SIGINT, &before, NULL);
    return st;
}

int env_play(int argc, char **argv)
{
    Game g = {0};
    const ArgsTable tables[] = {{&env_place_table, &g.place}, {&table, &g}};
    const Command c = {
        .usage = "WORLD [TASK] [flags]",
        .words = "WORLD [TASK]",
        .about =
            "Play a task: what you type is an action, what the world answers is printed.  TASK is an id of\n"
            "`lemur env list WORLD` or how one begins; without it chance draws.  On a terminal /help lists\n"
            "commands (what can be done, undo, save); from a pipe each line is an action, and with --json "
            "each\n"
            "answer an object, so that any program can play.\n"
            "example: lemur env play household pick_heat --policy expert",
        COMMAND_FLAGS(flags),
        COMMAND_TABLES(tables)};
    int code = cmd_run(&c, argc, argv, run, &g);
    forget_before(&g);
    array_drop(&g.before);
    env_free(g.state);
    env_close(g.env);
    return code;
}
