#include "eval/static/spider.h"

#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "eval/data_folder.h"
#include "eval/fewshot.h"
#include "eval/spider_sql.h"
#include "eval/sql_match.h"
#include "eval/static/spider_data.h"

#define PROMPT "spider/prompt.txt"
#define SCHEMA_HOLE "{schema}"
#define QUESTION_HOLE "{question}"

enum { SPIDER_TOKENS = 512 };

/* What the keys of a question's object are called. */
typedef struct {
    const char *db, *question, *gold;
} Keys;
static const Keys published_keys = {"db_id", "question", "query"}, intercode_keys = {"db", "query", "gold"};

typedef struct {
    SpiderData data;
    const Keys *keys;
    Str prompt;     /* with its holes */
    bool continues; /* it ends in SELECT */
    bool published; /* it is that of the data */
} Spider;

static const char *text_of(const json_t *doc, const char *key)
{
    const char *text = json_string_value(json_object_get(doc, key));
    return text ? text : "";
}

/* "value" stands for a value that a model left open. */
static void fill_values(Str *out, Span query)
{
    for (size_t i = 0; i < query.n;) {
        bool open = query.n - i >= 5 && memcmp(query.at + i, "value", 5) == 0;
        str_addc(out, open ? '1' : query.at[i]);
        i += open ? 5 : 1;
    }
}

/* Marks. ------------------------------------------------------------------------------------------------- */

static void say(Sample *s, const char *key, const char *what, const SqlResult *r)
{
    Str text = {0};
    str_add_valid(&text, what, strlen(what));
    str_add_valid(&text, str_c(&r->error), r->error.n);
    json_object_set_new(s->more, key, json_string(str_c(&text)));
    str_drop(&text);
}

static void say_answer(Sample *s, SqlOutcome outcome, const SqlResult *r)
{
    say(s, "says", "", r);
    s->kind = outcome == SQL_TIME ? SAMPLE_TIME : outcome == SQL_LARGE ? SAMPLE_BUDGET : SAMPLE_TOOL_ERROR;
}

typedef struct {
    Span gold, answer; /* as they are run */
    bool ordered;
    SqlLimits limits;
    SqlResult of_gold, of_answer;
} Execution;

/* On one database.  *same is the verdict so far. */
static Status run_both(Execution *e, const SpiderDatabase *db, int64_t variant, Sample *s, bool *same)
{
    sqlite3 *c;
    TRY(spider_data_connect(&c, db, variant));
    SqlOutcome gold = sql_run(c, e->gold, &e->limits, &e->of_gold), answer = SQL_STOPPED;
    if (gold == SQL_RAN)
        answer = sql_run(c, e->answer, &e->limits, &e->of_answer);
    sqlite3_close(c);
    if (gold == SQL_STOPPED || (gold == SQL_RAN && answer == SQL_STOPPED))
        return fail(ST_CANCELLED, "stopped");
    if (gold != SQL_RAN)
        say(s, "gold", "the gold query does not run: ", &e->of_gold);
    else if (answer != SQL_RAN)
        say_answer(s, answer, &e->of_answer);
    *same = gold == SQL_RAN && answer == SQL_RAN && sql_match_results(&e->of_gold, &e->of_answer, e->ordered);
    return ST_OK;
}

static Status execute(const EvalRun *run, const SpiderDatabase *db, Span gold, Span answer, Sample *s)
{
    Str of_gold = {0}, of_answer = {0};
    sql_match_prepare(&of_gold, gold, false);
    sql_match_prepare(&of_answer, answer, false);
    Execution e = {.gold = str_span(&of_gold), .answer = str_span(&of_answer), .limits = sql_limits()};
    e.ordered = sql_match_is_ordered(e.gold);
    e.limits.stopped = run->stopped;
    e.limits.stopped_context = run->stopped_context;
    if (run->settings->program_seconds > 0)
        e.limits.seconds = run->settings->program_seconds;
    bool same = true;
    Status st = ST_OK;
    for (int64_t i = 0; st == ST_OK && same && i < spider_data_variants(db); i++)
        st = run_both(&e, db, i, s, &same);
    sample_metric(s, "exec", same);
    sql_result_drop(&e.of_gold);
    sql_result_drop(&e.of_answer);
    str_drop(&of_gold);
    str_drop(&of_answer);
    return st;
}

/* A gold query outside the subset, which published data does not have, is matched by nothing. */
static void compare_parts(const SpiderDatabase *db, Span gold, Span answer, Sample *s)
{
    static const char *const names[] = {"exact_set", "exact_set_values"};
    for (int values = 0; values < 2; values++) {
        bool same;
        if (spider_sql_match(&same, db->schema, gold, answer, values) != ST_OK)
            json_object_set_new(s->more, "gold_parts", json_string(error_text()));
        sample_metric(s, names[values], same);
    }
}

