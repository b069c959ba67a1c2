/* lemur bench env: what worlds cost: commands and copies of a house, queries, shell commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/bench.h"
#include "cli/cmd.h"
#include "env/bash.h"
#include "env/envs.h"
#include "env/family.h"
#include "env/household_make_games.h"

typedef struct {
    char *data, *games;
    double seconds;
    int64_t commands;
    bool json, made;
} BenchConfig;

static const Field bench_fields[] = {
    F_STRING(BenchConfig, data, "",
             "folder with the worlds' data; empty: games and questions are made for the occasion"),
    F_STRING(BenchConfig, games, "", "folder of the household's games instead"),
    F_FLOAT(BenchConfig, seconds, 2, 0.05, 3600, "that each rate is measured for"),
    F_INT(BenchConfig, commands, 40, 1, 1e6, "shell commands"),
    F_BOOL(BenchConfig, json, false, "print the result as JSON"),
};
static const FieldTable bench_table = FIELD_TABLE(bench_fields);

typedef Array(double) Times;

static double take_median(Times *t)
{
    double m = t->n ? bench_median(t->at, (int64_t)t->n) : 0;
    array_clear(t);
    return m;
}

/* The household. ----------------------------------------------------------------------------------------- */

/* What a model would be shown: the observation and all that can be done. */
static Status render(Str *out, EnvState *s, EnvActions *all)
{
    str_clear(out);
    str_add(out, env_turn(s)->observation.at, env_turn(s)->observation.n);
    all->n = 0;
    TRY(env_admissible(s, all));
    for (size_t i = 0; i < all->n; i++) {
        str_addc(out, '\n');
        str_adds(out, all->at[i]);
    }
    return ST_OK;
}

/* Steps by chance, rendered, on every game in turn; resets are not counted. */
static Status time_steps(Env *e, double seconds, double *per_s)
{
    double spent = 0;
    int64_t steps = 0;
    Rng rng;
    Str text = {0}, action = {0};
    EnvActions all = {0};
    Status st = ST_OK;
    rng_seed(&rng, 1);
    for (size_t task = 0; st == ST_OK && spent < seconds; task = (task + 1) % env_tasks(e)->n) {
        EnvState *s;
        st = env_reset(&s, e, task);
        if (st != ST_OK)
            break;
        st = render(&text, s, &all);
        double start = clock_now();
        while (st == ST_OK && !env_turn(s)->done && all.n) {
            str_clear(&action);
            str_adds(&action, all.at[rng_below(&rng, all.n)]);
            st = env_step(s, str_span(&action));
            if (st == ST_OK)
                st = render(&text, s, &all);
            steps++;
        }
        spent += clock_now() - start;
        env_free(s);
    }
    *per_s = (double)steps / spent;
    array_drop(&all);
    str_drop(&text);
    str_drop(&action);
    return st;
}

/* The first reset of a game reads its file; the later ones find it open. */
static Status time_resets(Env *e, double *first_s, double *again_s)
{
    Times first = {0}, again = {0};
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < env_tasks(e)->n && i < 32; i++) {
            EnvState *s;
            double start = clock_now();
            TRY(env_reset(&s, e, i));
            if (round)
                array_push(&again, clock_now() - start);
            else
                array_push(&first, clock_now() - start);
            env_free(s);
        }
    *first_s = take_median(&first);
    *again_s = take_median(&again);
    array_drop(&first);
    array_drop(&again);
    return ST_OK;
}

/* Copies of a state that has some steps behind it. */
static Status time_forks(Env *e, double *fork_s)
{
    enum { STEPS = 20, FORKS = 1000 };
    Times each = {0};
    EnvState *s, *copy;
    Str action = {0};
    Rng rng;
    rng_seed(&rng, 2);
    TRY(env_reset(&s, e, 0));
    Status st = ST_OK;
    for (int i = 0; st == ST_OK && i < STEPS && !env_turn(s)->done; i++) {
        st = env_guess(s, &rng, &action);
        if (st == ST_OK)
            st = env_step(s, str_span(&action));
    }
    for (int i = 0; st == ST_OK && i < FORKS; i++) {
        double start = clock_now();
        st = env_fork(&copy, s);
        array_push(&each, clock_now() - start);
        if (st == ST_OK)
            env_free(copy);
    }
    *fork_s = take_median(&each);
    array_drop(&each);
    str_drop(&action);
    env_free(s);
    return st;
}

