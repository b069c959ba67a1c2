/* ic_sql: InterCode-SQL's 1034 questions on databases of SQLite or of a server.  The reward that is told and
 * counted is the scaled one (env/sql_reward.h), as in the code of the Lemur paper's runs. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/python_repr.h"
#include "env/sql.h"
#include "env/sql_reward.h"
#include "eval/agents/intercode.h"

#define INTERCODE                                                                                         \
    "https://raw.githubusercontent.com/princeton-nlp/intercode/c3e46d827cfc9d4c704ec078f7abf9f41e3191d8/" \
    "data/sql/spider/"

enum { WINDOW = 5, OBSERVATION_CHARACTERS = 1000, OBSERVATION_ROWS = 50 };

typedef struct {
    InterCodeTexts texts;
    SqlWorlds *worlds;
} IcSql;

static void close_sql(void *state)
{
    IcSql *s = state;
    if (!s)
        return;
    intercode_texts_drop(&s->texts);
    sql_worlds_close(s->worlds);
    mem_free(s);
}

/* Ids are the numbers of InterCode's own result files. */
static bool take_question(Questions *q, int64_t number, json_t *object)
{
    char id[32];
    if (!doc_text(object, "db").n || !doc_text(object, "gold").n || !doc_text(object, "query").n ||
        !json_is_object(json_object_get(object, "db_tables")))
        return false;
    snprintf(id, sizeof id, "%lld", (long long)number);
    const char *hardness = json_string_value(json_object_get(object, "hardness"));
    questions_add(q, id, hardness, object);
    return true;
}

static Status check_databases(const IcSql *s, const Questions *q)
{
    for (size_t i = 0; i < q->all.n; i++) {
        Span db = doc_text(q->all.at[i].doc, "db");
        if (!sql_worlds_has(s->worlds, db.at)) /* views of JSON's strings end in NUL */
            return fail(ST_FORMAT,
                        SQL_QUESTIONS
                        ": question %s asks the database '%.64s', which is not among those of the %s",
                        q->all.at[i].id, db.at, sql_worlds_from(s->worlds));
    }
    return ST_OK;
}

static Status open_databases(IcSql *s, const EvalRun *run)
{
    SqlSource source = {.data = run->data,
                        .from = (SqlFrom)run->settings->sql_from,
                        .server = run->settings->sql_server,
                        .stopped = run->stopped,
                        .stopped_context = run->stopped_context};
    return sql_worlds_open_source(&s->worlds, &source);
}

static Status open_sql(const EvalRun *run, Questions *out, void **state)
{
    Status st;
    IcSql *s = mem_new(IcSql);
    out->facts =
        json_pack("{s:i, s:s}", "max_steps", intercode_turns(run), "reward", "IoU x Kendall's tau-b");
    TRY_TO(undo, questions_read(out, run->data, SQL_QUESTIONS, take_question));
    TRY_TO(undo, intercode_texts_read(&s->texts, run->data, "game_sql", out->facts));
    TRY_TO(undo, open_databases(s, run));
    TRY_TO(undo, check_databases(s, out));
    json_object_set_new(out->facts, "server", json_string(sql_worlds_server(s->worlds)));
    if (strcmp(sql_worlds_from(s->worlds), "dump") != 0) /* what older runs had */
        json_object_set_new(out->facts, "databases", json_string(sql_worlds_from(s->worlds)));
    *state = s;
    return ST_OK;
undo:
    close_sql(s);
    return st;
}

/* One question. ------------------------------------------------------------------------------------------ */

typedef struct {
    SqlWorld *world;
    const InterCodeTexts *texts;
    RowTexts gold, rows;
    SqlTurn turn;
    Str action;
} Asked;

/* A list is cut to its first rows, an error to its first characters; [] is no output. */
static void add_observation(Str *out, const SqlTurn *turn, const RowTexts *rows)
{
    Span text = str_span(&turn->text);
    if (!sql_turn_lists(turn)) {
        text = intercode_cut(text, OBSERVATION_CHARACTERS);
        str_add(out, text.at, text.n);
    } else if (rows->n > OBSERVATION_ROWS) {
        const Span *last = &rows->at[OBSERVATION_ROWS - 1];
        str_add(out, text.at, (size_t)(last->at + last->n - text.at));
        str_addc(out, ']');
    } else if (rows->n) {
        str_add(out, text.at, text.n);
    }
}

