#include "eval/csv.h"

#include "base/check.h"

Csv csv_open(Span text)
{
    Csv c = {.text = text, .line = 1};
    if (span_starts(text, "\xEF\xBB\xBF"))
        c.at = 3;
    return c;
}

static bool at_end(const Csv *c)
{
    return c->at == c->text.n;
}

/* The next character, '\n' for a line end of any kind. */
static char take(Csv *c)
{
    char now = c->text.at[c->at++];
    if (now == '\r') {
        if (!at_end(c) && c->text.at[c->at] == '\n')
            c->at++;
        now = '\n';
    }
    c->line += now == '\n';
    return now;
}

/* Behind the opening quote; line ends stay as they are. */
static Status quoted(Csv *c)
{
    size_t began_at = c->at;
    int64_t began = c->line;
    while (!at_end(c)) {
        char now = c->text.at[c->at++];
        if (now == '"' && (at_end(c) || c->text.at[c->at] != '"'))
            return ST_OK;
        c->at += now == '"';
        c->line += now == '\n';
        str_addc(&c->bytes, now);
    }
    c->at = began_at - 1;
    c->line = began;
    return fail(ST_FORMAT, "line %lld: a quote is never closed; is the file cut off?", (long long)began);
}

/* *last: the row ends with this field. */
static Status field(Csv *c, bool *last)
{
    *last = true;
    if (!at_end(c) && c->text.at[c->at] == '"') {
        c->at++;
        TRY(quoted(c));
    }
    while (!at_end(c)) {
        char now = take(c);
        if (now == '\n')
            break;
        if (now == ',') {
            *last = false;
            break;
        }
        if (!now)
            return fail(ST_FORMAT, "line %lld: a NUL byte; this is no text", (long long)c->line);
        str_addc(&c->bytes, now);
    }
    array_push(&c->ends, c->bytes.n);
    return ST_OK;
}

Status csv_next(Csv *c)
{
    size_t began;
    int64_t line;
    Status st = ST_OK;
    c->fields = 0;
    while (!at_end(c) && (c->text.at[c->at] == '\n' || c->text.at[c->at] == '\r'))
        take(c);
    str_clear(&c->bytes);
    array_clear(&c->ends);
    began = c->at;
    line = c->line;
    for (bool last = at_end(c); !last && st == ST_OK;)
        st = field(c, &last);
    if (st != ST_OK) { /* the row is read, and refused, again */
        c->at = began;
        c->line = line;
        return st;
    }
    c->fields = c->ends.n;
    return ST_OK;
}

Span csv_field(const Csv *c, size_t i)
{
    check(i < c->fields);
    size_t from = i ? c->ends.at[i - 1] : 0;
    return (Span){str_c(&c->bytes) + from, c->ends.at[i] - from};
}

void csv_drop(Csv *c)
{
    str_drop(&c->bytes);
    array_drop(&c->ends);
}
