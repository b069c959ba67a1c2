/* InterCode-SQL as a world: a question to a database, one query an action, rewarded by how much of the gold
 * query's rows it brings. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "env/envs.h"
#include "env/sql.h"
#include "env/sql_reward.h"

typedef struct {
    SqlWorlds *all;
    SqlLimits limits;
} Databases;

typedef struct {
    SqlWorld *world;
    const EnvTask *task;
    RowTexts gold, rows;
    SqlTurn turn, of_gold;
    Str action;
} Asked;

static void close_databases(void *world)
{
    Databases *d = world;
    if (d)
        sql_worlds_close(d->all);
    mem_free(d);
}

static void take_tasks(const Databases *d, EnvTasks *tasks, const json_t *all)
{
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *o = json_array_get(all, i);
        char id[32];
        if (!*env_text(o, "gold") || !*env_text(o, "query") || !sql_worlds_has(d->all, env_text(o, "db"))) {
            tasks->left_out++;
            continue;
        }
        snprintf(id, sizeof id, "%zu", i);
        env_tasks_add(tasks, id, json_string_value(json_object_get(o, "hardness")),
                      span(env_text(o, "query")), o);
    }
}

static Status open_databases(const EnvOptions *options, EnvTasks *tasks, void **world)
{
    Databases *d = mem_new(Databases);
    char *dump = path_join(options->data, SQL_DUMP), *questions = path_join(options->data, SQL_QUESTIONS);
    json_t *all = NULL;
    *world = d;
    d->limits = sql_world_limits();
    d->limits.stopped = options->stopped;
    d->limits.stopped_context = options->stopped_context;
    if (options->seconds > 0)
        d->limits.seconds = options->seconds;
    Status st = json_file_read(&all, questions);
    if (st == ST_OK && !json_is_array(all))
        st = fail(ST_FORMAT, "%s: no array of questions", questions);
    if (st == ST_OK)
        st = sql_worlds_open(&d->all, dump, options->stopped, options->stopped_context);
    if (st == ST_OK)
        take_tasks(d, tasks, all);
    else if (st != ST_CANCELLED)
        st = fail_in(st, "InterCode-SQL's data (lemur eval --fetch ic_sql gets it)");
    json_decref(all);
    mem_free(dump);
    mem_free(questions);
    return st;
}

static void end(void *state)
{
    Asked *a = state;
    sql_world_close(a->world);
    sql_turn_drop(&a->turn);
    sql_turn_drop(&a->of_gold);
    row_texts_drop(&a->gold);
    row_texts_drop(&a->rows);
    str_drop(&a->action);
    mem_free(a);
}

/* A gold query that fails stands for no rows, as in the original. */
static Status find_gold(Asked *a)
{
    TRY(sql_world_gold(a->world, &a->of_gold, span(env_text(a->task->doc, "gold"))));
    return a->of_gold.failed ? ST_OK : row_texts_read(&a->gold, str_span(&a->of_gold.text));
}

static void show_task(Str *out, const json_t *doc)
{
    const char *name;
    const json_t *columns;
    str_addf(out, "%s\nDatabase %s:\n", env_text(doc, "query"), env_text(doc, "db"));
    json_object_foreach(json_object_get(doc, "db_tables"), name, columns)
    {
        str_addf(out, "  %s (", name);
        for (size_t i = 0; i < json_array_size(columns); i++) {
            const char *column = json_string_value(json_array_get(columns, i));
            str_addf(out, "%s%s", i ? ", " : "", column ? column : "");
        }
        str_adds(out, ")\n");
    }
}

static Status reset(void *world, const EnvTask *task, EnvTurn *turn, void **state)
{
    const Databases *d = world;
    Asked *a = mem_new(Asked);
    a->task = task;
    Status st = sql_world_open(&a->world, d->all, env_text(task->doc, "db"), &d->limits);
    if (st == ST_OK)
        st = find_gold(a);
    if (st != ST_OK) {
        end(a);
        return st;
    }
    show_task(&turn->observation, task->doc);
    *state = a;
    return ST_OK;
}

static Status step(void *state, Span action, EnvTurn *turn)
{
    Asked *a = state;
    str_clear(&turn->observation);
    if (!sql_action_read(&a->action, action)) {
        str_adds(&turn->observation, "This is no query: write SELECT, SHOW or DESCRIBE.");
        turn->failed = true;
        return ST_OK;
    }
    TRY(sql_world_act(a->world, &a->turn, str_span(&a->action)));
    str_add(&turn->observation, a->turn.text.at, a->turn.text.n);
    turn->failed = a->turn.failed;
    if (a->turn.failed)
        return ST_OK;
    TRY(row_texts_read(&a->rows, str_span(&a->turn.text)));
    turn->reward = intercode_reward(INTERCODE_SCALED, &a->rows, &a->gold);
    turn->solved = turn->reward == 1;
    return ST_OK;
}

/* In a fence, for outside of one the parser's quirks would cut some queries. */
static Status expert(void *state, Str *action)
{
    const Asked *a = state;
    Span gold = span(env_text(a->task->doc, "gold"));
    if (a->of_gold.failed) /* whoever brings no rows has solved it */
        gold = span("SELECT 1 FROM (SELECT 1) AS t WHERE 1 = 0");
    str_addf(action, "```sql\n%.*s\n```", (int)gold.n, gold.at);
    return ST_OK;
}

/* A column of a table, or how many rows there are. */
static Status guess(void *state, Rng *rng, Str *action)
{
    const Asked *a = state;
    json_t *tables = json_object_get(a->task->doc, "db_tables");
    size_t at = json_object_size(tables) ? rng_below(rng, json_object_size(tables)) : 0;
    const char *name;
    const json_t *columns;
    json_object_foreach(tables, name, columns)
    {
        size_t n = json_array_size(columns), which = rng_below(rng, n + 1);
        if (at-- > 0)
            continue;
        const char *column = which < n ? json_string_value(json_array_get(columns, which)) : "count(*)";
        str_addf(action, "SELECT %s FROM %s", column ? column : "*", name);
        return ST_OK;
    }
    str_adds(action, "SHOW TABLES");
    return ST_OK;
}

const EnvKind sql_env = {
    .name = "sql",
    .about = "InterCode-SQL: a question to a database, answered by the right rows",
    .actions = "a query such as `SELECT name FROM people ORDER BY age`, `SHOW TABLES` or `DESCRIBE people`",
    .source = "InterCode, arXiv:2306.14898; princeton-nlp/intercode, MIT; databases of Spider, CC BY-SA 4.0",
    .files = SQL_QUESTIONS ", " SQL_DUMP,
    .steps = 10,
    .open = open_databases,
    .close = close_databases,
    .reset = reset,
    .step = step,
    .end = end,
    .expert = expert,
    .guess = guess,
};
