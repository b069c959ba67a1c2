#include "eval/replay_observation.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "env/sql_reward.h"
#include "env/sql_token.h"

enum { DRAWS = 8 /* two equal rows come out alike in all of them once in 256 times */ };

/* Altered tables. ---------------------------------------------------------------------------------------- */

void altered_tables_drop(AlteredTables *a)
{
    for (size_t i = 0; i < a->names.n; i++)
        mem_free(a->names.at[i]);
    array_drop(&a->names);
}

static size_t rows_in(Span list)
{
    RowTexts rows = {0};
    size_t n = row_texts_read(&rows, list) == ST_OK ? rows.n : 0;
    row_texts_drop(&rows);
    return n;
}

/* The first word behind these: "ALTER TABLE t", "UPDATE t", "INSERT INTO t", "SHOW COLUMNS FROM t", "DESC t".
 */
static Span table_of(Span action)
{
    static const char *const between[] = {"table",  "into", "from",   "if",      "exists", "not",
                                          "ignore", "view", "column", "columns", NULL};
    Span rest = action, word = sql_word_next(&rest);
    bool passed = true;
    while (word.n && passed) {
        word = sql_word_next(&rest);
        passed = false;
        for (size_t i = 0; between[i]; i++)
            passed = passed || sql_word_is(word, between[i]);
    }
    return word;
}

void altered_tables_note(AlteredTables *a, Span action, Span recorded, const SqlTurn *ours)
{
    Span rest = action, first = sql_word_next(&rest), word = table_of(action);
    bool describes =
        sql_word_is(first, "DESCRIBE") || sql_word_is(first, "DESC") || sql_word_is(first, "SHOW");
    bool more = describes && !sql_word_is(word, "TABLES") && !ours->failed &&
                rows_in(recorded) > rows_in(str_span(&ours->text));
    bool wrote = !describes && !sql_word_is(first, "SELECT") && span_is(recorded, "None");
    if (!word.n || (!more && !wrote))
        return;
    char *name = mem_strn(word.at, word.n);
    array_push(&a->names, name);
}

bool altered_tables_in(const AlteredTables *a, Span action)
{
    SqlTokens t = {0};
    bool found = false;
    (void)sql_tokens_split(&t, action);
    for (size_t i = 0; i < t.n && !found; i++)
        for (size_t k = 0; k < a->names.n && !found; k++)
            found = sql_token_is(&t.at[i], a->names.at[k]);
    array_drop(&t);
    return found;
}

/* Texts. ------------------------------------------------------------------------------------------------- */

/* Without the b in front of quotes. */
static void add_plain(Str *out, Span text)
{
    for (size_t i = 0; i < text.n; i++) {
        bool begins = i == 0 || (text.at[i - 1] == ' ' || text.at[i - 1] == '(');
        if (!(text.at[i] == 'b' && begins && i + 1 < text.n &&
              (text.at[i + 1] == '\'' || text.at[i + 1] == '"')))
            str_addc(out, text.at[i]);
    }
}

static bool is_same_text(Span a, Span b)
{
    Str x = {0}, y = {0};
    add_plain(&x, a);
    add_plain(&y, b);
    bool same = strcmp(str_c(&x), str_c(&y)) == 0;
    str_drop(&x);
    str_drop(&y);
    return same;
}

static int compare_rows(const void *a, const void *b)
{
    const Span *x = a, *y = b;
    int order = memcmp(x->at, y->at, x->n < y->n ? x->n : y->n);
    return order ? order : x->n < y->n ? -1 : x->n > y->n;
}

static bool is_same_multiset(Span a, Span b)
{
    RowTexts x = {0}, y = {0};
    bool same = row_texts_read(&x, a) == ST_OK && row_texts_read(&y, b) == ST_OK && x.n == y.n;
    if (same && x.n) {
        qsort(x.at, x.n, sizeof *x.at, compare_rows);
        qsort(y.at, y.n, sizeof *y.at, compare_rows);
        for (size_t i = 0; i < x.n && same; i++)
            same = compare_rows(&x.at[i], &y.at[i]) == 0;
    }
    row_texts_drop(&x);
    row_texts_drop(&y);
    return same;
}

