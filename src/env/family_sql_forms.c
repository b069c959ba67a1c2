/* The questions of the family `sql`, and the queries that answer them. */
#include <string.h>

#include "env/family_sql.h"

/* What a question is about. */
typedef struct {
    const SqlTable *table, *parent;    /* the same where it is about the parent itself */
    const SqlRow *row, *above;         /* a drawn row, and its parent's; of a parent's, itself */
    const char *number, *number_words; /* a drawn column */
    int64_t bound;                     /* near the drawn row's number in it */
} Ask;

/* SQL's words and ours. */
typedef struct {
    const char *aggregate, *aggregate_word, *direction, *direction_word, *sign, *sign_word;
    int few;
} Chosen;

/* What stands in a form for a letter in braces; {c} is `few`, {v} the bound. */
static const char *text_of(const Ask *a, const Chosen *c, char letter)
{
    switch (letter) {
    case 't': return a->table->name;
    case '1': return a->table->one;
    case 'm': return a->table->many;
    case 'l': return a->table->label;
    case 'L': return a->row->label;
    case 'k': return a->table->kind;
    case 'K': return a->table->kind_words;
    case 'V': return a->row->kind;
    case 'n': return a->number;
    case 'N': return a->number_words;
    case 'T': return a->parent->name;
    case '2': return a->parent->one;
    case 'p': return a->parent->label;
    case 'P': return a->above->label;
    case 'q': return a->parent->kind;
    case 'Q': return a->parent->kind_words;
    case 'R': return a->above->kind;
    case 'a': return c->aggregate;
    case 'A': return c->aggregate_word;
    case 'd': return c->direction;
    case 'D': return c->direction_word;
    case 's': return c->sign;
    case 'S': return c->sign_word;
    default: return NULL;
    }
}

static void add(Str *out, const Ask *a, const Chosen *c, const char *form)
{
    for (; *form; form++) {
        const char *text = form[0] == '{' && form[2] == '}' ? text_of(a, c, form[1]) : NULL;
        if (form[0] != '{')
            str_addc(out, *form);
        else if (text)
            str_adds(out, text);
        else
            str_addf(out, "%lld", form[1] == 'c' ? (long long)c->few : (long long)a->bound);
        form += form[0] == '{' ? 2 : 0;
    }
}

typedef struct {
    const char *kind; /* which is told with the scores */
    bool child;       /* a question about a child and its parent */
    const char *words[3];
    const char *query;
} Form;

#define JOIN " FROM {t} JOIN {T} ON {t}.{T}_id = {T}.{T}_id"

