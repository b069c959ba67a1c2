/* JSON values of one member, cut out and not parsed: one a line, or the elements of one array that may be as
 * long as the disk.  What the member's first byte is decides: '[' is an array.  A line is a value however it
 * is broken, so that the next one is sound again; an element ends where its brackets close. */
#include <string.h>

#include "corpus/read_formats.h"

enum { CHUNK = 256 << 10 };

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Passes over one byte between values. */
static void pass(Member *m)
{
    m->json.line += m->buf.at[m->at++] == '\n';
}

/* To the first byte of the next value; false at the member's end. */
static Status seek(Member *m, bool *found)
{
    for (;;) {
        while (m->at < m->buf.n) {
            char c = m->buf.at[m->at];
            *found = !is_space(c) && !(m->json.array && (c == ',' || c == ']'));
            if (*found)
                return ST_OK;
            pass(m);
        }
        *found = false;
        if (m->ended)
            return ST_OK;
        member_compact(m);
        TRY(member_fill(m, CHUNK));
    }
}

static Status begin(Member *m)
{
    static const char mark[] = "\xEF\xBB\xBF";
    bool found;
    m->json.begun = true;
    TRY(member_fill(m, CHUNK));
    if (m->buf.n >= 3 && memcmp(m->buf.at, mark, 3) == 0)
        m->at = 3;
    if (m->buf.n >= 4 && memcmp(m->buf.at, "PAR1", 4) == 0)
        return fail(ST_UNSUPPORTED,
                    "a Parquet file, which this program does not read; write it as JSON lines "
                    "first, for example with DuckDB: COPY (FROM 'x.parquet') TO 'x.jsonl'");
    TRY(seek(m, &found));
    m->json.array = found && m->buf.at[m->at] == '[';
    if (m->json.array)
        pass(m);
    return ST_OK;
}

/* Whether the value, of which [at, taken) was looked through, ends before byte i; an element's state goes on
 * past it. */
static bool ends_at(Member *m, size_t i)
{
    JsonScan *s = &m->json;
    char c = m->buf.at[i];
    if (!s->array)
        return c == '\n';
    if (s->in_string) {
        s->in_string = s->escaped || c != '"';
        s->escaped = !s->escaped && c == '\\';
        return false;
    }
    if (s->depth == 0 && i > m->at) { /* behind the last bracket, or behind a number or word */
        char last = m->buf.at[i - 1];
        if (last == '}' || last == ']' || is_space(c) || c == ',' || c == ']')
            return true;
    }
    s->in_string = c == '"';
    s->depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    if (s->depth < 0)
        s->depth = 0;
    return false;
}

Status read_json_next(Member *m, Document *d)
{
    bool found;
    int64_t dropped = 0;
    if (!m->json.begun)
        TRY(begin(m));
    TRY(seek(m, &found));
    if (!found)
        return ST_OK;
    m->number = m->json.line;
    m->taken = m->at;
    m->json.in_string = m->json.escaped = false;
    m->json.depth = 0;
    for (;;) {
        while (m->taken < m->buf.n && !ends_at(m, m->taken))
            m->json.line += m->buf.at[m->taken++] == '\n';
        size_t n = m->taken - m->at;
        if (m->taken < m->buf.n || m->ended) {
            d->bytes = (int64_t)n + dropped;
            d->text = (Span){m->buf.at + m->at, dropped || n > m->limit ? 0 : n};
            d->reason = d->text.n ? READ_GOOD : READ_TOO_LONG;
            m->at = m->taken;
            return ST_OK;
        }
        if (n > m->limit) { /* keep its last byte, which ends_at looks back at */
            dropped += (int64_t)n - 1;
            m->at = m->taken - 1;
        }
        member_compact(m);
        TRY(member_fill(m, CHUNK));
    }
}
