#include "env/mysql_table.h"

#include <sqlite3.h>
#include <string.h>
#include <strings.h>

typedef struct {
    MysqlReader *r;
    MysqlToken *now;
    bool ignore_case;
    Str *sql;
} Table;

static bool is_bare(Span name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
              (c >= '0' && c <= '9' && i > 0)))
            return false;
    }
    return name.n > 0 && !sqlite3_keyword_check(name.at, (int)name.n);
}

static void add_quoted(Str *sql, Span text, char quote)
{
    str_addc(sql, quote);
    for (size_t i = 0; i < text.n; i++) {
        if (text.at[i] == quote)
            str_addc(sql, quote);
        str_addc(sql, text.at[i]);
    }
    str_addc(sql, quote);
}

void mysql_table_add_name(Str *sql, Span name)
{
    if (is_bare(name))
        str_add(sql, name.at, name.n);
    else
        add_quoted(sql, name, '"');
}

static Status take_name(Table *t, Str *out)
{
    Str name = {0};
    Status st = mysql_token_name(t->r, t->now, &name);
    if (st == ST_OK)
        mysql_table_add_name(out, str_span(&name));
    str_drop(&name);
    return st;
}

static Status accept(Table *t, const char *word, bool *was)
{
    return mysql_token_accept(t->r, t->now, word, was);
}

static Status expect(Table *t, const char *word)
{
    return mysql_token_expect(t->r, t->now, word);
}

/* Over "( ... )" that stands here, appended as it is where `keep` is given: only numbers and commas then. */
static Status pass_brackets(Table *t, Str *keep)
{
    int depth = 0;
    do {
        bool plain = t->now->kind == MYSQL_NUMBER || t->now->kind == MYSQL_MARK;
        if (t->now->kind == MYSQL_END || (keep && !plain))
            return mysql_token_refuse(t->r, t->now, ST_FORMAT,
                                      "brackets that hold something else, or do not end");
        depth += mysql_token_is(t->now, "(") - mysql_token_is(t->now, ")");
        if (keep)
            str_add(keep, t->now->text.at, t->now->text.n);
        TRY(mysql_token_next(t->r, t->now));
    } while (depth > 0);
    return ST_OK;
}

/* Columns. ----------------------------------------------------------------------------------------------- */

typedef enum { SAME, TEXT, AS_TEXT, AS_BLOB } TypeKind;
static const struct {
    const char *name;
    TypeKind kind;
} types[] = {
    {"tinyint", SAME},       {"smallint", SAME},    {"mediumint", SAME},   {"int", SAME},
    {"integer", SAME},       {"bigint", SAME},      {"float", SAME},       {"double", SAME},
    {"decimal", SAME},       {"numeric", SAME},     {"real", SAME},        {"date", SAME},
    {"datetime", SAME},      {"timestamp", SAME},   {"time", SAME},        {"year", SAME},
    {"boolean", SAME},       {"bool", SAME},        {"char", TEXT},        {"varchar", TEXT},
    {"tinytext", TEXT},      {"text", TEXT},        {"mediumtext", TEXT},  {"longtext", TEXT},
    {"enum", AS_TEXT},       {"set", AS_TEXT},      {"json", AS_TEXT},     {"binary", AS_BLOB},
    {"varbinary", AS_BLOB},  {"bit", AS_BLOB},      {"tinyblob", AS_BLOB}, {"blob", AS_BLOB},
    {"mediumblob", AS_BLOB}, {"longblob", AS_BLOB},
};

static Status read_type(Table *t)
{
    size_t i = 0, n = sizeof types / sizeof types[0];
    while (i < n && !mysql_token_is(t->now, types[i].name))
        i++;
    if (i == n)
        return mysql_token_refuse(t->r, t->now, ST_UNSUPPORTED, "a type that is not taken over");
    TypeKind kind = types[i].kind;
    str_adds(t->sql, kind == AS_TEXT ? "text" : kind == AS_BLOB ? "blob" : types[i].name);
    TRY(mysql_token_next(t->r, t->now));
    if (mysql_token_is(t->now, "("))
        TRY(pass_brackets(t, kind == SAME || kind == TEXT ? t->sql : NULL));
    if (t->ignore_case && (kind == TEXT || kind == AS_TEXT))
        str_adds(t->sql, " COLLATE NOCASE");
    return ST_OK;
}