static Status time_household(json_t *out, const BenchConfig *set)
{
    EnvOptions options = {.data = set->data, .games = *set->games ? set->games : NULL};
    double steps = 0, first = 0, again = 0, fork = 0;
    Env *e;
    TRY(env_open(&e, &household_env, &options));
    Status st = time_resets(e, &first, &again);
    if (st == ST_OK)
        st = time_steps(e, set->seconds, &steps);
    if (st == ST_OK)
        st = time_forks(e, &fork);
    if (st == ST_OK)
        json_object_set_new(out, "household",
                            json_pack("{s:f, s:f, s:f, s:f, s:I}", "steps_per_s", steps, "reset_s", again,
                                      "open_s", first, "fork_s", fork, "games", (json_int_t)env_tasks(e)->n));
    env_close(e);
    return st;
}

/* SQL: each question's gold query by itself; the rate is that of the median question. -------------------- */

static Status time_query(EnvState *s, double *seconds)
{
    enum { TIMES = 3 };
    double each[TIMES];
    Str gold = {0};
    Status st = env_expert(s, &gold);
    for (int i = 0; st == ST_OK && i < TIMES; i++) {
        EnvState *fresh;
        st = env_fork(&fresh, s); /* one that is not done */
        if (st != ST_OK)
            break;
        double start = clock_now();
        st = env_step(fresh, str_span(&gold));
        each[i] = clock_now() - start;
        env_free(fresh);
    }
    *seconds = st == ST_OK ? bench_median(each, TIMES) : 0;
    str_drop(&gold);
    return st;
}

static Status time_sql(json_t *out, const BenchConfig *set)
{
    EnvOptions options = {.data = set->data};
    Times each = {0}, resets = {0};
    double start = clock_now();
    Env *e;
    TRY(env_open(&e, &sql_env, &options));
    double open = clock_now() - start;
    Status st = ST_OK;
    size_t n = env_tasks(e)->n, stride = n / 400 + 1;
    for (size_t i = 0; st == ST_OK && i < n; i += stride) {
        EnvState *s;
        double seconds = 0;
        start = clock_now();
        st = env_reset(&s, e, i);
        if (st != ST_OK)
            break;
        array_push(&resets, clock_now() - start);
        st = time_query(s, &seconds);
        array_push(&each, seconds);
        env_free(s);
    }
    size_t questions = each.n;
    if (st == ST_OK)
        json_object_set_new(out, "sql",
                            json_pack("{s:f, s:f, s:f, s:I}", "queries_per_s", 1 / take_median(&each),
                                      "reset_s", take_median(&resets), "open_s", open, "questions",
                                      (json_int_t)questions));
    array_drop(&each);
    array_drop(&resets);
    env_close(e);
    return st;
}

/* The shell. --------------------------------------------------------------------------------------------- */

static Status time_shell(json_t *out, const BenchConfig *set)
{
    static const BashSpec plain = {0};
    Times each = {0};
    Bash *b;
    Status st = ST_OK;
    bash_open(&b, &plain);
    for (int64_t i = 0; st == ST_OK && i < set->commands; i++) {
        BashResult r;
        double start = clock_now();
        st = bash_run(b, &r, span("echo one > x; cat x"));
        array_push(&each, clock_now() - start);
        if (st == ST_OK && strcmp(str_c(&r.text), "one\n") != 0)
            st = fail(ST_IO, "a shell command said: %s", str_c(&r.text));
        bash_result_drop(&r);
    }
    if (st == ST_OK)
        json_object_set_new(out, "shell", json_pack("{s:f}", "command_s", take_median(&each)));
    array_drop(&each);
    bash_close(b);
    return st;
}

/* ----------------------------------------------------------------------------------------------------------
 */

static double number(const json_t *o, const char *part, const char *key)
{
    return json_number_value(json_object_get(json_object_get(o, part), key));
}