static Status mark(const EvalRun *run, const SpiderDatabase *db, const char *gold, Span query, Sample *s)
{
    Str filled = {0};
    fill_values(&filled, query);
    compare_parts(db, span(gold), str_span(&filled), s);
    Status st = execute(run, db, span(gold), str_span(&filled), s);
    str_drop(&filled);
    return st;
}

/* Prompts. ----------------------------------------------------------------------------------------------- */

static Status split_at(Span text, const char *hole, Span *before, Span *after)
{
    const char *at = memmem(text.at, text.n, hole, strlen(hole));
    const char *behind = at ? at + strlen(hole) : NULL;
    size_t left = at ? (size_t)(text.at + text.n - behind) : 0;
    if (!at || memmem(behind, left, hole, strlen(hole)))
        return fail(ST_FORMAT, PROMPT " must have the hole %s once", hole);
    *before = (Span){text.at, (size_t)(at - text.at)};
    *after = (Span){behind, left};
    return ST_OK;
}

static void add_filled(Str *out, Span part, const char *schema, const char *question)
{
    const char *at = memmem(part.at, part.n, QUESTION_HOLE, strlen(QUESTION_HOLE));
    const char *other = memmem(part.at, part.n, SCHEMA_HOLE, strlen(SCHEMA_HOLE));
    bool is_schema = other && (!at || other < at);
    if (is_schema)
        at = other;
    size_t before = at ? (size_t)(at - part.at) : part.n;
    str_add(out, part.at, before);
    if (!at)
        return;
    str_adds(out, is_schema ? schema : question);
    before += strlen(is_schema ? SCHEMA_HOLE : QUESTION_HOLE);
    add_filled(out, (Span){part.at + before, part.n - before}, schema, question);
}

static Status open_prompt(Spider *s, const EvalRun *run)
{
    Span before, after;
    s->published = folder_holds(run->data, PROMPT);
    if (s->published)
        TRY(data_text(&s->prompt, run->data, PROMPT));
    else
        str_addf(&s->prompt, SCHEMA_HOLE "\n-- " QUESTION_HOLE "\n-- One SQLite query that answers this:\n%s",
                 run->models.plain ? "SELECT" : "");
    Span text = span_trim(str_span(&s->prompt));
    s->continues = text.n >= 6 && strncasecmp(text.at + text.n - 6, "select", 6) == 0;
    TRY(split_at(text, SCHEMA_HOLE, &before, &after));
    return split_at(text, QUESTION_HOLE, &before, &after);
}

/* What decides the scores beside the data: the words of the prompt, and the schemas in it. */
static json_t *facts(const Spider *s)
{
    Fewshot all = {0};
    str_add(&all.before, s->prompt.at, s->prompt.n);
    int64_t variants = 0;
    for (size_t i = 0; i < s->data.all.n; i++) {
        const SpiderDatabase *db = s->data.all.at[i];
        str_adds(&all.before, db->text ? db->text : "");
        variants += spider_data_variants(db);
    }
    json_t *f = fewshot_facts(&all, 1, 0, s->published ? PROMPT : "schema and question");
    json_object_set_new(f, "databases", json_integer(variants));
    fewshot_drop(&all);
    return f;
}

/* The benchmarks. ---------------------------------------------------------------------------------------- */

static bool take(Questions *q, int64_t number, json_t *object, const Keys *keys)
{
    char id[32];
    snprintf(id, sizeof id, "dev/%lld", (long long)number);
    bool good =
        *text_of(object, keys->db) && *text_of(object, keys->question) && *text_of(object, keys->gold);
    if (good)
        questions_add(q, id, NULL, object);
    return good;
}

static bool take_published(Questions *q, int64_t number, json_t *object)
{
    return take(q, number, object, &published_keys);
}

static bool take_intercode(Questions *q, int64_t number, json_t *object)
{
    return take(q, number, object, &intercode_keys);
}

static void spider_close(void *state)
{
    Spider *s = state;
    if (!s)
        return;
    spider_data_close(&s->data);
    str_drop(&s->prompt);
    mem_free(s);
}

/* Each question's database and hardness. */
static Status look_up(Spider *s, Questions *q)
{
    for (size_t i = 0; i < q->all.n; i++) {
        const SpiderDatabase *db;
        SpiderHardness hardness;
        const char *gold = text_of(q->all.at[i].doc, s->keys->gold);
        TRY(spider_data_find(&db, &s->data, text_of(q->all.at[i].doc, s->keys->db)));
        bool parsed = spider_sql_hardness(&hardness, db->schema, span(gold)) == ST_OK;
        if (!parsed)
            log_warn("%s: its gold query is outside Spider's subset, so nothing matches its parts: %s",
                     q->all.at[i].id, error_text());
        q->all.at[i].part = mem_str(parsed ? spider_hardness_names[hardness] : "unparsed");
    }
    return ST_OK;
}