static bool is_moment(const MysqlToken *t)
{
    return mysql_token_is(t, "CURRENT_TIMESTAMP") || mysql_token_is(t, "CURRENT_DATE");
}

/* Behind DEFAULT. */
static Status read_default(Table *t)
{
    bool minus;
    TRY(accept(t, "-", &minus));
    if (t->now->kind == MYSQL_STRING && !minus && !memchr(t->now->text.at, 0, t->now->text.n)) {
        str_adds(t->sql, " DEFAULT ");
        add_quoted(t->sql, t->now->text, '\'');
    } else if (t->now->kind == MYSQL_NUMBER || mysql_token_is(t->now, "NULL") || is_moment(t->now)) {
        str_addf(t->sql, " DEFAULT %s%.*s", minus ? "-" : "", (int)t->now->text.n, t->now->text.at);
    } else {
        return mysql_token_refuse(t->r, t->now, ST_UNSUPPORTED, "a default that is not taken over");
    }
    bool moment = is_moment(t->now);
    TRY(mysql_token_next(t->r, t->now));
    return moment && mysql_token_is(t->now, "(") ? pass_brackets(t, NULL) : ST_OK;
}

/* One of the words behind a column's type. */
static Status read_column_word(Table *t)
{
    static const char *const passed[] = {"AUTO_INCREMENT", "UNSIGNED", "SIGNED",   "ZEROFILL",
                                         "NULL",           "VISIBLE",  "INVISIBLE"};
    static const char *const with_word[] = {"COLLATE", "CHARSET", "COMMENT"};
    bool was;
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
        if (mysql_token_is(t->now, passed[i]))
            return mysql_token_next(t->r, t->now);
    for (size_t i = 0; i < sizeof with_word / sizeof with_word[0]; i++)
        if (mysql_token_is(t->now, with_word[i])) {
            TRY(mysql_token_next(t->r, t->now));
            return mysql_token_next(t->r, t->now);
        }
    TRY(accept(t, "CHARACTER", &was));
    if (was) {
        TRY(expect(t, "SET"));
        return mysql_token_next(t->r, t->now);
    }
    TRY(accept(t, "NOT", &was));
    if (was) {
        str_adds(t->sql, " NOT NULL");
        return expect(t, "NULL");
    }
    TRY(accept(t, "DEFAULT", &was));
    if (was)
        return read_default(t);
    TRY(accept(t, "ON", &was));
    if (!was)
        return mysql_token_refuse(t->r, t->now, ST_UNSUPPORTED,
                                  "a word behind a column's type that is not taken over");
    TRY(expect(t, "UPDATE"));
    TRY(expect(t, "CURRENT_TIMESTAMP"));
    return mysql_token_is(t->now, "(") ? pass_brackets(t, NULL) : ST_OK;
}

static bool at_end_of_item(const Table *t)
{
    return mysql_token_is(t->now, ",") || mysql_token_is(t->now, ")");
}

static Status read_column(Table *t)
{
    TRY(take_name(t, t->sql));
    str_addc(t->sql, ' ');
    TRY(read_type(t));
    while (!at_end_of_item(t))
        TRY(read_column_word(t));
    return ST_OK;
}

/* Keys. -------------------------------------------------------------------------------------------------- */

/* "(a, b(10) DESC)": prefixes and directions are passed over. */
static Status read_names(Table *t)
{
    bool more, was;
    TRY(expect(t, "("));
    str_addc(t->sql, '(');
    do {
        TRY(take_name(t, t->sql));
        if (mysql_token_is(t->now, "("))
            TRY(pass_brackets(t, NULL));
        TRY(accept(t, "ASC", &was));
        TRY(accept(t, "DESC", &was));
        TRY(accept(t, ",", &more));
        str_adds(t->sql, more ? ", " : ")");
    } while (more);
    return expect(t, ")");
}

