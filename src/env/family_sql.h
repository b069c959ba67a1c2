/* The databases of the family `sql`: two tables each, a child's rows naming a parent's.  For family_sql.c,
 * which draws rows, family_sql_forms.c, which asks, and family_sql_hints.c. */
#ifndef ENV_FAMILY_SQL_H
#define ENV_FAMILY_SQL_H

#include "env/family_draw.h"

enum { SQL_NUMBERS = 2, SQL_ROWS = 14, SQL_LABEL = 32 };

/* `one` and `many` are its rows in words.  Its columns: TABLE_id, `label`, `kind`, in a child PARENT_id, and
 * the numbers.  words: how a question names a column. */
typedef struct {
    const char *name, *one, *many;
    const char *label;
    enum { LABEL_PEOPLE, LABEL_PLACES, LABEL_TITLES } labels;
    const char *kind, *kind_words;
    const char *kinds[7]; /* values, NULL at the end */
    struct {
        const char *name, *words;
        int low, high;
    } numbers[SQL_NUMBERS];
} SqlTable;

typedef struct {
    const char *database;
    SqlTable tables[2]; /* parent, child */
} SqlSchema;

extern const SqlSchema sql_schemas[];
extern const size_t sql_schemas_n;

/* No two rows of a table have the same label, nor the same number in a column. */
typedef struct {
    char label[SQL_LABEL];
    const char *kind;
    size_t parent; /* its number among the parent's rows */
    int64_t numbers[SQL_NUMBERS];
} SqlRow;

typedef struct {
    const SqlSchema *schema;
    char database[SQL_LABEL]; /* the schema's, and which of its fillings */
    struct {
        SqlRow at[SQL_ROWS];
        size_t n;
    } rows[2];
} SqlDrawn;

/* One question to it. */
typedef struct {
    Str question, query;
    const char *form;   /* "count", "filter", ... */
    const char *column; /* one that the query names */
} SqlAsked;
/* Fills *out anew. */
void sql_ask_draw(SqlAsked *out, const SqlDrawn *db, Rng *rng);
void sql_asked_drop(SqlAsked *a);
/* What an expert who hints says to other queries. */
void sql_hints(FamilyTask *t, const SqlAsked *a);

#endif