static Status act(void *self, Span answer, DialogueTurn *out)
{
    Asked *a = self;
    out->understood = sql_action_read(&a->action, answer);
    if (!out->understood) {
        Span retry = intercode_cut(str_span(&a->texts->retry), OBSERVATION_CHARACTERS);
        if (a->action.n == 0)
            str_adds(&a->action, "NO ACTION");
        out->ends = strcmp(str_c(&a->action), "skip") == 0;
        str_add(&out->action, a->action.at, a->action.n);
        str_add(&out->observation, retry.at, retry.n);
        str_adds(&out->reward, "0");
        return ST_OK;
    }
    TRY(sql_world_act(a->world, &a->turn, str_span(&a->action)));
    array_clear(&a->rows);
    bool listed = sql_turn_lists(&a->turn); /* an error, or a statement that gives no list, scores nothing */
    if (listed)
        TRY(row_texts_read(&a->rows, str_span(&a->turn.text)));
    out->failed = a->turn.failed;
    out->score = listed ? intercode_reward(INTERCODE_SCALED, &a->rows, &a->gold) : 0;
    bool both_empty = listed && a->rows.n + a->gold.n == 0;
    if (both_empty)
        str_adds(&out->reward, "1"); /* an int there */
    else
        python_repr_real(&out->reward, out->score);
    str_addf(&out->action, "```sql\n%s\n```", str_c(&a->action));
    add_observation(&out->observation, &a->turn, &a->rows);
    return ST_OK;
}

/* A gold query that fails stands for no rows. */
static Status find_gold(Asked *a, SqlTurn *turn, Span gold)
{
    TRY(sql_world_gold(a->world, turn, gold));
    return sql_turn_lists(turn) ? row_texts_read(&a->gold, str_span(&turn->text)) : ST_OK;
}

/* A line, then "- table: ['column', ...]" for each (intercode, experiments/utils/utils.py, handicap_sql). */
static void add_schema(Str *out, const json_t *tables)
{
    const char *name;
    const json_t *columns;
    str_adds(out, "MySQL tables, with their properties\n");
    json_object_foreach((json_t *)tables, name, columns)
    {
        str_addf(out, "- %s: [", name);
        for (size_t i = 0; i < json_array_size(columns); i++) {
            const char *column = json_string_value(json_array_get(columns, i));
            const char *quote = column && strchr(column, '\'') ? "\"" : "'";
            str_addf(out, "%s%s%s%s", i ? ", " : "", quote, column ? column : "", quote);
        }
        str_adds(out, "]\n");
    }
}

static Status ask_sql(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    IcSql *s = state;
    Asked a = {.texts = &s->texts};
    SqlTurn of_gold = {0};
    Str schema = {0};
    SqlLimits limits = sql_world_limits();
    limits.stopped = run->stopped;
    limits.stopped_context = run->stopped_context;
    if (run->settings->program_seconds > 0)
        limits.seconds = run->settings->program_seconds;
    TRY(sql_world_open(&a.world, s->worlds, doc_text(q->doc, "db").at, &limits));
    Status st = find_gold(&a, &of_gold, doc_text(q->doc, "gold"));
    if (st == ST_OK) {
        add_schema(&schema, json_object_get(q->doc, "db_tables"));
        InterCodeSetup setup = {.environment = "ic_sql",
                                .texts = &s->texts,
                                .system = str_span(&schema),
                                .query = doc_text(q->doc, "query"),
                                .window = WINDOW};
        DialogueWorld world = {&a, act};
        out->target = json_incref(json_object_get(q->doc, "gold"));
        if (of_gold.failed)
            json_object_set_new(out->more, "gold", json_string("the gold query fails: no rows win"));
        st = intercode_play(out, run, q->id, &setup, &world);
    }
    sql_world_close(a.world);
    sql_turn_drop(&a.turn);
    sql_turn_drop(&of_gold);
    row_texts_drop(&a.gold);
    row_texts_drop(&a.rows);
    str_drop(&a.action);
    str_drop(&schema);
    return st;
}

static const DataFile files[] = {{SQL_QUESTIONS, INTERCODE "ic_spider_dev.json",
                                  "68c9ecb0692c80770f46c724cc073ea76be4f301a294caa532c050546948128e"},
                                 {SQL_DUMP, INTERCODE "ic_spider_dbs.sql",
                                  "61f6e8000cb5bb696f123fa55e111acdcd8da7eca64f452a36fd1a6e5fb1781a"},
                                 {INTERCODE_TEMPLATES, NULL, NULL},
                                 {0}};

const Benchmark ic_sql = {
    .name = "ic_sql",
    .groups = "intercode",
    .about = "InterCode-SQL: questions to databases, turn by turn, by queries and their rewards",
    .source =
        "InterCode, arXiv:2306.14898; princeton-nlp/intercode, MIT; questions and databases are Spider's, "
        "CC BY-SA 4.0;\nits prompt texts are written out of experiments/utils/prompts.py (docs/eval.md)",
    .metric = "success",
    .version = 2,
    .files = files,
    .open = open_sql,
    .ask = ask_sql,
    .close = close_sql,
};
