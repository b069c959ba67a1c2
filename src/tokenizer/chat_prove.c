/* The proof of a loss mask, from the trainer's side: ids and mask alone are decoded and held against what was
 * said.  Nothing here knows how the mask was made. */
#include <string.h>

#include "tokenizer/chat_templates.h"

typedef struct {
    const Tokenizer *t;
    const ChatTemplate *tmpl;
    const int32_t *ids;
    const uint8_t *mask;
    size_t n;
    int32_t end; /* id that ends an answer; -1: its text does */
    Str end_text, text, want, opening;
    Ids again;
} Proof;

/* The learned stretch that begins at *from or behind it: to where learning stops, or behind an end marker. */
static bool next_stretch(const Proof *p, size_t *from, size_t *to)
{
    while (*from < p->n && !p->mask[*from])
        ++*from;
    for (*to = *from; *to < p->n && p->mask[*to];)
        if (p->ids[(*to)++] == p->end && p->end >= 0)
            break;
    return *to > *from;
}

static Status decode(const Proof *p, Str *out, const int32_t *ids, size_t n)
{
    str_clear(out);
    return tokenizer_decode(p->t, out, ids, n, true);
}

/* Decoding drops a space in front of SentencePiece's first piece. */
static bool same_words(Span decoded, Span wanted)
{
    if (wanted.n == decoded.n + 1 && wanted.at[0] == ' ')
        wanted = (Span){wanted.at + 1, wanted.n - 1};
    return decoded.n == wanted.n && (!wanted.n || memcmp(decoded.at, wanted.at, wanted.n) == 0);
}

static Status what_is_wrong(Proof *p, size_t i, const ChatMessage *m, size_t from, size_t to)
{
    bool ended = p->end >= 0 ? p->ids[to - 1] == p->end : span_ends(str_span(&p->text), str_c(&p->end_text));
    if (!ended)
        return fail(ST_ARG, "message %zu (assistant): its end marker %s is not learned%s", i + 1,
                    str_c(&p->end_text), to == p->n ? "; the example was cut short" : "");
    TRY(decode(p, &p->text, p->ids + from, to - from));
    const char *learned = str_c(&p->text);
    return fail(ST_ARG,
                "message %zu (assistant): what is learned is not what was said: '%.60s%s' for '%.*s%s'",
                i + 1, learned, p->text.n > 60 ? "..." : "", (int)(m->content.n < 60 ? m->content.n : 60),
                m->content.at, m->content.n > 60 ? "..." : "");
}

/* ids[from, to) are the answer m and its end marker, nothing less and nothing more. */
static Status prove_answer(Proof *p, size_t i, const ChatMessage *m, size_t from, size_t to)
{
    str_clear(&p->want);
    p->tmpl->style->answer(p->tmpl, m, &p->want);
    size_t words = p->want.n;
    str_add(&p->want, p->end_text.at, p->end_text.n);
    TRY(decode(p, &p->text, p->ids + from, to - from));
    if (same_words(str_span(&p->text), str_span(&p->want)))
        return ST_OK;
    /* A vocabulary that changes text (a normal form, unknown characters) changes it here as there. */
    p->again.n = 0;
    TRY(tokenizer_encode(p->t, &p->again, str_c(&p->want), p->end >= 0 ? words : p->want.n, TOK_RAW));
    if (p->end >= 0)
        array_push(&p->again, p->end);
    Str again = {0};
    Status st = decode(p, &again, p->again.at, p->again.n);
    bool same = st == ST_OK && same_words(str_span(&p->text), str_span(&again));
    str_drop(&again);
    return st != ST_OK || same ? st : what_is_wrong(p, i, m, from, to);
}

static bool ends_with(Span text, Span end)
{
    text = chat_strip_end(text);
    end = chat_strip(end);
    return end.n <= text.n && memcmp(text.at + text.n - end.n, end.at, end.n) == 0;
}

/* What stands in front of an answer is the assistant's opening. */
static Status prove_opening(Proof *p, size_t i, size_t from)
{
    size_t back = from < 64 ? from : 64;
    TRY(decode(p, &p->text, p->ids + from - back, back));
    if (ends_with(str_span(&p->text), str_span(&p->opening)))
        return ST_OK;
    /* SentencePiece's may put a space behind a special token: it does so here as there. */
    p->again.n = 0;
    TRY(tokenizer_encode(p->t, &p->again, str_c(&p->opening), p->opening.n, TOK_SPECIAL));
    TRY(decode(p, &p->want, p->again.at, p->again.n));
    if (ends_with(str_span(&p->text), str_span(&p->want)))
        return ST_OK;
    return fail(ST_ARG,
                "message %zu (assistant): it is not the assistant's turn where learning begins, at token %zu",
                i + 1, from);
}

static Status prove_all(Proof *p, const Conversation *c, int flags)
{
    size_t from = 0, to = 0, learned = 0;
    for (size_t i = 0; i < c->messages.n; i++) {
        if (!chat_learns(c, i, flags))
            continue;
        if (!next_stretch(p, &from, &to))
            return fail(ST_ARG, "message %zu (assistant): nothing of it is learned%s", i + 1,
                        learned ? "; the example was cut short" : "");
        TRY(prove_opening(p, i, from));
        TRY(prove_answer(p, i, &c->messages.at[i], from, to));
        learned++;
        from = to;
    }
    if (!learned)
        return fail(ST_ARG,
                    "nothing is learned: no message of the assistant, or all of them are switched off");
    if (!next_stretch(p, &from, &to))
        return ST_OK;
    TRY(decode(p, &p->text, p->ids + from, to - from));
    return fail(ST_ARG, "token %zu on is learned and is no answer: '%.60s'", from, str_c(&p->text));
}

Status chat_prove(const Tokenizer *t, const ChatTemplate *tmpl, const Conversation *c, int flags,
                  const int32_t *ids, const uint8_t *mask, size_t n)
{
    const ChatStyle *style = tmpl->style;
    Proof p = {.t = t, .tmpl = tmpl, .ids = ids, .mask = mask, .n = n, .end = chat_mark_id(t, style->end)};
    Span end = p.end >= 0 ? tokenizer_text(t, p.end) : span(style->end);
    str_add(&p.end_text, end.at, end.n);
    str_adds(&p.opening, style->opening);
    Status st = prove_all(&p, c, flags);
    str_drop(&p.end_text);
    str_drop(&p.text);
    str_drop(&p.want);
    str_drop(&p.opening);
    array_drop(&p.again);
    return st;
}
