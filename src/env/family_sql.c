/* Questions to small databases, by InterCode-SQL's protocol: the benchmark ic_sql. */
#include "env/family_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "env/sql.h"
#include "env/sql_reward.h"

/* Each schema is filled anew several times: with one filling a model learns the rows instead of the question.
 */
enum { FILLINGS = 8, PARENTS = 6, CHILDREN = 13, SHOWN_ROWS = 14, TRIES = 100 };

typedef struct {
    SqlDrawn *drawn; /* [databases_n()] */
    SqlWorlds *worlds;
    SqlWorld **world; /* [databases_n()] */
    SqlAsked asked;
    SqlTurn turn, gold_turn;
    RowTexts rows, gold;
    Str slip;
} SqlFamily;

static size_t databases_n(void)
{
    return sql_schemas_n * FILLINGS;
}

/* Rows. -------------------------------------------------------------------------------------------------- */

/* Few words, for a model of a few million parameters learns to copy only what it has copied often. */
static const char *const people[] = {"Alice", "Boris", "Cleo",  "Dora",  "Emil", "Fritz", "Gina",  "Henry",
                                     "Irene", "Karin", "Louis", "Marta", "Olga", "Peter", "Simon", "Vera"};
static const char *const places[] = {"Lindow",  "Ashby",  "Torvale", "Kestrel", "Brigg",   "Solano",
                                     "Varna",   "Ostrow", "Pinhey",  "Sedona",  "Wexford", "Yarrow",
                                     "Dunmore", "Elmira", "Gorran",  "Hartley"};
static const char *const firsts[] = {"Silent", "Golden", "Little", "Broken",
                                     "Winter", "Paper",  "Copper", "Hidden"};
static const char *const seconds[] = {"River",  "Garden", "Tower",  "Mirror",
                                      "Bridge", "Island", "Window", "Forest"};

static void draw_label(char out[SQL_LABEL], const SqlTable *t, Rng *rng)
{
    const char *first = DRAW_OF(rng, firsts), *second = DRAW_OF(rng, seconds);
    if (t->labels == LABEL_TITLES)
        snprintf(out, SQL_LABEL, "%s %s", first, second);
    else
        snprintf(out, SQL_LABEL, "%s",
                 t->labels == LABEL_PEOPLE ? DRAW_OF(rng, people) : DRAW_OF(rng, places));
}

static bool stands_out(const SqlRow *row, const SqlRow *others, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(row->label, others[i].label) == 0)
            return false;
        for (size_t c = 0; c < SQL_NUMBERS; c++)
            if (row->numbers[c] == others[i].numbers[c])
                return false;
    }
    return true;
}

static void draw_row(SqlRow *row, const SqlTable *t, Rng *rng)
{
    size_t kinds = 0;
    while (t->kinds[kinds])
        kinds++;
    draw_label(row->label, t, rng);
    row->kind = t->kinds[rng_below(rng, kinds)];
    row->parent = rng_below(rng, PARENTS);
    for (size_t c = 0; c < SQL_NUMBERS; c++)
        row->numbers[c] = draw_between(rng, t->numbers[c].low, t->numbers[c].high);
}

static void draw_rows(SqlDrawn *d, Rng *rng)
{
    for (size_t side = 0; side < 2; side++) {
        size_t n = side ? CHILDREN : PARENTS;
        for (size_t i = 0; i < n; i++)
            do
                draw_row(&d->rows[side].at[i], &d->schema->tables[side], rng);
            while (!stands_out(&d->rows[side].at[i], d->rows[side].at, i));
        d->rows[side].n = n;
    }
}

/* The dump. ---------------------------------------------------------------------------------------------- */

static void add_table(Str *out, const SqlDrawn *d, size_t side)
{
    const SqlTable *t = &d->schema->tables[side];
    const char *parent = d->schema->tables[0].name;
    str_addf(out, "CREATE TABLE `%s` (\n  `%s_id` int NOT NULL,\n  `%s` varchar(40),\n  `%s` varchar(20),\n",
             t->name, t->name, t->label, t->kind);
    if (side)
        str_addf(out, "  `%s_id` int,\n", parent);
    for (size_t c = 0; c < SQL_NUMBERS; c++)
        str_addf(out, "  `%s` int,\n", t->numbers[c].name);
    str_addf(out, "  PRIMARY KEY (`%s_id`)\n);\nINSERT INTO `%s` VALUES ", t->name, t->name);
    for (size_t i = 0; i < d->rows[side].n; i++) {
        const SqlRow *r = &d->rows[side].at[i];
        str_addf(out, "%s(%zu,'%s','%s',", i ? "," : "", i + 1, r->label, r->kind);
        if (side)
            str_addf(out, "%zu,", r->parent + 1);
        str_addf(out, "%lld,%lld)", (long long)r->numbers[0], (long long)r->numbers[1]);
    }
    str_adds(out, ";\n");
}