static const Form forms[] = {
    {"count", 0, {"How many {m} are there?", "Count all {m}."}, "SELECT COUNT(*) FROM {t}"},
    {"count",
     0,
     {"How many {m} have the {K} '{V}'?", "Count the {m} whose {K} is '{V}'."},
     "SELECT COUNT(*) FROM {t} WHERE {k} = '{V}'"},
    {"count",
     0,
     {"How many {m} have a {N} {S} {v}?", "Count the {m} whose {N} is {S} {v}."},
     "SELECT COUNT(*) FROM {t} WHERE {n} {s} {v}"},
    {"filter",
     0,
     {"List the {l}s of the {m} whose {K} is '{V}'.", "Which {m} have the {K} '{V}'? Give each {l}."},
     "SELECT {l} FROM {t} WHERE {k} = '{V}'"},
    {"filter",
     0,
     {"List the {l}s of the {m} whose {N} is {S} {v}.", "Which {m} have a {N} {S} {v}? Give each {l}."},
     "SELECT {l} FROM {t} WHERE {n} {s} {v}"},
    {"filter",
     0,
     {"What is the {N} of the {1} '{L}'?", "Give the {N} of the {1} with the {l} '{L}'."},
     "SELECT {n} FROM {t} WHERE {l} = '{L}'"},
    {"filter",
     0,
     {"What is the {K} of the {1} '{L}'?", "Give the {K} of the {1} with the {l} '{L}'."},
     "SELECT {k} FROM {t} WHERE {l} = '{L}'"},
    {"filter",
     0,
     {"List the {l}s of the {m} whose {K} is '{V}' and whose {N} is {S} {v}."},
     "SELECT {l} FROM {t} WHERE {k} = '{V}' AND {n} {s} {v}"},
    {"order",
     0,
     {"Give the {l} of the {1} with the {D} {N}.", "Which {1} has the {D} {N}? Give its {l}."},
     "SELECT {l} FROM {t} ORDER BY {n} {d} LIMIT 1"},
    {"order",
     0,
     {"Give the {l}s of the {c} {m} with the {D} {N}.", "Which {c} {m} have the {D} {N}? Give each {l}."},
     "SELECT {l} FROM {t} ORDER BY {n} {d} LIMIT {c}"},
    {"order",
     0,
     {"List the {l}s of all {m}, the one with the {D} {N} first.",
      "Give each {l} of the {m}, ordered by {N}, the {D} first."},
     "SELECT {l} FROM {t} ORDER BY {n} {d}"},
    {"order",
     0,
     {"Which {1} with the {K} '{V}' has the {D} {N}? Give its {l}."},
     "SELECT {l} FROM {t} WHERE {k} = '{V}' ORDER BY {n} {d} LIMIT 1"},
    {"aggregate",
     0,
     {"What is the {A} {N} of all {m}?", "Give the {A} {N} of the {m}."},
     "SELECT {a}({n}) FROM {t}"},
    {"aggregate",
     0,
     {"What is the {A} {N} of the {m} whose {K} is '{V}'?",
      "Give the {A} {N} of the {m} with the {K} '{V}'."},
     "SELECT {a}({n}) FROM {t} WHERE {k} = '{V}'"},
    {"join",
     1,
     {"List the {l}s of the {m} of the {2} '{P}'.", "Which {m} does the {2} '{P}' have? Give each {l}."},
     "SELECT {t}.{l}" JOIN " WHERE {T}.{p} = '{P}'"},
    {"join",
     1,
     {"How many {m} does the {2} '{P}' have?", "Count the {m} of the {2} '{P}'."},
     "SELECT COUNT(*)" JOIN " WHERE {T}.{p} = '{P}'"},
    {"join",
     1,
     {"List the {l}s of the {m} whose {2} has the {Q} '{R}'.",
      "Give each {l} of the {m} of a {2} with the {Q} '{R}'."},
     "SELECT {t}.{l}" JOIN " WHERE {T}.{q} = '{R}'"},
    {"join",
     1,
     {"What is the {Q} of the {2} of the {1} '{L}'?",
      "Give the {Q} of the {2} that the {1} '{L}' belongs to."},
     "SELECT {T}.{q}" JOIN " WHERE {t}.{l} = '{L}'"},
    {"join",
     1,
     {"What is the {A} {N} of the {m} of the {2} '{P}'?"},
     "SELECT {a}({t}.{n})" JOIN " WHERE {T}.{p} = '{P}'"},
    {"group",
     0,
     {"How many {m} are there for each {K}?", "Give each {K} and the number of its {m}."},
     "SELECT {k}, COUNT(*) FROM {t} GROUP BY {k}"},
    {"group",
     0,
     {"What is the {A} {N} of the {m} for each {K}?", "Give each {K} and the {A} {N} of its {m}."},
     "SELECT {k}, {a}({n}) FROM {t} GROUP BY {k}"},
    {"group",
     1,
     {"How many {m} does each {2} have? Give the {p} and the number.",
      "Give the {p} of each {2} and the number of its {m}."},
     "SELECT {T}.{p}, COUNT(*)" JOIN " GROUP BY {T}.{p}"},
    {"group",
     1,
     {"What is the {A} {N} of the {m} of each {2}? Give the {p} and the result."},
     "SELECT {T}.{p}, {a}({t}.{n})" JOIN " GROUP BY {T}.{p}"},
};

static const char *const aggregates[][2] = {
    {"AVG", "average"}, {"MAX", "largest"}, {"MIN", "smallest"}, {"SUM", "total"}};
static const char *const directions[][2] = {{"DESC", "highest"}, {"ASC", "lowest"}};
static const char *const signs[][2] = {{">", "above"}, {"<", "below"}};

static void choose(Chosen *c, Rng *rng)
{
    const char *const *aggregate = DRAW_OF(rng, aggregates);
    const char *const *direction = DRAW_OF(rng, directions), *const *sign = DRAW_OF(rng, signs);
    *c = (Chosen){aggregate[0],
                  aggregate[1],
                  direction[0],
                  direction[1],
                  sign[0],
                  sign[1],
                  (int)draw_between(rng, 2, 4)};
}

void sql_ask_draw(SqlAsked *out, const SqlDrawn *db, Rng *rng)
{
    const Form *f = &DRAW_OF(rng, forms);
    size_t side = f->child || rng_below(rng, 2);
    Ask a = {0};
    Chosen c;
    size_t wordings = 0;
    while (wordings < 3 && f->words[wordings])
        wordings++;
    a.table = &db->schema->tables[side];
    a.parent = &db->schema->tables[0];
    a.row = &db->rows[side].at[rng_below(rng, db->rows[side].n)];
    a.above = side ? &db->rows[0].at[a.row->parent] : a.row;
    size_t column = rng_below(rng, SQL_NUMBERS);
    a.number = a.table->numbers[column].name;
    a.number_words = a.table->numbers[column].words;
    a.bound = a.row->numbers[column] + draw_between(rng, -1, 1);
    choose(&c, rng);
    str_clear(&out->question);
    str_clear(&out->query);
    add(&out->question, &a, &c, f->words[rng_below(rng, wordings)]);
    add(&out->query, &a, &c, f->query);
    out->form = f->kind;
    out->column = strstr(f->query, "{n}")   ? a.number
                  : strstr(f->query, "{k}") ? a.table->kind
                                            : a.table->label;
}

void sql_asked_drop(SqlAsked *a)
{
    str_drop(&a->question);
    str_drop(&a->query);
}