/* A key's USING BTREE, COMMENT '...', or ON DELETE ...: nothing of it counts here. */
static Status pass_rest(Table *t)
{
    while (!at_end_of_item(t)) {
        if (t->now->kind == MYSQL_END || mysql_token_is(t->now, ";"))
            return mysql_token_refuse(t->r, t->now, ST_FORMAT, "a table that does not end");
        if (mysql_token_is(t->now, "("))
            TRY(pass_brackets(t, NULL));
        else
            TRY(mysql_token_next(t->r, t->now));
    }
    return ST_OK;
}

static Status read_foreign(Table *t)
{
    TRY(expect(t, "KEY"));
    if (!mysql_token_is(t->now, "("))
        TRY(mysql_token_next(t->r, t->now));
    str_adds(t->sql, "FOREIGN KEY ");
    TRY(read_names(t));
    TRY(expect(t, "REFERENCES"));
    str_adds(t->sql, " REFERENCES ");
    TRY(take_name(t, t->sql));
    str_addc(t->sql, ' ');
    return read_names(t);
}

/* Behind UNIQUE: [KEY | INDEX] [name] (columns). */
static Status read_unique(Table *t)
{
    bool was;
    TRY(accept(t, "KEY", &was));
    TRY(accept(t, "INDEX", &was));
    if (!mysql_token_is(t->now, "("))
        TRY(mysql_token_next(t->r, t->now));
    str_adds(t->sql, "UNIQUE ");
    return read_names(t);
}

/* Not quoted, so no column's name. */
static bool at_key(const Table *t)
{
    static const char *const words[] = {"PRIMARY", "UNIQUE",     "KEY",     "INDEX", "FULLTEXT",
                                        "SPATIAL", "CONSTRAINT", "FOREIGN", "CHECK"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (mysql_token_is(t->now, words[i]))
            return true;
    return false;
}

/* *left_out: it is none that SQLite's table gets. */
static Status read_key(Table *t, bool *left_out)
{
    bool was;
    *left_out = false;
    TRY(accept(t, "CONSTRAINT", &was));
    if (was && t->now->kind == MYSQL_NAME)
        TRY(mysql_token_next(t->r, t->now));
    TRY(accept(t, "PRIMARY", &was));
    if (was) {
        TRY(expect(t, "KEY"));
        str_adds(t->sql, "PRIMARY KEY ");
        TRY(read_names(t));
        return pass_rest(t);
    }
    TRY(accept(t, "FOREIGN", &was));
    if (was) {
        TRY(read_foreign(t));
        return pass_rest(t);
    }
    TRY(accept(t, "UNIQUE", &was));
    if (was)
        TRY(read_unique(t));
    *left_out = !was;
    return pass_rest(t);
}

static Status read_items(Table *t)
{
    bool more, first = true;
    do {
        size_t before = t->sql->n;
        bool left_out = false;
        str_adds(t->sql, first ? "\n    " : ",\n    ");
        if (at_key(t))
            TRY(read_key(t, &left_out));
        else
            TRY(read_column(t));
        if (left_out)
            t->sql->n = before;
        else
            first = false;
        TRY(accept(t, ",", &more));
    } while (more);
    str_adds(t->sql, "\n)");
    return expect(t, ")");
}

Status mysql_table_read(MysqlReader *r, MysqlToken *now, bool ignore_case, Str *name, Str *sql)
{
    bool was;
    Table t = {r, now, ignore_case, sql};
    TRY(accept(&t, "IF", &was));
    if (was) {
        TRY(expect(&t, "NOT"));
        TRY(expect(&t, "EXISTS"));
    }
    TRY(mysql_token_name(r, now, name));
    str_adds(sql, "CREATE TABLE ");
    mysql_table_add_name(sql, str_span(name));
    str_adds(sql, " (");
    TRY(expect(&t, "("));
    TRY(read_items(&t));
    while (!mysql_token_is(now, ";")) {
        if (now->kind == MYSQL_END)
            return mysql_token_refuse(r, now, ST_FORMAT, "a table that does not end");
        TRY(mysql_token_next(r, now));
    }
    return mysql_token_next(r, now);
}
