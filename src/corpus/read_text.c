/* One member, cut into documents at a separator.  The separator itself belongs to no document. */
#include <string.h>

#include "corpus/read_formats.h"

enum { CHUNK = 256 << 10 };

static void piece_take(Member *m, Document *d, size_t n, int64_t dropped)
{
    d->bytes = (int64_t)n + dropped;
    d->text = (Span){str_c(&m->buf) + m->at, n};
    if (dropped || n > m->limit) {
        d->text.n = 0;
        d->reason = READ_TOO_LONG;
    }
    m->number++;
}

Status read_text_next(Member *m, Document *d)
{
    if (!m->separator || !*m->separator)
        return read_tree_next(m, d);
    size_t sep = strlen(m->separator);
    int64_t dropped = 0; /* bytes of a piece that is too long, no longer held */
    for (;;) {
        const char *hit =
            m->buf.n > m->taken ? memmem(m->buf.at + m->taken, m->buf.n - m->taken, m->separator, sep) : NULL;
        if (hit) {
            size_t n = (size_t)(hit - m->buf.at) - m->at;
            piece_take(m, d, n, dropped);
            m->at = m->taken = m->at + n + sep;
            return ST_OK;
        }
        if (m->ended) {
            size_t n = m->buf.n - m->at;
            if (n || dropped)
                piece_take(m, d, n, dropped);
            m->at = m->taken = m->buf.n;
            return ST_OK;
        }
        /* A separator may lie across the end of what is held. */
        m->taken = m->buf.n - m->at >= sep ? m->buf.n - (sep - 1) : m->at;
        if (m->taken - m->at > m->limit) {
            dropped += (int64_t)(m->taken - m->at);
            m->at = m->taken;
        }
        member_compact(m);
        TRY(member_fill(m, CHUNK));
    }
}