static Status write_dump(const SqlFamily *f, const char *data)
{
    Str dump = {0};
    for (size_t i = 0; i < databases_n(); i++) {
        str_addf(&dump, "CREATE DATABASE `%s`;\nUSE `%s`;\n", f->drawn[i].database, f->drawn[i].database);
        for (size_t side = 0; side < 2; side++)
            add_table(&dump, &f->drawn[i], side);
    }
    Status st = family_write(data, SQL_DUMP, str_c(&dump));
    str_drop(&dump);
    return st;
}

static const char templates[] = "{\n \"game_sql\": {\n"
                                "  \"init\": \"Answer the query by SQL.\\n\",\n"
                                "  \"query\": \"Query: {query}\",\n"
                                "  \"observation\": \"Output: {observation}\\nReward: {reward}\",\n"
                                "  \"empty_observation\": \"Output: none\\nReward: {reward}\",\n"
                                "  \"retry\": \"Write SQL between ```sql and ```.\"\n"
                                " }\n}\n";

/* "table": ["column", ...], as InterCode's questions have them. */
static json_t *tables_of(const SqlSchema *s)
{
    json_t *all = json_object();
    for (size_t side = 0; side < 2; side++) {
        const SqlTable *t = &s->tables[side];
        json_t *columns = json_array();
        json_array_append_new(columns, json_sprintf("%s_id", t->name));
        json_array_append_new(columns, json_string(t->label));
        json_array_append_new(columns, json_string(t->kind));
        if (side)
            json_array_append_new(columns, json_sprintf("%s_id", s->tables[0].name));
        for (size_t c = 0; c < SQL_NUMBERS; c++)
            json_array_append_new(columns, json_string(t->numbers[c].name));
        json_object_set_new(all, t->name, columns);
    }
    return all;
}

/* Mistakes. ---------------------------------------------------------------------------------------------- */

/* Without what begins with `word`, up to what begins with one of the two ends. */
static bool cut(Str *out, const char *query, const char *word, const char *end, const char *or_end)
{
    const char *at = strstr(query, word);
    if (!at)
        return false;
    const char *to = strstr(at + 1, end);
    to = to ? to : strstr(at + 1, or_end);
    str_add(out, query, (size_t)(at - query));
    str_adds(out, to ? to : "");
    return true;
}

/* The first mention of a column, as a column that there is not. */
static bool misname(Str *out, const char *query, const char *column, Rng *rng)
{
    for (const char *at = query; (at = strstr(at, column)); at++) {
        if (at == query || !strchr(" (.", at[-1]) || !strchr(" ),", at[strlen(column)]))
            continue;
        str_add(out, query, (size_t)(at - query));
        str_addf(out, rng_below(rng, 2) ? "%ss" : "the_%s", column);
        str_adds(out, at + strlen(column));
        return true;
    }
    return false;
}

static bool draw_slip(Str *out, const SqlAsked *a, Rng *rng)
{
    const char *query = str_c(&a->query);
    str_clear(out);
    if (rng_below(rng, 2) && cut(out, query, " JOIN ", " WHERE ", " GROUP BY "))
        return true;
    if (rng_below(rng, 2) && cut(out, query, " WHERE ", " ORDER BY ", " GROUP BY "))
        return true;
    return misname(out, query, a->column, rng);
}

/* Asking. ------------------------------------------------------------------------------------------------ */

static Status run(SqlWorld *w, SqlTurn *turn, RowTexts *rows, const Str *query)
{
    array_clear(rows);
    TRY(sql_world_act(w, turn, str_span(query)));
    return turn->failed ? ST_OK : row_texts_read(rows, str_span(&turn->text));
}

