#include "env/sql_unknown.h"

#include <string.h>
#include <strings.h>

/* "alias.name" at word i whose table is known and has no such column. */
static bool is_unknown(const SqlSelect *s, size_t i)
{
    Span alias = sql_select_name(s, i), name = sql_select_name(s, i + 2);
    if (!alias.n || !name.n || i + 2 >= s->from.to || !sql_token_is(&s->t->at[i + 1], "."))
        return false;
    for (int k = 0; k < s->used_n; k++) {
        const SqlUsed *u = &s->used[k];
        if (u->table && u->alias.n == alias.n && strncasecmp(u->alias.at, alias.at, alias.n) == 0)
            return !sql_table_column(u->table, name);
    }
    return false;
}

/* The first such in the last ON that has one, in a SELECT where `named` is one too; n is 0: none. */
static Span find_last(const SqlSelect *s, Span named)
{
    Span found = {0};
    bool first = false, here = false;
    for (size_t i = s->from.from; i + 2 < s->from.to; i++) {
        if (sql_token_is(&s->t->at[i], "(")) {
            i = sql_tokens_behind_bracket(s->t, i) - 1;
        } else if (sql_token_is(&s->t->at[i], "on")) {
            first = true;
        } else if (is_unknown(s, i)) {
            const char *at = s->t->at[i].text.at;
            Span last = s->t->at[i + 2].text, name = {at, (size_t)(last.at + last.n - at)};
            here = here || (name.n == named.n && strncasecmp(name.at, named.at, name.n) == 0);
            found = first ? name : found;
            first = false;
        }
    }
    return here ? found : (Span){0};
}

void sql_unknown_column(Str *error, const SqlSchema *schema, Span query)
{
    static const char head[] = "Unknown column '", tail[] = "' in 'on clause'";
    Span says = str_span(error), found = {0};
    if (!span_starts(says, head) || !span_ends(says, tail))
        return;
    Span named = {says.at + sizeof head - 1, says.n - (sizeof head - 1) - (sizeof tail - 1)};
    SqlTokens t = {0};
    if (!sql_tokens_split(&t, query))
        for (size_t i = 0; i < t.n && !found.n; i++) {
            SqlSelect s;
            if (!sql_token_is(&t.at[i], "select"))
                continue;
            sql_select_read(&s, &t, schema, i);
            found = find_last(&s, named);
        }
    array_drop(&t);
    if (!found.n)
        return;
    str_clear(error);
    str_addf(error, "%s%.*s%s", head, (int)found.n, found.at, tail);
}
