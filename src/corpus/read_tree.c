/* One member, one document. */
#include "corpus/read_formats.h"

#include <string.h>

enum { CHUNK = 256 << 10 };

void member_compact(Member *m)
{
    if (m->at == 0)
        return;
    m->buf.n -= m->at;
    memmove(m->buf.at, m->buf.at + m->at, m->buf.n + 1);
    m->taken = m->taken > m->at ? m->taken - m->at : 0;
    m->at = 0;
}

Status member_fill(Member *m, size_t want)
{
    size_t goal = m->buf.n + want;
    while (!m->ended && m->buf.n < goal) {
        size_t got;
        str_reserve(&m->buf, CHUNK);
        TRY(stream_read(m->stream, m->buf.at + m->buf.n, m->buf.cap - m->buf.n - 1, &got));
        m->buf.n += got;
        m->buf.at[m->buf.n] = 0;
        m->ended = got == 0;
    }
    return ST_OK;
}

/* Passes over what is left of the member; returns its length. */
static Status skip_rest(Member *m, int64_t *skipped)
{
    *skipped = 0;
    while (!m->ended) {
        str_clear(&m->buf);
        TRY(member_fill(m, CHUNK));
        *skipped += (int64_t)m->buf.n;
    }
    str_clear(&m->buf);
    return ST_OK;
}

Status read_tree_next(Member *m, Document *d)
{
    if (m->number++ > 0)
        return ST_OK;
    str_clear(&m->buf);
    TRY(member_fill(m, m->limit + 1));
    d->bytes = (int64_t)m->buf.n;
    d->text = (Span){str_c(&m->buf), m->buf.n};
    if (m->buf.n <= m->limit)
        return ST_OK;
    int64_t rest;
    TRY(skip_rest(m, &rest));
    d->text.n = 0;
    d->bytes += rest;
    d->reason = READ_TOO_LONG;
    return ST_OK;
}