/* Order. ------------------------------------------------------------------------------------------------- */

typedef enum { ORDER_NONE, ORDER_TOTAL, ORDER_CHANCE } Order;

/* The bracket that opens the part in which i stands, or the query's beginning. */
static size_t part_begin(const SqlTokens *t, size_t i)
{
    int depth = 0;
    while (i > 0) {
        i--;
        depth += sql_token_is(&t->at[i], ")") - sql_token_is(&t->at[i], "(");
        if (depth < 0)
            return i + 1;
    }
    return 0;
}

/* Whether an ORDER BY stands in the part of the query that ends at `end`. */
static bool is_ordered(const SqlTokens *t, size_t end)
{
    static const char *const order[] = {"order", NULL};
    size_t begin = part_begin(t, end);
    return sql_tokens_find(t, begin, end, order) < end;
}

/* The query with a random number as the last key of each ORDER BY that LIMIT or the end follows; false: a
 * LIMIT without ORDER BY. */
static bool add_drawn(Str *out, const SqlTokens *t, Span query, int seed)
{
    static const char *const limit[] = {"limit", NULL};
    size_t top = sql_tokens_find(t, 0, t->n, limit);
    const char *from = query.at;
    for (size_t i = 0; i <= t->n; i++) {
        bool limits = i < t->n && sql_token_is(&t->at[i], "limit");
        if (!limits && !(i == t->n && top == t->n))
            continue;
        const char *at = i < t->n ? t->at[i].text.at : query.at + query.n;
        if (is_ordered(t, i)) {
            str_add(out, from, (size_t)(at - from));
            str_addf(out, ", RAND(%d) ", seed);
            from = at;
        } else if (limits) {
            return false;
        }
    }
    str_add(out, from, (size_t)(query.at + query.n - from));
    return true;
}

static Status find_order(Order *out, SqlWorld *world, Span action, const SqlTurn *ours)
{
    SqlTokens t = {0};
    Str query = {0};
    SqlTurn turn = {0};
    Status st = ST_OK;
    static const char *const limit[] = {"limit", NULL};
    bool any = false, limited = false;
    if (sql_tokens_split(&t, action))
        t.n = 0;
    for (size_t i = 0; i < t.n; i++) {
        any = any || sql_token_is(&t.at[i], "order");
        limited = limited || sql_token_is_any(&t.at[i], limit);
    }
    *out = limited ? ORDER_CHANCE : ORDER_NONE;
    for (int seed = 1; any && seed <= DRAWS; seed++) {
        str_clear(&query);
        if (!add_drawn(&query, &t, action, seed) ||
            (st = sql_world_act(world, &turn, str_span(&query))) != ST_OK)
            break;
        if (turn.failed || strcmp(str_c(&turn.text), str_c(&ours->text)) != 0)
            break;
        if (seed == DRAWS)
            *out = ORDER_TOTAL;
    }
    array_drop(&t);
    str_drop(&query);
    sql_turn_drop(&turn);
    return st;
}

static bool is_list(Span recorded)
{
    return recorded.n && recorded.at[0] == '[';
}

Status replay_observation(Seen *out, ReplayWhy *why, SqlWorld *world, Span action, Span recorded,
                          const SqlTurn *ours)
{
    Order order = ORDER_TOTAL;
    Span text = str_span(&ours->text), rest = action, first = sql_word_next(&rest);
    static const char syntax[] = "Error executing query: You have an error in your SQL syntax";
    *out = SEEN_UNDECIDED;
    *why = REPLAY_SYNTAX;
    if (span_starts(recorded, syntax) && ours->failed)
        return ST_OK;
    bool rows = is_list(recorded) && !ours->failed && sql_word_is(first, "SELECT");
    if (rows)
        TRY(find_order(&order, world, action, ours));
    *why = REPLAY_CHANCE;
    if (order == ORDER_CHANCE)
        return ST_OK;
    bool same = order == ORDER_TOTAL || rows_in(recorded) < 2 ? is_same_text(recorded, text)
                                                              : is_same_multiset(recorded, text);
    *out = same ? SEEN_SAME : SEEN_OTHER;
    return ST_OK;
}