/* Draws until the query finds rows, and not too many to be shown; whether a mistake is one, the database
 * tells. */
static Status draw_sound(SqlFamily *f, size_t *database, Rng *rng)
{
    for (int i = 0; i < TRIES; i++) {
        *database = rng_below(rng, databases_n());
        sql_ask_draw(&f->asked, &f->drawn[*database], rng);
        TRY(run(f->world[*database], &f->gold_turn, &f->gold, &f->asked.query));
        if (f->gold_turn.failed)
            return fail(ST_FORMAT, "%s: \"%s\" is answered by %s", f->drawn[*database].database,
                        str_c(&f->asked.query), str_c(&f->gold_turn.text));
        if (f->gold.n && f->gold.n <= SHOWN_ROWS)
            return ST_OK;
    }
    return fail(ST_LIMIT, "no question of %d finds rows", TRIES);
}

static Status slip(SqlFamily *f, size_t database, Rng *rng, FamilyTask *out)
{
    if (!draw_chance(rng, 4) || !draw_slip(&f->slip, &f->asked, rng))
        return ST_OK;
    TRY(run(f->world[database], &f->turn, &f->rows, &f->slip));
    if (f->turn.failed || intercode_reward(INTERCODE_SCALED, &f->rows, &f->gold) < 1)
        family_slip(out, "```sql\n%s\n```", str_c(&f->slip));
    return ST_OK;
}

/* The key has no filling: what is asked of one is not asked of another. */
static Status draw_sql(void *state, Rng *rng, FamilyTask *out)
{
    SqlFamily *f = state;
    size_t database;
    TRY(draw_sound(f, &database, rng));
    const SqlAsked *a = &f->asked;
    const SqlDrawn *d = &f->drawn[database];
    str_adds(&out->question, str_c(&a->question));
    str_addf(&out->key, "%s: %s", d->schema->database, str_c(&a->query));
    out->record = json_pack("{s:s, s:s, s:s, s:s, s:o}", "db", d->database, "gold", str_c(&a->query), "query",
                            str_c(&a->question), "hardness", a->form, "db_tables", tables_of(d->schema));
    TRY(slip(f, database, rng, out));
    family_say(out, "```sql\n%s\n```", str_c(&a->query));
    sql_hints(out, a);
    return ST_OK;
}

static void close_sql(void *state)
{
    SqlFamily *f = state;
    if (!f)
        return;
    for (size_t i = 0; f->world && i < databases_n(); i++)
        sql_world_close(f->world[i]);
    sql_worlds_close(f->worlds);
    sql_asked_drop(&f->asked);
    sql_turn_drop(&f->turn);
    sql_turn_drop(&f->gold_turn);
    row_texts_drop(&f->rows);
    row_texts_drop(&f->gold);
    str_drop(&f->slip);
    mem_free(f->drawn);
    mem_free(f->world);
    mem_free(f);
}

static Status open_sql(void **state, Rng *rng, const char *data, size_t files)
{
    (void)files;
    SqlFamily *f = mem_new(SqlFamily);
    *state = f;
    f->drawn = mem_array(SqlDrawn, databases_n());
    f->world = mem_array(SqlWorld *, databases_n());
    for (size_t i = 0; i < databases_n(); i++) {
        SqlDrawn *d = &f->drawn[i];
        d->schema = &sql_schemas[i % sql_schemas_n];
        snprintf(d->database, sizeof d->database, "%s_%zu", d->schema->database, i / sql_schemas_n + 1);
        draw_rows(d, rng);
    }
    TRY(write_dump(f, data));
    TRY(family_write(data, "intercode/prompt/templates.json", templates));
    char *dump = path_join(data, SQL_DUMP);
    Status st = sql_worlds_open(&f->worlds, dump, NULL, NULL);
    mem_free(dump);
    for (size_t i = 0; st == ST_OK && i < databases_n(); i++)
        st = sql_world_open(&f->world[i], f->worlds, f->drawn[i].database, NULL);
    return st;
}

const Family family_sql = {
    .name = "sql",
    .about = "questions to small databases, answered with queries by InterCode-SQL's protocol",
    .benchmark = "ic_sql",
    .questions = SQL_QUESTIONS,
    .array = true,
    .open = open_sql,
    .draw = draw_sql,
    .close = close_sql,
};