static Status spider_open(const EvalRun *run, Questions *out, void **state, bool published)
{
    Spider *s = mem_new(Spider);
    s->keys = published ? &published_keys : &intercode_keys;
    Status st = published
                    ? questions_read(out, run->data, "spider/dev.json", take_published)
                    : questions_read(out, run->data, "intercode/sql/ic_spider_dev.json", take_intercode);
    if (st == ST_OK)
        st = published ? spider_data_open_published(&s->data, run->data)
                       : spider_data_open_dump(&s->data, run->data, run->stopped, run->stopped_context);
    if (st == ST_OK)
        st = open_prompt(s, run);
    if (st == ST_OK)
        st = look_up(s, out);
    if (st != ST_OK) {
        spider_close(s);
        return st;
    }
    out->facts = facts(s);
    *state = s;
    return ST_OK;
}

static Status open_published(const EvalRun *run, Questions *out, void **state)
{
    return spider_open(run, out, state, true);
}

static Status open_intercode(const EvalRun *run, Questions *out, void **state)
{
    return spider_open(run, out, state, false);
}

static Status spider_ask(const EvalRun *run, void *state, const Question *q, Sample *out)
{
    Spider *s = state;
    const SpiderDatabase *db;
    const char *gold = text_of(q->doc, s->keys->gold);
    TRY(spider_data_find(&db, &s->data, text_of(q->doc, s->keys->db))); /* read by open: it only looks */
    Str prompt = {0}, text = {0}, query = {0};
    static const char *const stops[] = {";", "\n\n"};
    AskText how = {.max_tokens = SPIDER_TOKENS, .stops = stops, .stops_n = run->models.plain ? 2 : 0};
    add_filled(&prompt, str_span(&s->prompt), db->text, text_of(q->doc, s->keys->question));
    Status st = ask_text(run, out, str_span(&prompt), &how, &text);
    if (st == ST_OK) {
        out->target = json_string(gold);
        bool found = spider_answer_query(&query, str_span(&text), s->continues);
        if (!found && out->kind == SAMPLE_FINE)
            out->kind = SAMPLE_UNREADABLE;
        sample_read(out, str_span(&query));
        sample_metric(out, "exec", 0);
        sample_metric(out, "exact_set", 0);
        sample_metric(out, "exact_set_values", 0);
        if (found)
            st = mark(run, db, gold, str_span(&query), out);
    }
    str_drop(&prompt);
    str_drop(&text);
    str_drop(&query);
    return st;
}

#define INTERCODE                                                                                         \
    "https://raw.githubusercontent.com/princeton-nlp/intercode/c3e46d827cfc9d4c704ec078f7abf9f41e3191d8/" \
    "data/sql/spider/"

const Benchmark spider = {
    .name = "spider",
    .groups = "static code sql",
    .about = "1034 questions about 20 databases to be answered by a SQL query: execution and exact-set match",
    .source = "Yu et al. 2018, arXiv:1809.08887; yale-lily.github.io/spider, CC BY-SA 4.0.  Get the zip there "
              "(Google Drive)\n"
              "and unpack it so that spider/dev.json and spider/database/ are there; the databases of the test "
              "suite, from\n"
              "github.com/taoyds/test-suite-sql-eval (Google Drive too), go to spider/test_database/.\n"
              "spider/prompt.txt, the words around schema and question, is yours to put there",
    .metric = "exec",
    .version = 2,
    .files = (const DataFile[]){{"spider/dev.json", NULL, NULL},
                                {"spider/tables.json", NULL, NULL},
                                {"spider/database", NULL, NULL},
                                {0}},
    .open = open_published,
    .ask = spider_ask,
    .close = spider_close,
};

const Benchmark spider_intercode = {
    .name = "spider_intercode",
    .groups = "sql",
    .about = "spider's questions on InterCode's databases, of which some are empty or cut short: not "
             "Spider's numbers",
    .source = "Yang et al. 2023, arXiv:2306.14898; github.com/princeton-nlp/intercode; the data is Spider's, "
              "CC BY-SA 4.0",
    .metric = "exec",
    .version = 2,
    .files = (const DataFile[]){{"intercode/sql/ic_spider_dev.json", INTERCODE "ic_spider_dev.json",
                                 "68c9ecb0692c80770f46c724cc073ea76be4f301a294caa532c050546948128e"},
                                {"intercode/sql/ic_spider_dbs.sql", INTERCODE "ic_spider_dbs.sql",
                                 "61f6e8000cb5bb696f123fa55e111acdcd8da7eca64f452a36fd1a6e5fb1781a"},
                                {0}},
    .open = open_intercode,
    .ask = spider_ask,
    .close = spider_close,
};