static void print_table(const json_t *o)
{
    if (json_object_get(o, "household"))
        printf(
            "household   %10.0f steps a second, text and admissible commands rendered\n"
            "            %10.3f ms a reset (%.1f ms the first time, which reads the game), %.2f us a fork\n",
            number(o, "household", "steps_per_s"), 1e3 * number(o, "household", "reset_s"),
            1e3 * number(o, "household", "open_s"), 1e6 * number(o, "household", "fork_s"));
    if (json_object_get(o, "sql"))
        printf("sql         %10.0f queries a second on the median question of %.0f; %.2f ms a reset\n",
               number(o, "sql", "queries_per_s"), number(o, "sql", "questions"),
               1e3 * number(o, "sql", "reset_s"));
    if (json_object_get(o, "shell"))
        printf("shell       %10.1f ms a command, in a sandbox of its own\n",
               1e3 * number(o, "shell", "command_s"));
}

/* Games and questions of our own, in a folder that goes again. */
static Status make_data(BenchConfig *set, const char *folder)
{
    enum { GAMES = 32, QUESTIONS = 60 };
    char *games = path_join(folder, "games"), *sql = path_join(folder, "sql");
    HouseholdMadeGames made;
    FamilyCounts counts;
    HouseholdMakeGames how = {.folder = games, .games = GAMES, .seed = 1, .task = HOUSEHOLD_ANY};
    FamilySpec spec = {.folder = sql, .n_train = 1, .n_test = QUESTIONS, .seed = 1};
    Status st = household_make_games(&made, &how);
    if (st == ST_OK)
        st = family_make(&counts, &family_sql, &spec);
    mem_free(set->games);
    mem_free(set->data);
    set->games = games;
    set->data = path_join(sql, "test");
    mem_free(sql);
    return st;
}

static Status measure(BenchConfig *set);

static Status run(const Args *args, void *context)
{
    BenchConfig *set = context;
    const char *tmp = getenv("TMPDIR");
    (void)args;
    if (*set->data || *set->games)
        return measure(set);
    char *folder = path_join(tmp && *tmp ? tmp : "/tmp", "lemur-bench-XXXXXX");
    Status st =
        mkdtemp(folder) ? make_data(set, folder) : fail_errno(ST_IO, "cannot make a folder %s", folder);
    if (st == ST_OK) {
        set->made = true;
        st = measure(set);
    }
    if (path_is_folder(folder)) {
        Error error = error_take();
        if (folder_remove(folder) == ST_OK && st != ST_OK)
            st = error_put(&error);
    }
    mem_free(folder);
    return st;
}

/* A world whose data is not here is left out, and why is told. */
static Status measure(BenchConfig *set)
{
    static const struct {
        const char *name;
        Status (*time)(json_t *out, const BenchConfig *set);
    } worlds[] = {{"household", time_household}, {"sql", time_sql}, {"shell", time_shell}};
    json_t *out = json_object(), *missing = json_object();
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++)
        if (worlds[i].time(out, set) != ST_OK)
            json_object_set_new(missing, worlds[i].name, json_string(error_text()));
    const char *name;
    json_t *why;
    if (!set->json)
        print_table(out);
    json_object_foreach(missing, name, why)
        fprintf(stderr, "%s was not measured: %s\n", name, json_string_value(why));
    bool none = json_object_size(out) == 0;
    if (json_object_size(missing))
        json_object_set(out, "not_measured", missing);
    json_object_set_new(out, "data", json_string(set->made ? "made" : "given"));
    if (set->json)
        cmd_print_json(out, 6);
    json_decref(missing);
    json_decref(out);
    return none ? fail(ST_IO, "no world could be measured") : ST_OK;
}

int bench_env(int argc, char **argv)
{
    BenchConfig set = {0};
    const ArgsTable tables[] = {{&bench_table, &set}};
    const Command command = {
        .usage = "[flags]",
        .about = "Times what worlds cost: steps, resets and forks of a household with its text and commands "
                 "rendered,\n"
                 "queries of the median question, shell commands.  One core.  Without --data on games and "
                 "questions made for it.\n"
                 "example: lemur bench env --data data --json",
        COMMAND_TABLES(tables),
    };
    return cmd_run(&command, argc, argv, run, &set);
}
